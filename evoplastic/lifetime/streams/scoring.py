"""Which trials of a lifetime count: the last ones, or the probes of a stream.

    loss of a stream  =  (1 - retention_weight) * mean loss of the probes of the task just taught
                         + retention_weight * mean loss of the probes of tasks taught before

every cell of part and task counted alike; `evoplastic.lifetime.streams.measures` has which those
are. Its accuracy and reward are those of the last probes of all tasks taught. A stream without
probes is scored by its last trials, as any lifetime is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evoplastic.checks import require
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.lifetime.streams.measures import cells_of
from evoplastic.trials.course import Course
from evoplastic.trials.world import Task, tables_of
from evoplastic.types import BoolArray, Int64Array

Float64Array = NDArray[np.float64]


class Weights(NamedTuple):
    """Of P individuals, how much each trial counts; rows add up to 1."""

    loss_PK: Float64Array
    score_PK: Float64Array  # of accuracy and reward


def courses_of(tasks: Sequence[Task]) -> list[Course | None]:
    """The course of each task, if it is a stream."""
    tables = tables_of(tasks)
    return [tables[at].course if at in tables else None for at in range(len(tasks))]


def has_streams(tasks: Sequence[Task]) -> bool:
    """Whether some task is a stream."""
    return any(course is not None for course in courses_of(tasks))


def weights_of(
    course_B: Sequence[Course | None], task_P: Int64Array, config: LifetimeConfig
) -> Weights | None:
    """How much trials count, by the task that each individual meets; None where no task is a
    stream and the last trials count."""
    if not any(course_B):
        return None
    rows = [_row(course, config) for course in course_B]
    loss_BK, score_BK = (np.stack(each) for each in zip(*rows, strict=True))
    return Weights(loss_BK[task_P], score_BK[task_P])


def require_streams(tasks: Sequence[Task], config: LifetimeConfig) -> None:
    """Refuse lifetimes that do not fit the streams among their tasks.

    Raises:
        UsageError: lifetimes of another number of trials, parts that are over before anything is
            plastic, or a weight of retention without a stream.
    """
    courses = {at: course for at, course in enumerate(courses_of(tasks)) if course is not None}
    require(
        config.retention_weight == 0 or bool(courses),
        f"lifetime.retention_weight is {config.retention_weight}, but no task is a stream, in "
        "which something could be retained; set it to 0",
    )
    for place, course in courses.items():
        name = tasks[place].task
        require(
            course.num_trials == config.num_trials,
            f"stream {name!r} has {course.num_trials} trials, lifetimes have {config.num_trials}; "
            f"set lifetime.num_trials={course.num_trials}",
        )
        first, taught = config.rule.constants.first_trial, ~course.probe_K
        of_first_part = np.flatnonzero(taught & (course.part_K == course.part_K[taught].min()))
        require(
            first <= int(of_first_part[-1]),
            f"stream {name!r} is shorter than its burn-in: plasticity starts at trial {first}, "
            f"when the first part is over (trials {of_first_part[0]} to {of_first_part[-1]}); set "
            "rule.first_trial to less, or give the parts more trials",
        )


def _row(course: Course | None, config: LifetimeConfig) -> tuple[Float64Array, Float64Array]:
    """The weights [K] of one task."""
    K = config.num_trials
    last_K = np.zeros(K)
    last_K[-config.scored_trials :] = 1.0 / config.scored_trials
    if course is None or not course.probe_K.any() or course.num_trials > K:  # a trial run is short
        return last_K, last_K
    cells = cells_of(course)
    there = cells.probes > 0
    acquired_K = _spread(course, cells.just_taught & there)
    retained_K = _spread(course, cells.taught_before & there)
    w = config.retention_weight if retained_K.any() else 0.0
    final = np.zeros_like(there)
    final[-1] = cells.seen[-1] & there[-1]
    loss_K = (1.0 - w) * acquired_K + w * retained_K
    return (loss_K if loss_K.any() else last_K), (_spread(course, final) if final.any() else last_K)


def _spread(course: Course, cells: BoolArray) -> Float64Array:
    """Weights [K] that count some cells alike, and the probes within each."""
    if not cells.any():
        return np.zeros(course.num_trials)
    counted = course.probe_K & cells[course.part_K, course.task_K]
    probes_K = cells_of(course).probes[course.part_K, course.task_K]
    return np.where(counted, 1.0 / np.maximum(probes_K, 1), 0.0) / cells.sum()
