"""A toy search that the tests list beside the real ones: (1, popsize) hill climbing.

    center' = the best of popsize mutants of the center

Its proposals are arrays, all its individuals meet one task and the same trials, and its state is
two tensors. Source: Rechenberg 1973, the comma strategy with a fixed step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor

from evoplastic.checks import require
from evoplastic.entries import Entry
from evoplastic.genome.layout import Layout
from evoplastic.random.counters import Purpose, normal
from evoplastic.search.catalogue import SEARCHES, MakeSearch
from evoplastic.search.proposals import ArrayProposal
from evoplastic.search.protocol import Float64Array, Proposal, Told


@dataclass(frozen=True, kw_only=True)
class ClimbingConfig:
    """Options of the toy."""

    name: Literal["climbing"] = "climbing"
    popsize: int = 40
    sigma: float = 0.03


class ClimbingState(NamedTuple):
    """Where the search is, and how often it moved."""

    center_G: Tensor
    moves: Tensor


class Climbing:
    """The toy itself."""

    def __init__(
        self, options: ClimbingConfig, layout: Layout, *, seed: int, engine: str = "cpu"
    ) -> None:
        self._options, self._layout, self._seed = options, layout, seed

    @property
    def popsize(self) -> int:
        """Mutants of a generation."""
        return self._options.popsize

    def init(self, center_G: Tensor) -> ClimbingState:
        """Nothing was told yet."""
        return ClimbingState(center_G.clone(), torch.zeros((), dtype=torch.int64))

    def ask(self, state: ClimbingState, generation: int) -> ArrayProposal:
        """Mutants within bounds, one stream of draws each."""
        size_G = self._options.sigma * self._layout.scale_G
        mutants = [
            state.center_G + size_G * torch.from_numpy(self._draws(generation, individual))
            for individual in range(self.popsize)
        ]
        genomes_PG = torch.stack([self._layout.project(mutant_G) for mutant_G in mutants]).numpy()
        together_P = np.zeros(self.popsize, dtype=np.int64)
        return ArrayProposal(generation, genomes_PG, together_P, together_P)

    def tell(
        self, state: ClimbingState, proposal: Proposal, loss_P: Float64Array
    ) -> Told[ClimbingState]:
        """Go where the best mutant is, unless all are alike."""
        require(
            loss_P.shape == (self.popsize,),
            f"{loss_P.shape} losses came back, expected popsize = {self.popsize}",
        )
        finite_P = np.isfinite(loss_P)
        found = loss_P[finite_P]
        pulled = bool(len(found)) and (len(found) < len(loss_P) or bool(np.ptp(found) > 0))
        if pulled:
            best = int(np.argmin(np.where(finite_P, loss_P, np.inf)))
            winner_G = proposal.genomes(state.center_G, self._layout)[best]
            state = ClimbingState(winner_G.clone(), state.moves + 1)
        return Told(state, pulled, int((~finite_P).sum()), {})

    def center(self, state: ClimbingState) -> Tensor:
        """The last winner."""
        return state.center_G

    def tensors(self, state: ClimbingState) -> dict[str, Tensor]:
        """Both tensors."""
        return state._asdict()

    def restore(self, tensors: Mapping[str, Tensor]) -> ClimbingState:
        """Both tensors again."""
        require(set(tensors) == set(ClimbingState._fields), "a state of other tensors came")
        return ClimbingState(**tensors)

    def warm_up(self, state: ClimbingState) -> None:
        """Nothing is slow."""

    def _draws(self, generation: int, individual: int) -> np.ndarray:
        size = self._layout.size
        return normal(self._seed, Purpose.MUTATION, generation, individual, size)


CLIMBING = Entry[MakeSearch](
    title="hill climbing", source="Rechenberg 1973", options=ClimbingConfig, build=Climbing
)
EVERY_SEARCH = {**SEARCHES, CLIMBING.name: CLIMBING}
SETTINGS = {"gradient": ["rule=backpropamine"]}  # that a search needs of a recipe
IN_SHORT = ("climbing", "es")  # with which whole runs are tried by default


def every_search(mark: pytest.MarkDecorator) -> list[Any]:
    """Parameters of a test: all searches, the mark on those that are not tried by default."""
    return [
        pytest.param(name, marks=() if name in IN_SHORT else mark) for name in sorted(EVERY_SEARCH)
    ]


@contextmanager
def listed(entry: Entry[MakeSearch]) -> Iterator[None]:
    """The entry stands in the table meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(SEARCHES, entry.name, entry)
        yield
