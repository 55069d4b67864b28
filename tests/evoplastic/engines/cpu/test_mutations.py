"""Compiled normal numbers and mutations equal `evoplastic.random.counters`, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest

from evoplastic.engines.cpu.mutations import accumulate_pairs, normal_rows, perturb_pairs
from evoplastic.random.counters import Purpose, normal

SEED = 2**64 - 3


@pytest.mark.parametrize("count", [1, 3, 64, 1023, 9800])
@pytest.mark.parametrize("threads", [1, 2])
def test_normal_rows_equal_the_definition(count: int, threads: int) -> None:
    ours = normal_rows(SEED, Purpose.GENOME, 77, 5, 3, count, threads=threads)
    for row in range(3):
        expected = normal(SEED, Purpose.GENOME, 77, 5 + row, count)
        np.testing.assert_array_equal(ours[row].view(np.uint32), expected.view(np.uint32))


def test_extreme_words_give_the_defined_tails() -> None:
    # Two million draws reach beyond 5 standard deviations, where the second polynomial serves.
    ours = normal_rows(1, Purpose.MUTATION, 0, 0, 1, 1 << 21)[0]
    expected = normal(1, Purpose.MUTATION, 0, 0, 1 << 21)
    assert np.abs(expected).max() > 4.7
    np.testing.assert_array_equal(ours, expected)


@pytest.fixture
def mutation_case() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    center_G = random.normal(size=4901).astype(np.float32)
    size_G = random.uniform(0.01, 0.05, size=4901).astype(np.float32)
    size_G[random.random(4901) < 0.1] = 0.0
    return center_G, size_G, random.normal(size=5)


def _mutation(sigma_G: np.ndarray, pair: int) -> np.ndarray:
    draws = normal(SEED, Purpose.MUTATION, 3, pair, sigma_G.size)
    return np.asarray(sigma_G * draws)


@pytest.mark.parametrize("threads", [1, 2])
def test_pairs_are_center_plus_and_minus_the_mutation(
    mutation_case: tuple[np.ndarray, np.ndarray, np.ndarray], threads: int
) -> None:
    center_G, sigma_G, _ = mutation_case
    ours = perturb_pairs(center_G, sigma_G, SEED, 3, 6, 4, unmutated=7, threads=threads)
    for index in range(4):
        mutation = _mutation(sigma_G, 6 + index) if index else np.zeros_like(center_G)
        np.testing.assert_array_equal(ours[2 * index], center_G + mutation)
        np.testing.assert_array_equal(ours[2 * index + 1], center_G - mutation)


@pytest.mark.parametrize("threads", [1, 2])
def test_weighted_sum_runs_over_pairs_in_order(
    mutation_case: tuple[np.ndarray, np.ndarray, np.ndarray], threads: int
) -> None:
    _, sigma_G, weights = mutation_case
    weights[2] = 0.0
    expected = np.full(sigma_G.size, 0.5)
    for index, weight in enumerate(weights):
        if index != 0:
            expected += weight * _mutation(sigma_G, 2 + index).astype(np.float64)
    ours = np.full(sigma_G.size, 0.5)
    accumulate_pairs(ours, sigma_G, SEED, 3, 2, weights, unmutated=3, threads=threads)
    np.testing.assert_array_equal(ours, expected)
