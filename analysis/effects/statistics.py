"""Differences between groups of seeds: mean, bootstrap interval, permutation p, Holm's correction.

Everything but Holm's steps is SciPy's: `scipy.stats.bootstrap` and `scipy.stats.permutation_test`.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import DegenerateDataWarning, bootstrap, permutation_test

Floats = NDArray[np.float64]
RESAMPLES = 9999  # of the bootstrap; permutations are all of them, up to so many
FEWEST_SEEDS = 2


class Difference(NamedTuple):
    """The second group minus the first."""

    mean: float
    low: float
    high: float
    p: float  # two-sided, of a permutation test
    smallest_p: float  # that so many seeds can have


def paired_difference(first_S: Floats, second_S: Floats, confidence: float) -> Difference:
    """Groups whose seeds pair: d = second - first of each seed.

        mean = sum(d) / S                 interval: bootstrap over seeds (BCa, Efron 1987)
        p    = share of sign flips of d whose |mean| is at least as large, of all 2^S

    Args:
        first_S: a score for each seed.
        second_S: of the same seeds.
        confidence: of the interval.
    """
    difference_S = np.asarray(second_S, dtype=np.float64) - first_S
    low, high = mean_interval(difference_S, confidence)
    return Difference(
        float(difference_S.mean()),
        low,
        high,
        _p((difference_S,), _mean, "samples"),
        _smallest_p(2 ** len(difference_S)),
    )


def unpaired_difference(first_S: Floats, second_Z: Floats, confidence: float) -> Difference:
    """Groups of different seeds.

        mean = mean(second) - mean(first)   interval: bootstrap, both groups drawn anew (BCa)
        p    = share of the ways to deal all S + Z scores to the groups whose |mean| is as large

    Args:
        first_S: a score for each seed of the first group.
        second_Z: of the second group.
        confidence: of the interval.
    """
    groups = np.asarray(second_Z, dtype=np.float64), np.asarray(first_S, dtype=np.float64)
    low, high = _interval(groups, _difference_of_means, confidence)
    ways = math.comb(len(first_S) + len(second_Z), len(first_S))
    return Difference(
        float(_difference_of_means(*groups)),
        low,
        high,
        _p(groups, _difference_of_means, "independent"),
        _smallest_p(ways),
    )


def mean_interval(values_S: Floats, confidence: float) -> tuple[float, float]:
    """Bootstrap interval of a mean over seeds.

    >>> mean_interval(np.array([0.5, 0.5, 0.5]), 0.95)
    (0.5, 0.5)
    """
    return _interval((np.asarray(values_S, dtype=np.float64),), _mean, confidence)


def holm(p: Sequence[float]) -> list[float]:
    """p-values corrected for their number by Holm's steps (Holm 1979).

    With p_(1) <= ... <= p_(m), the k-th becomes max over j <= k of min(1, (m - j + 1) p_(j)): the
    chance that any true null hypothesis among them is rejected stays below the level.

    >>> [round(value, 3) for value in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    corrected, largest = [0.0] * len(p), 0.0
    for place, index in enumerate(sorted(range(len(p)), key=lambda index: p[index])):
        largest = max(largest, min(1.0, (len(p) - place) * p[index]))
        corrected[index] = largest
    return corrected


def _mean(values: Any, axis: int = -1) -> Any:
    return np.mean(values, axis=axis)


def _difference_of_means(second: Any, first: Any, axis: int = -1) -> Any:
    return np.mean(second, axis=axis) - np.mean(first, axis=axis)


def _interval(
    groups: tuple[Floats, ...], statistic: Callable[..., Any], confidence: float
) -> tuple[float, float]:
    if any(len(each) < FEWEST_SEEDS for each in groups):
        return math.nan, math.nan
    if all(np.ptp(each) == 0.0 for each in groups):  # nothing varies, so nothing is drawn
        exact = float(statistic(*groups))
        return exact, exact
    for method in ("BCa", "percentile"):  # BCa is undefined where all jackknife values are equal
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DegenerateDataWarning)
            warnings.simplefilter("ignore", RuntimeWarning)
            found = bootstrap(
                groups,
                statistic,
                confidence_level=confidence,
                n_resamples=RESAMPLES,
                method=method,
                vectorized=True,
                rng=np.random.default_rng(0),
            ).confidence_interval
        if math.isfinite(found.low) and math.isfinite(found.high):
            break
    return float(found.low), float(found.high)


def _smallest_p(ways: int) -> float:
    """Two-sided; where the ways are too many to try all, some of them are drawn."""
    return 2.0 / min(ways, RESAMPLES + 1)


def _p(groups: tuple[Floats, ...], statistic: Callable[..., Any], kind: str) -> float:
    found = permutation_test(
        groups,
        statistic,
        permutation_type=kind,
        vectorized=True,
        n_resamples=RESAMPLES,
        rng=np.random.default_rng(0),
    )
    return float(found.pvalue)
