"""How alike two sets of activity are, compared by how conditions lie to each other in each.

Units of the two need not be the same, nor as many.
"""

from __future__ import annotations

from itertools import permutations
from math import factorial
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import pdist, squareform
from scipy.stats import pearsonr, spearmanr

from evoplastic.checks import require, require_known

Measure = Literal["rdm", "cka"]
MEASURES = ("rdm", "cka")
FEWEST_CONDITIONS = 3
MOST_RELABELLINGS = 999

Float64Array = NDArray[np.float64]


class Similarity(NamedTuple):
    """A similarity, and how often conditions in another order have as large a one."""

    value: float
    p: float


def matrix_of(pattern_CU: Float64Array, measure: str) -> Float64Array:
    """How conditions lie to each other [C, C].

        rdm   1 - r_ij, r the correlation of the patterns of conditions i and j over units
        cka   K_ij = y_i . y_j, y the patterns less their mean over conditions

    Args:
        pattern_CU: activity of each unit in each condition.
        measure: `rdm` or `cka`.

    Raises:
        UsageError: an unknown measure, fewer than three conditions, or of an RDM fewer than two
            units.

    Source: representational dissimilarity, Kriegeskorte, Mur & Bandettini 2008; linear centred
    kernel alignment, Kornblith et al. 2019, section 3.
    """
    require_known("measure of similarity", measure, MEASURES)
    C, U = pattern_CU.shape
    require(
        C >= FEWEST_CONDITIONS,
        f"activity has {C} conditions, similarity takes at least {FEWEST_CONDITIONS}",
    )
    if measure == "cka":
        centred_CU = pattern_CU - pattern_CU.mean(0)
        gram_CC: Float64Array = centred_CU @ centred_CU.T
        return gram_CC
    require(U >= 2, f"activity has {U} unit, a correlation over units takes at least 2")
    distance_CC: Float64Array = squareform(np.nan_to_num(pdist(pattern_CU, "correlation"), nan=1.0))
    return distance_CC


def compare(
    first_CC: Float64Array, second_CC: Float64Array, measure: str, *, ranked: bool = True
) -> float:
    """The similarity of two matrices of `matrix_of`; 0 where one says nothing.

    rdm   Spearman's rank correlation of their entries above the diagonal, or, where it is not
          ranked, Pearson's, which moves with every small change
    cka   <K, L> / (|K| |L|), of Grams centred over the conditions
    """
    if measure == "cka":
        centred = [_centred(matrix_CC) for matrix_CC in (first_CC, second_CC)]
        sizes = [float(np.linalg.norm(each)) for each in centred]
        return float((centred[0] * centred[1]).sum() / (sizes[0] * sizes[1])) if all(sizes) else 0.0
    above = np.triu_indices(len(first_CC), 1)
    first, second = first_CC[above], second_CC[above]
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return float((spearmanr if ranked else pearsonr)(first, second).statistic)


def similarity(
    first_CC: Float64Array, second_CC: Float64Array, measure: str, *, seed: int = 0
) -> Similarity:
    """The similarity of two matrices, with its p under conditions in random order.

    All orders where there are at most 999, else 999 random ones; the order itself counts.

    Source: the permutation test of Mantel 1967.
    """
    value = compare(first_CC, second_CC, measure)
    C = len(first_CC)
    if factorial(C) <= MOST_RELABELLINGS + 1:
        orders = [np.array(order) for order in permutations(range(C))]
    else:
        rng = np.random.default_rng(seed)
        orders = [np.arange(C), *(rng.permutation(C) for _ in range(MOST_RELABELLINGS))]
    others = [compare(first_CC, second_CC[np.ix_(order, order)], measure) for order in orders]
    return Similarity(value, float(np.mean(np.array(others) >= value - 1e-12)))


def _centred(gram_CC: Float64Array) -> Float64Array:
    centred_CC: Float64Array = gram_CC - gram_CC.mean(0) - gram_CC.mean(1)[:, None] + gram_CC.mean()
    return centred_CC
