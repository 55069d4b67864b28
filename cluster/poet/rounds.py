"""What is found out between two generations: scores of genomes, and steps of their searches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cluster.config.poet import PoetConfig
from cluster.poet.environments import Environment
from evoplastic.random.counters import Purpose, words
from evoplastic.search.protocol import AnySearch
from evoplastic.search.together import Bare, Part, Together, together
from evoplastic.trials.table import TrialTable
from tasks.machines.metatasks.form import MetaTask

Float64Array = NDArray[np.float64]
SCORING = 1 << 31  # first stream of lifetimes that score; those of populations are far below


class Lived(NamedTuple):
    """What came of the individuals of a proposal."""

    loss_P: Float64Array
    reward_P: Float64Array  # of a scored trial


class Meet(Protocol):
    """Lets individuals meet tasks."""

    def __call__(
        self, tasks: tuple[TrialTable, ...], centers_CG: Tensor, proposal: Together
    ) -> Lived:
        """Run a lifetime of each."""
        ...


class Round:
    """All that is simulated between two generations, one proposal after the other."""

    def __init__(
        self,
        generation: int,
        config: PoetConfig,
        seed: int,
        meet: Meet,
        table_of: Callable[[MetaTask], TrialTable],
        make_search: Callable[[int], AnySearch],
    ) -> None:
        """Take what is simulated, and how searches are made of a seed."""
        self.generation, self.config, self.seed = generation, config, seed
        self._meet, self._table_of, self._make_search = meet, table_of, make_search
        self._turn = 0

    def scores(
        self,
        environments: Sequence[Environment],
        genomes: Sequence[Tensor],
        cells: Sequence[tuple[int, int]],
    ) -> Float64Array:
        """The score of each cell: a place among the environments, and one among the genomes."""
        if not cells:
            return np.zeros(0)
        L = self.config.lifetimes
        bare = Bare(self.generation, 0, L, SCORING)
        lived = self._live(environments, genomes, [Part(bare, g, e) for e, g in cells])
        reward_C = lived.reward_P.reshape(-1, L).mean(axis=1)
        return np.array(
            [
                environments[e].score(float(reward))
                for (e, _), reward in zip(cells, reward_C, strict=True)
            ]
        )

    def steps(self, tries: Sequence[tuple[Environment, int, Tensor]]) -> list[Tensor]:
        """Genomes after one step of a search each.

        Args:
            tries: the environment in which, the environment that the genome is of, and the genome.
        """
        if not tries:
            return []
        searches = [
            self._make_search(step_seed(self.seed, environment.number, source))
            for environment, source, _ in tries
        ]
        states = [
            search.init(genome_G) for search, (*_, genome_G) in zip(searches, tries, strict=True)
        ]
        parts = [
            Part(search.ask(state, self.generation), place, place)
            for place, (search, state) in enumerate(zip(searches, states, strict=True))
        ]
        lived = self._live([each for each, *_ in tries], [genome for *_, genome in tries], parts)
        spans = together(self.generation, parts).spans()
        return [
            search.center(search.tell(state, part.proposal, lived.loss_P[begin:end]).state)
            for search, state, part, (begin, end) in zip(
                searches, states, parts, spans, strict=True
            )
        ]

    def _live(
        self, environments: Sequence[Environment], genomes: Sequence[Tensor], parts: list[Part]
    ) -> Lived:
        tables = tuple(self._table_of(each.task) for each in environments)
        self._turn += 1
        proposal = together(self.generation, parts, self._turn)
        return self._meet(tables, torch.stack(list(genomes)), proposal)


def pair_seed(seed: int, number: int) -> int:
    """The seed of the search of a pair, a function of run seed and environment."""
    return _seed(seed, number, 0)


def step_seed(seed: int, target: int, source: int) -> int:
    """The seed of a step that a genome makes in another environment than its own."""
    return _seed(seed, target, 1 + source)


def _seed(seed: int, number: int, row: int) -> int:
    high, low = words(seed, Purpose.COEVOLUTION, 0, number, row, 2)
    return (int(high) << 32) | int(low)
