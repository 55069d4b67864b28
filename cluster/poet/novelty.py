"""How new an environment is, by how it orders the agents (PATA-EC), and which are new and solved.

An environment is what the scores of all agents on it say: active and archived ones, clipped to the
minimal criterion, so that what is beyond is alike, and ranked, so that it does not matter how
scores are scaled. Source: Wang et al. 2020 (Enhanced POET), section 3. Their code calls the
clipping without its two bounds and so cannot have run as it is published; here they are arguments
without defaults.

Axes: E environments, A agents.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evoplastic.checks import require

Float64Array = NDArray[np.float64]
NEAREST = 5  # neighbours that novelty is the mean distance to


class Criterion(NamedTuple):
    """The minimal criterion: a score from low to high is neither too hard nor too easy."""

    low: float
    high: float

    def meets(self, score: float) -> bool:
        """Whether a score is within."""
        return self.low <= score <= self.high

    def may_meet(self, bound: float) -> bool:
        """Whether a score may be within that lies farther from 0 than a bound, to the same side."""
        return bound <= self.high if bound > 0 else bound >= self.low


def centred_ranks(score_EA: Float64Array) -> Float64Array:
    """The rank of each agent on each environment, from -0.5 to 0.5; equal scores share theirs.

    >>> centred_ranks(np.array([[0.1, 0.7, 0.7, 0.9]]))
    array([[-0.5,  0. ,  0. ,  0.5]])
    """
    below_EA = (score_EA[:, None, :] < score_EA[:, :, None]).sum(axis=2)
    equal_EA = (score_EA[:, None, :] == score_EA[:, :, None]).sum(axis=2)
    others = max(score_EA.shape[1] - 1, 1)
    ranks: Float64Array = (below_EA + (equal_EA - 1) / 2) / others - 0.5
    return ranks if score_EA.shape[1] > 1 else np.zeros_like(ranks)


def characterised(score_EA: Float64Array, criterion: Criterion) -> Float64Array:
    """What environments are by PATA-EC: ranks of clipped scores."""
    return centred_ranks(np.clip(score_EA, criterion.low, criterion.high))


def novelty(
    candidate_CA: Float64Array,
    known_EA: Float64Array,
    criterion: Criterion,
    nearest: int = NEAREST,
) -> Float64Array:
    """Mean Euclidean distance of each candidate to its nearest known environments.

    Args:
        candidate_CA: scores of all agents on each candidate.
        known_EA: scores of the same agents on active and archived environments.
        criterion: what scores are clipped to.
        nearest: neighbours; where fewer are known, all of them.

    Raises:
        UsageError: scores of different agents, or no known environment.
    """
    require(
        candidate_CA.shape[1] == known_EA.shape[1] and len(known_EA) > 0,
        f"scores of {candidate_CA.shape[1]} agents on candidates and of {known_EA.shape[1]} on "
        f"{len(known_EA)} known environments, expected the same agents and at least 1 environment",
    )
    candidates, known = (characterised(each, criterion) for each in (candidate_CA, known_EA))
    distance_CE = np.linalg.norm(candidates[:, None] - known[None], axis=2)
    found: Float64Array = np.sort(distance_CE, axis=1)[:, :nearest].mean(axis=1)
    return found


def counts_for_annecs(score_A: Float64Array, criterion: Criterion) -> bool:
    """Whether a new environment counts once it is solved: the best of all agents so far, archived
    ones too, finds it neither too hard nor too easy.

    ANNECS, the accumulated number of novel environments created and solved, is the number of those
    that count and were solved since. Source: Wang et al. 2020, section 4.
    """
    return criterion.meets(float(np.max(score_A)))
