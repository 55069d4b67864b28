"""The search's options: published defaults, and refusals by field."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from evoplastic.checks import UsageError
from evoplastic.search.config import ESConfig


def test_defaults_are_the_published_setting() -> None:
    """Miconi 2023, ICML and its code."""
    assert ESConfig() == ESConfig(
        popsize=500,
        sigma=0.03,
        learning_rate=0.01,
        beta1=0.9,
        beta2=0.999,
        epsilon=1e-8,
        weight_decay=3e-4,
        shaping="raw",
        unmutated_pair=True,
    )
    assert ESConfig().num_pairs == 250


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"popsize": 7}, "popsize is 7, expected an even number"),
        ({"popsize": 2}, "popsize is 2, expected at least 4"),
        ({"popsize": 0, "unmutated_pair": False}, "popsize is 0, expected at least 2"),
        ({"sigma": 0.0}, "sigma is 0.0"),
        ({"sigma": float("nan")}, "sigma is nan"),
        ({"learning_rate": -0.01}, "learning_rate is -0.01"),
        ({"epsilon": 0.0}, "epsilon is 0.0"),
        ({"beta1": 1.0}, "beta1 is 1.0"),
        ({"beta2": -0.1}, "beta2 is -0.1"),
        ({"weight_decay": -1.0}, "weight_decay is -1.0"),
        ({"annealing_generations": -1}, "annealing_generations is -1"),
        ({"annealing_generations": 5}, "nothing changes over them"),
        ({"last_sigma": 0.01}, "last_sigma would never be reached"),
        (
            {"last_sigma": 0.01, "last_learning_rate": 0.1},
            "last_sigma and last_learning_rate would never be reached",
        ),
        ({"last_sigma": 0.0, "annealing_generations": 5}, "last_sigma is 0.0"),
        ({"last_learning_rate": -1.0, "annealing_generations": 5}, "last_learning_rate is -1.0"),
    ],
)
def test_impossible_searches_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        replace(ESConfig(), **changes)


def test_annealing_goes_by_equal_factors_and_then_stays() -> None:
    config = ESConfig(learning_rate=0.08, last_learning_rate=0.01, annealing_generations=3)
    rates = [config.learning_rate_at(generation) for generation in range(6)]
    assert rates == pytest.approx([0.08, 0.04, 0.02, 0.01, 0.01, 0.01], rel=1e-12)
    assert (rates[0], rates[3], rates[5]) == (0.08, 0.01, 0.01)
    assert {config.sigma_at(generation) for generation in range(6)} == {0.03}, "left as it is"
    assert {ESConfig().learning_rate_at(generation) for generation in range(6)} == {0.01}


def test_the_smallest_populations_are_accepted() -> None:
    assert ESConfig(popsize=4).num_pairs == 2
    assert ESConfig(popsize=2, unmutated_pair=False).num_pairs == 1
