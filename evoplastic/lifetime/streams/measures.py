"""What a lifetime that is a stream shows: acquisition, retention, forgetting, transfer.

All follow from the matrix R[r, c], the share of right answers of the probes of task c after part r:

    accuracy            mean over tasks taught so far of R[last, c]
    acquisition         mean over parts r of R[r, c], c the task just taught
    retention           mean of R[r, c] over tasks c taught before part r, not in it
    forgetting          mean over the same of  max over l < r, from when c was taught, of R[l, c]
                                               - R[r, c]
    backward transfer   mean over tasks c not in the last part of  R[last, c] - R[r(c), c],
                        r(c) the last part that taught c
    forward transfer    mean over tasks c first taught at part r, not the first, of
                        R[r - 1, c] - R[birth, c]
    savings             mean over parts that teach a task again of how many more of their trials are
                        right than of as many of the part that taught it first

Sources: Lopez-Paz & Ranzato 2017 (arXiv 1706.08840), equations 2 to 4, for accuracy, backward and
forward transfer (their random initialisation is the newborn network here); Chaudhry et al. 2018
(arXiv 1801.10112), equation 3, for forgetting, here over all parts, not the last one alone;
Ebbinghaus 1885 for savings.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evoplastic.trials.course import Course
from evoplastic.types import BoolArray

Float64Array = NDArray[np.float64]


class StreamScores(NamedTuple):
    """One number for each of L lifetimes; NaN where a stream has nothing to measure it by."""

    accuracy: Float64Array
    acquisition: Float64Array
    retention: Float64Array
    forgetting: Float64Array
    backward_transfer: Float64Array
    forward_transfer: Float64Array
    savings: Float64Array


class Cells(NamedTuple):
    """Which cells of a matrix [R, C] say what."""

    probes: NDArray[np.int64]  # how many probes there are
    just_taught: BoolArray
    taught_before: BoolArray  # in an earlier part, and not in this one
    seen: BoolArray  # taught by the end of this part


def cells_of(course: Course) -> Cells:
    """Which cells of a course's matrix say what."""
    shape = (len(course.parts), len(course.tasks))
    probes, taught = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.bool_)
    at = course.part_K, course.task_K
    np.add.at(probes, at, course.probe_K)
    np.logical_or.at(taught, at, ~course.probe_K)
    seen = np.logical_or.accumulate(taught, axis=0)
    return Cells(probes, taught, seen & ~taught, seen)


def accuracy_matrix(course: Course, correct_LK: NDArray[np.bool_]) -> Float64Array:
    """R [L, R, C], the share of right answers of the probes of each task after each part; NaN where
    there are none."""
    right_RCL = np.zeros((len(course.parts), len(course.tasks), len(correct_LK)))
    probe_K = course.probe_K
    at = course.part_K[probe_K], course.task_K[probe_K]
    np.add.at(right_RCL, at, correct_LK.T[probe_K].astype(np.float64))
    right_LRC = np.moveaxis(right_RCL, 2, 0)
    probes = cells_of(course).probes
    return np.where(probes > 0, right_LRC / np.maximum(probes, 1), np.nan)


def seen_so_far(course: Course, matrix_LRC: Float64Array) -> Float64Array:
    """Accuracy [L, R] on all tasks taught by the end of each part, every probe counted alike; NaN
    where there are none."""
    cells = cells_of(course)
    weight = np.where(cells.seen, cells.probes, 0)
    total = weight.sum(1)
    right = np.nansum(np.where(weight > 0, matrix_LRC * weight, 0.0), axis=2)
    return np.where(total > 0, right / np.maximum(total, 1), np.nan)


def stream_scores(course: Course, correct_LK: NDArray[np.bool_]) -> StreamScores:
    """The scores of L lifetimes."""
    matrix, cells = accuracy_matrix(course, correct_LK), cells_of(course)
    there, last = cells.probes > 0, len(course.parts) - 1
    first_taught = np.where(cells.seen[-1], cells.seen.argmax(0), -1)
    highest, peak = np.full_like(matrix, np.nan), np.full(matrix[:, 0].shape, np.nan)
    for row in range(len(course.parts)):  # the best so far, before this part, once taught
        highest[:, row] = peak
        peak = np.where(cells.seen[row], np.fmax(peak, matrix[:, row]), np.nan)
    before = cells.taught_before & there & ~np.isnan(highest).any(0)
    ending = [
        matrix[:, last, c] - matrix[:, _last_taught(cells, c), c]
        for c in np.flatnonzero(before[last])
    ]
    born = [row for row in range(len(course.parts)) if not cells.seen[row].any()]
    first_part = first_taught[first_taught >= 0].min(initial=last)
    ahead = [
        matrix[:, first_taught[c] - 1, c] - matrix[:, born[0], c]
        for c in np.flatnonzero(first_taught > first_part)
        if born and there[first_taught[c] - 1, c] and there[born[0], c]
    ]
    return StreamScores(
        accuracy=_mean(matrix[:, last], cells.seen[last] & there[last]),
        acquisition=_mean(matrix, cells.just_taught & there),
        retention=_mean(matrix, cells.taught_before & there),
        forgetting=_mean(highest - matrix, before),
        backward_transfer=_mean_of(ending, len(matrix)),
        forward_transfer=_mean_of(ahead, len(matrix)),
        savings=_savings(course, cells, correct_LK),
    )


def _last_taught(cells: Cells, task: int) -> int:
    return int(np.flatnonzero(cells.just_taught[:, task])[-1])


def _savings(course: Course, cells: Cells, correct_LK: NDArray[np.bool_]) -> Float64Array:
    gained = []
    for task in range(len(course.tasks)):
        trials = [
            np.flatnonzero((course.part_K == part) & (course.task_K == task) & ~course.probe_K)
            for part in np.flatnonzero(cells.just_taught[:, task])
        ]
        for again in trials[1:]:
            compared = min(len(again), len(trials[0]))
            new, old = (correct_LK[:, each[:compared]].mean(1) for each in (again, trials[0]))
            gained.append(new - old)
    return _mean_of(gained, len(correct_LK))


def _mean(values: Float64Array, chosen: BoolArray) -> Float64Array:
    """The mean [L] of chosen cells; NaN without any."""
    if not chosen.any():
        return np.full(len(values), np.nan)
    mean: Float64Array = values[:, chosen].mean(1)
    return mean


def _mean_of(columns: list[Float64Array], lifetimes: int) -> Float64Array:
    if not columns:
        return np.full(lifetimes, np.nan)
    mean: Float64Array = np.stack(columns).mean(0)
    return mean
