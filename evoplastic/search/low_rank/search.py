"""Low-rank evolution strategy: what `es` does, with mutations of matrices that have rank r.

    gradient = 1 / (popsize sigma^2) * sum over pairs i of m_i (L_i+ - L_i-) + weight_decay * center
    center'  = Adam(center, gradient), then projected into the bounds of the fields

Each m_i has rank r in every matrix; the sum over pairs has full rank. For rank r the estimate is
that of a score which is exact for r -> infinity, with an error of order 1/r. Source: Sarkar et al.
2025 (arXiv 2511.16652), EGGROLL; their update leaves the factor 1 / sigma^2 to the learning rate.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from evoplastic.genome.layout import Layout
from evoplastic.records.names import GRADIENT_NORM
from evoplastic.search.es import EvolutionStrategy, update
from evoplastic.search.low_rank.config import LowRankESConfig
from evoplastic.search.low_rank.mutation import LowRankMutations
from evoplastic.search.low_rank.proposal import LowRankProposal
from evoplastic.search.moments import AdamState
from evoplastic.search.protocol import Float64Array, Proposal, Told
from evoplastic.search.shaping import shape_losses


class LowRankES:
    """The search itself; final."""

    def __init__(
        self, options: LowRankESConfig, layout: Layout, *, seed: int, engine: str = "cpu"
    ) -> None:
        """Take the options, the layout of genomes and the run seed; no engine helps it."""
        self._options, self._layout, self._seed = options, layout, seed
        self._like = EvolutionStrategy(options.es, layout, seed=seed, named=options.name)

    @property
    def popsize(self) -> int:
        """P, individuals of a generation."""
        return self._options.popsize

    def init(self, center_G: Tensor) -> AdamState:
        """A search that has taken no step."""
        return self._like.init(center_G)

    def ask(self, state: AdamState, generation: int) -> LowRankProposal:
        """Pairs around the center; pair 0 may be the bare center."""
        return LowRankProposal(self._options, self._seed, generation, 0, self.popsize)

    def tell(self, state: AdamState, proposal: Proposal, loss_P: Float64Array) -> Told[AdamState]:
        """Take one Adam step; a generation that says nothing leaves the state as it is."""
        options = self._options.es
        shaped = shape_losses(loss_P, options)
        gradient_G = self._gradient(shaped.weight_pairs, proposal.generation)
        if shaped.pulls:
            state = update(state, gradient_G, options, self._layout, proposal.generation)
        norm = float(torch.linalg.vector_norm(gradient_G))
        return Told(state, shaped.pulls, shaped.num_failed, {GRADIENT_NORM: norm})

    def center(self, state: AdamState) -> Tensor:
        """The center of the mutations."""
        return state.center_G

    def tensors(self, state: AdamState) -> dict[str, Tensor]:
        """Center and Adam's moments."""
        return self._like.tensors(state)

    def restore(self, tensors: Mapping[str, Tensor]) -> AdamState:
        """The state of a checkpoint's tensors.

        Raises:
            UsageError: other names or shapes than those of this search.
        """
        return self._like.restore(tensors)

    def warm_up(self, state: AdamState) -> None:
        """Load the optimizer, which takes seconds."""
        self._like.warm_up(state)

    def _gradient(self, weight_pairs: Float64Array, generation: int) -> Tensor:
        """The gradient of the loss [G], float32, summed over pairs in order and in float64."""
        mutations = LowRankMutations(self._layout, self._options, self._seed)
        sum_G = np.zeros(self._layout.size, dtype=np.float64)
        for pair, weight in enumerate(weight_pairs):
            if weight != 0.0:
                sum_G += weight * mutations.of_pair(generation, pair)
        sigma = self._options.es.sigma_at(generation)
        scale = 1.0 / (self._options.popsize * sigma**2)
        return torch.from_numpy((sum_G * scale).astype(np.float32))
