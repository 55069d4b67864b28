"""A proposal of low-rank pairs: a few numbers, however many individuals, however large genomes."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from evoplastic.genome.layout import Layout
from evoplastic.search.low_rank.config import LowRankESConfig
from evoplastic.search.low_rank.mutation import LowRankMutations
from evoplastic.search.mutation import ON_CPU
from evoplastic.search.proposals import PairsProposal


class LowRankProposal(PairsProposal[LowRankESConfig]):
    """Pairs whose mutations of matrices have rank r, drawn on the CPU."""

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
