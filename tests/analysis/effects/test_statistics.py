"""Statistics with answers that are known: by counting, from a normal sample, from a textbook."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import false_discovery_control

from analysis.effects.statistics import (
    holm,
    mean_interval,
    paired_difference,
    unpaired_difference,
)


def test_paired_p_is_counted_over_sign_flips() -> None:
    first = np.array([0.5, 0.6, 0.7, 0.5, 0.6])
    found = paired_difference(first, first + np.arange(1, 6) / 100, 0.95)
    assert found.mean == pytest.approx(0.03)
    assert found.p == found.smallest_p == 2 / 2**5  # all of one sign: the two most extreme
    found = paired_difference(np.zeros(3), np.array([1.0, 2.0, -2.5]), 0.95)
    # |sum| of 1, 2, -2.5 is 0.5; the 8 sums are +-5.5, +-0.5, +-3.5, +-1.5, none smaller
    assert found.p == 1.0


def test_unpaired_p_is_counted_over_ways_to_deal() -> None:
    low, high = np.array([0.1, 0.2, 0.3]), np.array([0.4, 0.5, 0.6])
    found = unpaired_difference(low, high, 0.95)
    assert found.mean == pytest.approx(0.3)
    assert found.p == pytest.approx(2 / 20)
    assert found.smallest_p == 2 / 20
    assert unpaired_difference(high, low, 0.95).mean == pytest.approx(-0.3)


def test_intervals_of_many_seeds_are_those_of_theory() -> None:
    rng = np.random.default_rng(3)
    first, second = rng.normal(0.0, 1.0, 200), rng.normal(0.5, 1.0, 200)
    found = unpaired_difference(first, second, 0.95)
    half = 1.96 * np.sqrt(first.var(ddof=1) / 200 + second.var(ddof=1) / 200)
    assert (found.low, found.high) == pytest.approx(
        (found.mean - half, found.mean + half), abs=0.15 * half
    )
    assert found.p <= 0.001
    assert found.smallest_p == pytest.approx(2e-4), "permutations are drawn, not counted"
    assert paired_difference(first, first + rng.normal(0, 1, 200), 0.95).p > 0.001


def test_what_does_not_vary_has_no_interval_and_one_seed_none() -> None:
    same = paired_difference(np.array([0.5, 0.5]), np.array([0.6, 0.6]), 0.95)
    assert same.low == same.high == pytest.approx(0.1)
    assert np.isnan(mean_interval(np.array([0.5]), 0.95)).all()


def test_holm_is_stricter_than_no_correction_and_than_false_discovery() -> None:
    p = [0.001, 0.012, 0.04, 0.3]
    assert holm(p) == pytest.approx([0.004, 0.036, 0.08, 0.3])  # 4, 3, 2, 1 times
    assert (np.array(holm(p)) >= false_discovery_control(p)).all()
    assert holm([0.2, 0.9]) == pytest.approx([0.4, 0.9])
    assert holm([0.03]) == [0.03]
