"""The default search: antithetic evolution strategy in PGPE's form, streamed over shards of pairs.

    gradient = 1 / (popsize sigma^2) * sum over pairs i of m_i (L_i+ - L_i-) + weight_decay * center
    center'  = Adam(center, gradient), then alpha = max(alpha, 0)

with mutations m_i ~ N(0, sigma^2). EvoTorch's functional Adam takes the step; its whole state is
a tuple of tensors. Sources: Sehnke et al. 2010 (PGPE); Miconi 2023, section 2.5.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from evoplastic.checks import require
from evoplastic.genome.genome import GenomeLayout
from evoplastic.search.config import EvolutionConfig
from evoplastic.search.mutation import ON_CPU, accumulate_mutations

Float64Array = NDArray[np.float64]


class SearchState(NamedTuple):
    """All that the search remembers between generations."""

    center_G: Tensor
    m_G: Tensor  # Adam's first moment
    v_G: Tensor  # Adam's second moment
    t: Tensor  # number of steps taken, float32 scalar as EvoTorch keeps it


class ShapedLosses(NamedTuple):
    """How strongly, and which way, each pair pulls the center."""

    weight_pairs: Float64Array  # L+ - L-, after shaping
    num_failed: int
    all_failed: bool

    @property
    def pulls(self) -> bool:
        """Whether the generation says anything at all about where to go."""
        return not self.all_failed and bool(np.any(self.weight_pairs != 0.0))


def initial_state(center_G: Tensor) -> SearchState:
    """A search that has taken no step."""
    zeros = torch.zeros_like(center_G)
    return SearchState(center_G.clone(), zeros, zeros.clone(), torch.zeros((), dtype=torch.float32))


def shape_losses(loss_P: Float64Array, config: EvolutionConfig) -> ShapedLosses:
    """Turn raw losses, individual 2i being + and 2i+1 being - of pair i, into pulls of the pairs.

    An individual whose loss is not finite counts as the worst of its generation; two equal losses
    pull nowhere, and with "centered" ranks ties share their mean rank.

    Raises:
        UsageError: the number of losses is not popsize.
    """
    require(
        loss_P.shape == (config.popsize,),
        f"{loss_P.shape} losses came back, expected popsize = {config.popsize}",
    )
    failed_P = ~np.isfinite(loss_P)
    num_failed = int(failed_P.sum())
    if num_failed == len(loss_P):
        return ShapedLosses(np.zeros(config.num_pairs), num_failed, True)
    filled_P = np.where(failed_P, loss_P[~failed_P].max(), loss_P)
    shaped_P = filled_P if config.shaping == "raw" else _centered_ranks(filled_P)
    return ShapedLosses(shaped_P[0::2] - shaped_P[1::2], num_failed, False)


def _centered_ranks(loss_P: Float64Array) -> Float64Array:
    """Ranks scaled to [-0.5, 0.5], equal values sharing their mean rank."""
    _, inverse, counts = np.unique(loss_P, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    mean_rank = last - (counts + 1) / 2.0
    ranks: Float64Array = mean_rank[inverse] / (len(loss_P) - 1) - 0.5
    return ranks


class GradientSum:
    """Sum over pairs of mutation times pull, in float64, pairs in ascending order.

    Mutations are drawn anew from their counters by the engine that lived them, so that a population
    times a genome never exists a second time.
    """

    def __init__(
        self,
        layout: GenomeLayout,
        config: EvolutionConfig,
        seed: int,
        generation: int,
        *,
        engine: str = ON_CPU,
    ) -> None:
        self._layout = layout
        self._config = config
        self._seed = seed
        self._generation = generation
        self._engine = engine
        self._sum_G = np.zeros(layout.size, dtype=np.float64)
        self._next_pair = 0

    def add(self, first_pair: int, weights: Float64Array) -> None:
        """Add the pulls of consecutive pairs; shards must come in order.

        Raises:
            UsageError: `first_pair` does not continue where the last shard ended.
        """
        require(
            first_pair == self._next_pair,
            f"gradient shards must come in order: expected pair {self._next_pair}, "
            f"got {first_pair}",
        )
        accumulate_mutations(
            self._sum_G,
            self._layout,
            self._config,
            self._seed,
            self._generation,
            first_pair,
            weights,
            engine=self._engine,
        )
        self._next_pair = first_pair + len(weights)

    def result(self) -> Tensor:
        """The gradient of the loss [G], float32, without weight decay.

        Raises:
            UsageError: pairs are missing.
        """
        require(
            self._next_pair == self._config.num_pairs,
            f"gradient holds {self._next_pair} pairs, expected {self._config.num_pairs}",
        )
        scale = 1.0 / (self._config.popsize * self._config.sigma**2)
        return torch.from_numpy((self._sum_G * scale).astype(np.float32))


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let torch compute in this thread alone.

    Some ten thousand numbers gain nothing from a second thread, and where others keep the cores
    busy, waiting for it takes a time slice: 8 ms were seen, for a step of 0.2 ms.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def update(
    state: SearchState, gradient_G: Tensor, config: EvolutionConfig, layout: GenomeLayout
) -> SearchState:
    """Take one Adam step down the gradient plus weight decay, then project alpha to alpha >= 0."""
    from evotorch.algorithms.functional.funcadam import AdamState, adam_tell

    def constant(value: float) -> Tensor:
        return torch.tensor(value, dtype=torch.float32)

    before = AdamState(
        center=state.center_G,
        center_learning_rate=constant(config.learning_rate),
        beta1=constant(config.beta1),
        beta2=constant(config.beta2),
        epsilon=constant(config.epsilon),
        m=state.m_G,
        v=state.v_G,
        t=state.t,
    )
    descent_G = -(gradient_G + config.weight_decay * state.center_G)
    with _one_thread():
        after = adam_tell(before, follow_grad=descent_G)
    center_G = torch.where(layout.mask_G, after.center, state.center_G)
    alpha = layout.alpha_slice
    center_G[alpha] = center_G[alpha].clamp(min=0.0)
    return SearchState(center_G, after.m, after.v, after.t)
