"""From losses to what a search makes of them, failures and ties included."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from evoplastic.checks import require
from evoplastic.search.config import ESConfig
from evoplastic.search.protocol import Float64Array


class ShapedLosses(NamedTuple):
    """How strongly, and which way, each pair pulls the center."""

    weight_pairs: Float64Array  # L+ - L-, after shaping
    num_failed: int
    all_failed: bool

    @property
    def pulls(self) -> bool:
        """Whether the generation says anything at all about where to go."""
        return not self.all_failed and bool(np.any(self.weight_pairs != 0.0))


def shape_losses(loss_P: Float64Array, config: ESConfig) -> ShapedLosses:
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
    filled_P, num_failed = worst_for_failed(loss_P)
    if num_failed == len(loss_P):
        return ShapedLosses(np.zeros(config.num_pairs), num_failed, True)
    shaped_P = filled_P if config.shaping == "raw" else centered_ranks(filled_P)
    return ShapedLosses(shaped_P[0::2] - shaped_P[1::2], num_failed, False)


def worst_for_failed(loss_P: Float64Array) -> tuple[Float64Array, int]:
    """Losses in which what is not finite is the largest finite one, and how many were not finite.

    Where none is finite, the losses come back as they are.
    """
    failed_P = ~np.isfinite(loss_P)
    num_failed = int(failed_P.sum())
    if num_failed == len(loss_P):
        return loss_P, num_failed
    return np.where(failed_P, loss_P[~failed_P].max(), loss_P), num_failed


def centered_ranks(loss_P: Float64Array) -> Float64Array:
    """Ranks scaled to [-0.5, 0.5], equal values sharing their mean rank."""
    _, inverse, counts = np.unique(loss_P, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    mean_rank = last - (counts + 1) / 2.0
    ranks: Float64Array = mean_rank[inverse] / (len(loss_P) - 1) - 0.5
    return ranks
