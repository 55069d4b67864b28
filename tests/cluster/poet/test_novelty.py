"""Novelty by PATA-EC against a plain reading of its definition."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from cluster.poet import novelty as module
from cluster.poet.novelty import (
    Criterion,
    centred_ranks,
    characterised,
    counts_for_annecs,
    novelty,
)
from evoplastic.checks import UsageError

CRITERION = Criterion(0.1, 0.8)


def by_the_book(candidate: list[float], known: list[list[float]], k: int) -> float:
    """One candidate, in loops."""

    def ranks(scores: list[float]) -> list[float]:
        clipped = [min(max(each, CRITERION.low), CRITERION.high) for each in scores]
        order = sorted(clipped)
        mean_place = {
            each: sum(at for at, one in enumerate(order) if one == each) / order.count(each)
            for each in clipped
        }
        return [mean_place[each] / (len(scores) - 1) - 0.5 for each in clipped]

    mine = ranks(candidate)
    distances = sorted(
        sum((a - b) ** 2 for a, b in zip(mine, ranks(other), strict=True)) ** 0.5 for other in known
    )
    nearest = distances[:k]
    return sum(nearest) / len(nearest)


@pytest.mark.parametrize(("agents", "known", "nearest"), [(2, 1, 5), (7, 9, 5), (12, 30, 3)])
def test_novelty_is_that_of_the_definition(agents: int, known: int, nearest: int) -> None:
    rng = np.random.default_rng(agents)
    candidate_CA = rng.normal(0.5, 0.5, (4, agents)).round(1)
    known_EA = rng.normal(0.5, 0.5, (known, agents)).round(1)
    found = novelty(candidate_CA, known_EA, CRITERION, nearest)
    expected = [by_the_book(row, known_EA.tolist(), nearest) for row in candidate_CA.tolist()]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_what_is_beyond_the_criterion_is_alike() -> None:
    """The published code calls its clipping without bounds; here they decide."""
    too_easy = np.array([[0.9, 1.5, 0.85], [1.1, 0.9, 3.0]])
    too_hard = np.array([[-2.0, 0.0, 0.05]])
    np.testing.assert_array_equal(characterised(too_easy, CRITERION), 0.0)
    np.testing.assert_array_equal(characterised(too_hard, CRITERION), 0.0)
    assert novelty(too_easy[:1], too_hard, CRITERION) == 0.0
    wide = Criterion(-5.0, 5.0)
    assert novelty(too_easy[:1], too_easy[1:], wide) > 0.5
    for function in (characterised, novelty):
        given = inspect.signature(function).parameters["criterion"]
        assert given.default is inspect.Parameter.empty, "a forgotten bound must be an error"


def test_a_bound_rules_out_only_what_cannot_meet_the_criterion() -> None:
    for criterion in (CRITERION, Criterion(-1.0, 0.5), Criterion(-1.0, -0.5)):
        for bound in np.linspace(-3, 3, 61).tolist():
            beyond = [bound * factor for factor in (1.0, 1.1, 2.0, 50.0)]
            met = any(criterion.meets(score) for score in beyond)
            assert criterion.may_meet(bound) or not met, (criterion, bound)
    assert not CRITERION.may_meet(0.9)
    assert not CRITERION.may_meet(-0.1)


def test_an_environment_that_orders_agents_anew_is_newer() -> None:
    known_EA = np.array([[0.2, 0.4, 0.6], [0.1, 0.3, 0.7]])
    same, reversed_, single = [0.3, 0.5, 0.79], [0.6, 0.4, 0.2], [0.2, 0.2, 0.6]
    found = novelty(np.array([same, single, reversed_]), known_EA, CRITERION)
    assert found[0] == 0.0
    assert found[0] < found[1] < found[2]


def test_a_single_agent_tells_no_environments_apart() -> None:
    np.testing.assert_array_equal(centred_ranks(np.array([[0.3], [0.9]])), 0.0)


def test_scores_of_other_agents_are_refused() -> None:
    with pytest.raises(UsageError, match="expected the same agents"):
        novelty(np.zeros((2, 3)), np.zeros((2, 4)), CRITERION)
    with pytest.raises(UsageError, match="at least 1 environment"):
        novelty(np.zeros((2, 3)), np.zeros((0, 3)), CRITERION)


def test_annecs_counts_what_is_neither_too_easy_nor_too_hard_for_every_agent_so_far() -> None:
    assert counts_for_annecs(np.array([0.0, 0.5, -1.0]), CRITERION)
    assert not counts_for_annecs(np.array([0.5, 0.9]), CRITERION), "an archived agent solves it"
    assert not counts_for_annecs(np.array([0.05, -0.3]), CRITERION), "nobody gets anywhere"
    assert module.NEAREST == 5
