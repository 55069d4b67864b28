from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from cluster.tracking.page.points import (
    MOST_TASKS,
    Told,
    evaluation_metrics,
    points_of,
    reward_tells,
    summary,
)
from evoplastic.records.events import Event, metric_events
from tests.cluster import written_runs
from tests.cluster.tracking.page import long_runs

RNG = np.random.default_rng(5)


def test_a_page_of_the_published_setting_has_at_most_100_metrics() -> None:
    events: list[Event] = [
        *(long_runs.generation(number, RNG) for number in range(8)),
        long_runs.evaluation(8, 1.0, RNG),
    ]
    before = {name for _, _, metrics in metric_events(events) for name in metrics}
    names = {point.name for point in points_of(events, Told(), halves=True)}
    assert len(before) > 350
    assert len(names) <= 100
    groups = {name.partition("/")[0] for name in names}
    assert groups == {
        "_summary", "held_out", "train", "control", "fitness", "search", "fault", "time"
    }  # fmt: skip


def test_fitness_is_told_by_half() -> None:
    events = [long_runs.generation(number, RNG) for number in range(8)]
    points = points_of(events, Told(), halves=True)
    steps = {
        half: [point.step for point in points if point.name == f"fitness/half{half}/loss_mean"]
        for half in (1, 2)
    }
    assert steps == {1: [0, 1, 4, 5], 2: [2, 3, 6, 7]}
    assert not [point for point in points if point.name == "fitness/loss_mean"]
    whole = points_of(events, Told(), halves=False)
    assert [each.step for each in whole if each.name == "fitness/loss_mean"] == list(range(8))


def test_the_summary_tells_means_and_the_worst_task() -> None:
    one = written_runs.evaluation(0).entries[0]
    other = dataclasses.replace(one, task="dnms", accuracy=(0.25, 0.25), fixed_policy_level=0.5)
    training = dataclasses.replace(one, task="and", role="train", accuracy=(1.0, 0.5))
    event = dataclasses.replace(written_runs.evaluation(0), entries=(one, other, training))
    found = summary(event)
    assert found["_summary/held_out_accuracy"] == pytest.approx((0.75 + 0.25) / 2)
    assert found["_summary/held_out_accuracy_worst_task"] == 0.25
    assert found["_summary/held_out_above_fixed_policy"] == pytest.approx((0.25 + 0.0) / 2)
    assert found["_summary/held_out_fixed_policy"] == pytest.approx((0.75 + 0.5) / 2)
    assert found["_summary/train_accuracy"] == 0.75


def test_a_preference_for_one_of_two_negations_is_told_beside_their_mean() -> None:
    one = dataclasses.replace(written_runs.evaluation(0).entries[0], accuracy=(1.0, 1.0))
    other = dataclasses.replace(one, task="dnms", accuracy=(0.0, 0.0))
    event = dataclasses.replace(written_runs.evaluation(0), entries=(one, other))
    found = summary(event, [("dms", "dnms"), ("and", "nand")])
    assert (found["_summary/held_out_accuracy"], found["_summary/held_out_bias"]) == (0.5, 0.5)
    assert "_summary/held_out_bias" not in summary(event)


def test_the_summary_sorts_before_all_other_groups() -> None:
    events: list[Event] = [long_runs.generation(0, RNG), long_runs.evaluation(1, 1.0, RNG)]
    names = sorted(point.name for point in points_of(events, Told(), halves=True))
    assert names[0].startswith("_summary/held_out")


def test_seconds_to_a_good_network_are_those_of_evolution_alone() -> None:
    """A generation that is simulated again, and the time between, do not count; told once."""
    lived = [long_runs.generation(number, RNG) for number in range(4)]
    good = dataclasses.replace(long_runs.evaluation(4, 1.0, RNG), time_ms=10**13)
    later = dataclasses.replace(good, generation=5)
    events: list[Event] = [*lived[:2], *lived[1:], good, long_runs.generation(4, RNG), later]
    points = points_of(events, Told(), halves=True)
    found = [point for point in points if point.name == "_summary/seconds_to_held_out_0.90"]
    assert [(point.value, point.step) for point in found] == [(4 * long_runs.SECONDS, 4)]
    seconds = [point.value for point in points if point.name == "_summary/seconds_of_evolution"]
    assert seconds == [4 * long_runs.SECONDS, 5 * long_runs.SECONDS]


@pytest.mark.parametrize("cut", [1, 3, 6])
def test_points_do_not_depend_on_how_a_journal_is_cut(cut: int) -> None:
    events: list[Event] = [
        *(long_runs.generation(number, RNG) for number in range(5)),
        long_runs.evaluation(5, 1.0, RNG),
        long_runs.evaluation(6, 1.0, RNG),
    ]
    told = Told()
    parts = points_of(events[:cut], told, True) + points_of(events[cut:], told, True)
    assert parts == points_of(events, Told(), True)


def test_reward_is_told_where_it_differs() -> None:
    entry = long_runs.evaluation(0, 0.0, RNG).entries[0]
    paid = dataclasses.replace(entry, reward_chance=-0.2)
    unanswered = dataclasses.replace(entry, accuracy=(), chance=None, fixed_policy_level=None)
    assert [reward_tells(each) for each in (entry, paid, unanswered)] == [False, True, True]
    event = dataclasses.replace(long_runs.evaluation(0, 0.0, RNG), entries=(paid, unanswered))
    found = evaluation_metrics(event)
    assert f"train/{entry.task}/reward_mean" in found
    assert "_summary/train_reward" in found


def test_many_tasks_are_told_by_their_summary() -> None:
    entry = written_runs.evaluation(0).entries[0]
    many = tuple(
        dataclasses.replace(entry, task=f"task{number}") for number in range(MOST_TASKS + 1)
    )
    found = evaluation_metrics(dataclasses.replace(written_runs.evaluation(0), entries=many))
    assert found
    assert all(name.startswith("_summary/") for name in found)
