"""What a search is: it proposes genomes, learns their losses, and says where its center is.

A search holds settings alone; what it remembers between generations is a state, which tensors
carry into a checkpoint and out again. A proposal can be cut into slices of consecutive
individuals, which travel to whoever simulates them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from evoplastic.genome.layout import Layout
from evoplastic.search.individuals import Individuals

Float64Array = NDArray[np.float64]
Int64Array = NDArray[np.int64]
State = TypeVar("State")


class Proposal(Protocol):
    """Consecutive individuals of a generation: all of them, or a slice."""

    @property
    def generation(self) -> int:
        """Of all individuals."""
        ...

    @property
    def first(self) -> int:
        """Number of the first individual within the generation."""
        ...

    @property
    def number(self) -> int:
        """How many individuals, P of a slice."""
        ...

    @property
    def group_P(self) -> Int64Array:
        """Individuals of one group meet the same task; counted within the generation."""
        ...

    @property
    def stream_P(self) -> Int64Array:
        """Individuals of one stream share trials, noise and wiring; 0 <= stream < 2**32."""
        ...

    @property
    def whole(self) -> int:
        """Individuals that are made together, as a pair is: a cut lies between such wholes."""
        ...

    def cut(self, first: int, number: int) -> Proposal:
        """A slice; `first` counts within the generation."""
        ...

    def joined(self, other: Proposal) -> Proposal | None:
        """This slice and the one that follows on it as one, or None if it does not follow."""
        ...

    def genomes(
        self, center_G: Tensor, layout: Layout, *, threads: int = 0, engine: str = "cpu"
    ) -> Tensor:
        """Flat genomes [P, G], where the engine reads them.

        Args:
            center_G: the search's center, float32, on the CPU.
            layout: of the genomes.
            threads: threads of the CPU engine; 0 means one per core.
            engine: "reference", "cpu" or "gpu".
        """
        ...


class Told(NamedTuple, Generic[State]):
    """What a search makes of a generation's losses."""

    state: State
    pulled: bool  # whether the losses said anything about where to go
    num_failed: int  # individuals whose loss is not finite
    numbers: dict[str, float]  # for the journal, by metric name
    individuals: Individuals | None = None  # of a search that keeps some: who lived, and of whom


class Search(Protocol[State]):
    """One algorithm with its settings."""

    @property
    def popsize(self) -> int:
        """P, individuals of a generation: several of one genome if it has several lifetimes."""
        ...

    def init(self, center_G: Tensor) -> State:
        """A search that has taken no step."""
        ...

    def ask(self, state: State, generation: int) -> Proposal:
        """The individuals of a generation, a function of run seed, state and generation."""
        ...

    def tell(self, state: State, proposal: Proposal, loss_P: Float64Array) -> Told[State]:
        """The next state; the one given is left unchanged.

        An individual whose loss is not finite counts as the worst of its generation; where all
        are so, the state stays as it is.

        Raises:
            UsageError: the number of losses is not that of the proposal.
        """
        ...

    def center(self, state: State) -> Tensor:
        """The genome [G] that stands for the search, within the bounds of its fields."""
        ...

    def tensors(self, state: State) -> dict[str, Tensor]:
        """All that the state holds, by name."""
        ...

    def restore(self, tensors: Mapping[str, Tensor]) -> State:
        """The state of these tensors.

        Raises:
            UsageError: they are not those of this search.
        """
        ...

    def warm_up(self, state: State) -> None:
        """Load what is slow to load, before a generation is timed."""
        ...


AnySearch = Search[Any]


def slices(proposal: Proposal, individuals: int) -> list[Proposal]:
    """Cut a proposal into slices of a fixed size, whoever will simulate them.

    Args:
        proposal: what to cut.
        individuals: most individuals of a slice, rounded down to wholes, at least one whole.
    """
    size = max(individuals // proposal.whole, 1) * proposal.whole
    stop = proposal.first + proposal.number
    return [
        proposal.cut(first, min(size, stop - first)) for first in range(proposal.first, stop, size)
    ]
