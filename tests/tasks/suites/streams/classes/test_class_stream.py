"""Streams of classes: unseen classes, taught once, asked for without teaching."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from evoplastic.checks import UsageError
from tasks.suites.closeness import close_to
from tasks.suites.streams.classes.bounds import nearest_prototype
from tasks.suites.streams.classes.stream import ClassStream
from tasks.suites.streams.classes.task import ClassStreamTask

SMALL = ClassStream(
    classes=6, labels=9, examples=2, probed_after=(2, 4), probes=4, pixels=16, noise=0.1
)


def shown(stream: ClassStream, number: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    pattern_and_label_KI, answer_K = stream.draw(seed, number)
    return pattern_and_label_KI, answer_K


def test_classes_follow_one_another_and_all_so_far_are_asked() -> None:
    course = SMALL.table("x", 3, 0, 20.0).course
    assert course is not None
    assert course.num_trials == SMALL.num_trials == 6 * 2 + 3 * 4
    assert SMALL.class_K[~SMALL.probe_K].tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    for part, end in enumerate((2, 4, 6)):
        probes = SMALL.probe_K & (course.part_K == part)
        assert set(SMALL.class_K[probes]) <= set(range(end))
        assert course.task_K[probes].max() == part  # of the youngest classes too
    assert course.tasks == ("classes 1-2", "classes 3-4", "classes 5-6")


def test_labels_are_shown_while_teaching_and_never_while_asking() -> None:
    shown_KI, answer_K = shown(SMALL, 0)
    labels_KO = shown_KI[:, SMALL.pixels :]
    assert (labels_KO[SMALL.probe_K] == 0).all()
    taught = labels_KO[~SMALL.probe_K]
    assert (taught.sum(1) == 1).all()
    assert (taught.argmax(1) == answer_K[~SMALL.probe_K]).all()
    assert set(np.unique(shown_KI[:, : SMALL.pixels])) == {-1.0, 1.0}


def test_each_stream_has_classes_and_labels_of_its_own() -> None:
    long = ClassStream(classes=20, labels=20, examples=1, probes=20, pixels=64, noise=0.0)
    first, second = shown(long, 0), shown(long, 1)
    patterns = {row[:64].tobytes() for row in first[0]}
    assert len(patterns) == 20  # of 40 trials: examples without noise are their prototypes
    assert not patterns & {row[:64].tobytes() for row in second[0]}
    assert not np.array_equal(first[1], second[1])
    again = long.table("x", 1, 0, 20.0)
    more = long.table("x", 3, 0, 20.0)
    assert np.array_equal(more.observation_VI[: len(again.observation_VI)], again.observation_VI)


def test_in_any_order_the_same_is_taught() -> None:
    mixed = ClassStream(classes=12, labels=12, examples=3, probes=6, shuffled=True)
    plain = ClassStream(classes=12, labels=12, examples=3, probes=6)
    ours, theirs = (each.class_K[~each.probe_K] for each in (mixed, plain))
    assert ours.tolist() != theirs.tolist()
    assert sorted(ours) == sorted(theirs)


def test_the_nearest_prototype_is_right_where_noise_leaves_it() -> None:
    clear = ClassStream(classes=8, labels=8, examples=1, probes=16, pixels=64, noise=0.0)
    assert nearest_prototype(clear, 4, 0).tolist() == [1.0]
    dim = ClassStream(classes=50, labels=50, probed_after=(5,), probes=50, pixels=16, noise=0.25)
    few, many = nearest_prototype(dim, 8, 0)
    assert 1 / 50 < many < few < 1.0


def test_chance_is_one_answer_of_all_labels() -> None:
    levels = ClassStreamTask(name="x", dt_ms=20, settings={"labels": 20}).levels()
    assert levels.chance.accuracy == pytest.approx(1 / 20)
    assert levels.oracle.accuracy == 1.0


def test_tasks_are_compared_by_what_they_ask_not_by_labels() -> None:
    ten, twenty = (
        ClassStreamTask(name=str(number), dt_ms=20, settings={"classes": number, "labels": 20})
        for number in (10, 20)
    )
    sample = ten.sample()
    assert len(sample.first_M) == 50  # the probes of one stream
    assert not sample.observation_VI[sample.first_M][:, 32:].any()
    close = close_to(ten.sample(), twenty.sample())
    assert close is not None
    assert not close.is_high


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"clases": 3}, "did you mean 'classes'?"),
        ({"classes": 12, "labels": 10}, "a stream of 12 classes has 10 labels"),
        ({"classes": 1}, "classes of a stream of classes is 1, expected a whole number from 2"),
        ({"noise": 0.5}, "noise of a stream of classes is 0.5, expected a chance in [0, 0.5)"),
        ({"probed_after": [20]}, "expected rising numbers of classes from 1 to 10"),
        ({"probed_after": [5, 3]}, "expected rising numbers of classes"),
        ({"shuffled": 1}, "shuffled of a stream of classes is 1, expected true or false"),
    ],
)
def test_bad_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        ClassStreamTask(name="x", dt_ms=20, settings=settings)
