from __future__ import annotations

import json
import math
from typing import Any, get_args

import numpy as np
import pytest

from evoplastic.checks import UsageError
from evoplastic.records.events import (
    EVENTS,
    EndEvent,
    EvaluationEvent,
    Event,
    FaultEvent,
    GenerationEvent,
    ResumeEvent,
    StartEvent,
    TaskEvaluation,
    from_line,
    metric_events,
    to_line,
)
from evoplastic.records.names import task_metric


def evaluation(**changes: Any) -> TaskEvaluation:
    values: dict[str, Any] = {
        "task": "dms",
        "role": "held_out",
        "condition": "plastic",
        "accuracy": (0.5, 0.6, 0.75, 0.9, 1.0),
        "loss_mean": 0.2,
        "chance": 0.5,
        "fixed_policy_level": 0.75,
    }
    return TaskEvaluation(**(values | changes))


ALL_EVENTS: list[Event] = [
    StartEvent(
        time_ms=1,
        run_id="a",
        name="laptop",
        seed=2**63 + 1,
        config_digest="c",
        suite_digest="s",
        git_commit="abc",
        git_dirty=True,
        engine="cpu",
        versions={"torch": "2.13.0"},
        negations=(("dms", "dnms"),),
    ),
    ResumeEvent(time_ms=2, generation=7, engine="reference"),
    GenerationEvent(time_ms=3, generation=7, metrics={"fitness/loss_mean": 0.1 + 0.2}),
    EvaluationEvent(
        time_ms=4,
        generation=8,
        genome_digest="g",
        parent_digest="",
        seconds=1.5,
        entries=(evaluation(curve=(0.25, 0.5)), evaluation(task="dnms", role="train")),
    ),
    FaultEvent(time_ms=5, generation=8, kind="worker", message='died: "line\nbreak" \u2028 é'),
    EndEvent(time_ms=6, generation=8, status="done"),
]


@pytest.mark.parametrize("event", ALL_EVENTS, ids=lambda event: event.event)
def test_an_event_is_one_line_and_reads_back_equal(event: Event) -> None:
    line = to_line(event)
    assert "\n" not in line
    assert line.isascii(), "some readers split lines at more than line feeds"
    assert from_line(line, "here") == event


def test_held_out_tasks_are_told_by_group() -> None:
    entries = (
        evaluation(task="a", accuracy=(0.5, 0.7), group="3 new together"),
        evaluation(task="b", accuracy=(0.9, 0.9), group="3 new together", reward=(1.0, 2.0)),
        evaluation(task="c", accuracy=(0.1,), group="4 new together"),
        evaluation(task="c", accuracy=(0.9,), group="4 new together", condition="plasticity_off"),
        evaluation(task="d", role="train"),
    )
    event = EvaluationEvent(
        time_ms=1, generation=2, genome_digest="g", parent_digest="", seconds=1.0, entries=entries
    )
    assert from_line(to_line(event), "here") == event
    assert event.group_metrics() == pytest.approx(
        {
            "held_out_group/3 new together/accuracy_mean": 0.75,
            "held_out_group/3 new together/reward_mean": 1.5,
            "held_out_group/4 new together/accuracy_mean": 0.1,
        }
    )
    assert event.metrics().items() >= event.group_metrics().items()


def test_every_kind_of_event_is_tested() -> None:
    assert {type(event) for event in ALL_EVENTS} == set(get_args(Event)) == set(EVENTS.values())


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{",
        "[]",
        "3",
        "null",
        "{}",
        '{"event":"party","time_ms":1}',
        '{"event":"resume","time_ms":1}',
        '{"event":"resume","time_ms":1,"generation":2,"extra":3}',
        '{"event":"resume","time_ms":"1","generation":2}',
        '{"event":"resume","time_ms":1,"generation":2.5}',
        '{"event":"generation","time_ms":1,"generation":2,"metrics":{"x":"y"}}',
        '{"event":"generation","time_ms":1,"generation":2,"metrics":[]}',
        '{"event":"start","time_ms":1,"run_id":"a","name":"b","seed":1,"config_digest":"",'
        '"suite_digest":"","negations":["dms"]}',
        '{"event":"evaluation","time_ms":1,"generation":2,"genome_digest":"","parent_digest":"",'
        '"seconds":1,"entries":3}',
        "\0" * 30,
    ],
)
def test_what_is_no_event_is_refused_by_place(line: str) -> None:
    with pytest.raises(UsageError, match=r"^journal\.ndjson, line 3 holds no event"):
        from_line(line, "journal.ndjson, line 3")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"role": "test"}, "role is 'test'"),
        ({"condition": "asleep"}, "condition is 'asleep'"),
        ({"accuracy": ()}, "'dms' holds no lifetime"),
    ],
)
def test_impossible_evaluations_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        evaluation(**changes)


def test_statistics_by_hand() -> None:
    statistics = evaluation().statistics()
    assert statistics == pytest.approx(
        {
            "accuracy_mean": 0.75,
            "accuracy_median": 0.75,
            "accuracy_q25": 0.6,
            "accuracy_q75": 0.9,
            "above_fixed_policy": 0.4,  # 0.75 itself is not above 0.75
        }
    )


def test_quartiles_are_those_of_numpy() -> None:
    accuracy = tuple(np.random.default_rng(0).uniform(size=64).round(4))
    statistics = evaluation(accuracy=accuracy).statistics()
    assert statistics["accuracy_q25"] == pytest.approx(np.percentile(accuracy, 25))
    assert statistics["accuracy_q75"] == pytest.approx(np.percentile(accuracy, 75))


def test_metric_names_tell_group_condition_and_task() -> None:
    assert task_metric("train", "plastic", "and", "accuracy_mean") == "train/and/accuracy_mean"
    off = evaluation(condition="plasticity_off")
    assert set(off.metrics()) == {
        f"control/plasticity_off/dms/{name}" for name in evaluation().statistics()
    }


def test_metrics_of_a_session_do_not_overwrite_each_other() -> None:
    entries = tuple(
        evaluation(task=task, condition=condition)
        for task in ("dms", "dnms")
        for condition in ("plastic", "plasticity_off", "random_genome")
    )
    event = EvaluationEvent(
        time_ms=1, generation=0, genome_digest="", parent_digest="", seconds=0, entries=entries
    )
    assert len(event.metrics()) == 2 * 3 * 5


def test_only_events_with_metrics_become_points() -> None:
    points = metric_events(ALL_EVENTS)
    assert [(time_ms, generation) for time_ms, generation, _ in points] == [(3, 7), (4, 8)]
    assert points[0][2] == {"fitness/loss_mean": 0.1 + 0.2}


def test_a_metric_that_is_not_finite_survives_the_journal() -> None:
    event = GenerationEvent(time_ms=1, generation=0, metrics={"x": math.nan, "y": math.inf})
    read = from_line(to_line(event), "here")
    assert isinstance(read, GenerationEvent)
    assert math.isnan(read.metrics["x"])
    assert read.metrics["y"] == math.inf
    assert json.loads(to_line(ALL_EVENTS[2]))["metrics"] == {"fitness/loss_mean": 0.1 + 0.2}
