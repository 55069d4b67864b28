"""Scores of streams, from matrices whose scores are known."""

from __future__ import annotations

import numpy as np
import pytest

from evoplastic.lifetime.streams.measures import accuracy_matrix, seen_so_far, stream_scores
from evoplastic.lifetime.streams.record import stream_record
from evoplastic.trials.course import Course
from tasks.suites.streams.laying import lay_stream
from tasks.two_stimulus.task import TwoStimulusTask


def course_of(order: list[int], lengths: list[int], probes: int = 2) -> Course:
    tables = [TwoStimulusTask(name).trials() for name in ("and", "or", "dms")[: max(order) + 1]]
    course = lay_stream("s", tables, order, lengths, probes).course
    assert course is not None
    return course


def answers(course: Course, right: dict[tuple[int, int], int], taught: list[bool]) -> np.ndarray:
    """One lifetime: so many right probes in each cell, and these taught trials."""
    correct_K = np.zeros(course.num_trials, dtype=bool)
    for (part, task), number in right.items():
        cell = (course.part_K == part) & (course.task_K == task) & course.probe_K
        correct_K[np.flatnonzero(cell)[:number]] = True
    correct_K[~course.probe_K] = taught
    return correct_K[None]


ABA = course_of([0, 1, 0], [4, 3, 2])
RIGHT = {(0, 0): 1, (0, 1): 1, (1, 0): 2, (1, 1): 2, (2, 0): 1, (2, 1): 1, (3, 0): 2, (3, 1): 0}
LIVED = answers(ABA, RIGHT, [False, True, True, True, True, True, False, True, True])


def test_the_matrix_is_the_share_of_right_probes() -> None:
    assert accuracy_matrix(ABA, LIVED).tolist() == [[[0.5, 0.5], [1, 1], [0.5, 0.5], [1, 0]]]


def test_scores_of_a_stream_a_b_a() -> None:
    scores = stream_scores(ABA, LIVED)
    assert {name: values.item() for name, values in scores._asdict().items()} == {
        "accuracy": 0.5,  # (1 + 0) / 2
        "acquisition": pytest.approx((1 + 0.5 + 1) / 3),
        "retention": (0.5 + 0) / 2,  # of a after b, of b after a
        "forgetting": (0.5 + 0.5) / 2,  # 1 - 0.5, 0.5 - 0
        "backward_transfer": -0.5,  # b: 0 at the end, 0.5 when taught
        "forward_transfer": 0.5,  # b: 1 before it was taught, 0.5 at birth
        "savings": 0.5,  # both right where 1 of 2 was
    }


def test_scores_of_three_tasks() -> None:
    course = course_of([0, 1, 2], [2, 2, 2], probes=4)
    right = {(1, 0): 4, (2, 0): 2, (2, 1): 3, (3, 0): 3, (3, 1): 1, (3, 2): 2, (1, 1): 1, (2, 2): 2}
    scores = stream_scores(course, answers(course, right, [True] * 6))
    assert scores.acquisition == pytest.approx((1 + 0.75 + 0.5) / 3)
    assert scores.retention == pytest.approx((0.5 + 0.75 + 0.25) / 3)
    assert scores.forgetting == pytest.approx(((1 - 0.5) + (1 - 0.75) + (0.75 - 0.25)) / 3)
    assert scores.backward_transfer == pytest.approx(((0.75 - 1) + (0.25 - 0.75)) / 2)
    assert scores.forward_transfer == pytest.approx((0.25 + 0.5) / 2)
    assert np.isnan(scores.savings).all()
    matrix = accuracy_matrix(course, answers(course, right, [True] * 6))
    np.testing.assert_allclose(seen_so_far(course, matrix), [[np.nan, 1, 0.625, 0.5]])


def test_a_record_leaves_out_what_cannot_be_measured() -> None:
    course = course_of([0, 1], [2, 2])
    record = stream_record(course, np.zeros((3, course.num_trials), dtype=bool))
    assert record is not None
    assert "savings" not in record.scores
    assert len(record.matrices) == len(record.scores["retention"]) == 3
    assert stream_record(course, np.zeros((3, course.num_trials + 1), dtype=bool)) is None
