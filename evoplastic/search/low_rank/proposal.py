"""A proposal of low-rank pairs: a few numbers, however many individuals, however large genomes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from evoplastic.genome.layout import Layout
from evoplastic.search.low_rank.config import LowRankESConfig
from evoplastic.search.low_rank.mutation import LowRankMutations
from evoplastic.search.mutation import ON_CPU
from evoplastic.search.protocol import Int64Array, Proposal


class LowRankProposal(NamedTuple):
    """Individuals 2i and 2i+1 are center + m_i and center - m_i, drawn where they are simulated."""

    options: LowRankESConfig
    seed: int
    generation: int
    first: int
    number: int

    @property
    def whole(self) -> int:
        """A pair."""
        return 2

    @property
    def group_P(self) -> Int64Array:
        """The number of each individual's pair."""
        individual_P = np.arange(self.first, self.first + self.number, dtype=np.int64)
        return individual_P // 2

    @property
    def stream_P(self) -> Int64Array:
        """Each pair has a stream of its own."""
        return self.group_P

    def cut(self, first: int, number: int) -> LowRankProposal:
        """A slice of whole pairs."""
        assert first % 2 == 0 == number % 2, "a pair is not cut"
        return self._replace(first=first, number=number)

    def joined(self, other: Proposal) -> LowRankProposal | None:
        """This slice and the one that follows on it as one."""
        follows = isinstance(other, LowRankProposal) and (
            other._replace(number=0) == self._replace(first=self.first + self.number, number=0)
        )
        return self._replace(number=self.number + other.number) if follows else None

    def genomes(
        self, center_G: Tensor, layout: Layout, *, threads: int = 0, engine: str = ON_CPU
    ) -> Tensor:
        """Flat genomes [P, G]; engines copy them to where they compute."""
        mutations = LowRankMutations(layout, self.options, self.seed)
        center, flat_PG = center_G.numpy(), np.empty((self.number, layout.size), dtype=np.float32)
        for index in range(self.number // 2):
            mutation_G = mutations.of_pair(self.generation, self.first // 2 + index)
            np.add(center, mutation_G, out=flat_PG[2 * index])
            np.subtract(center, mutation_G, out=flat_PG[2 * index + 1])
        return torch.from_numpy(flat_PG)
