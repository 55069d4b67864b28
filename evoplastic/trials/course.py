"""The course of a lifetime: from where each of its trials is drawn, and whether it teaches.

Without a course, trials of fixed timing are drawn at random, each from all; self-paced ones follow
one another from the first of a random block. A course says it trial by trial, so that a lifetime
may be a *stream*: one part after the other, without a cue, and between them probes.

Trial k of a lifetime is the trial

    start_k + (block_k * floor(u(key_k) * size_k / block_k) + offset_k) mod size_k

of its table, u(key) the number in [0, 1) that the order of trials has at trial `key`: what shares a
key shares its random block. At a *probe* nothing is learnt: no perturbation, no feedback, no change
of plastic weights, and traces, running means and baselines are afterwards what they were before;
activity alone goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evoplastic.checks import require
from evoplastic.random.counters import Purpose, philox, purpose_word, seed_key
from evoplastic.types import BoolArray, Int64Array, content_digest


class Drawn(NamedTuple):
    """From where trials are drawn, and whether they teach; arrays of one shape."""

    start: Int64Array
    size: Int64Array
    block: Int64Array
    key: Int64Array
    offset: Int64Array
    taught: BoolArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Course:
    """K trials of a lifetime, one after the other, as parts of a stream.

    Raises:
        UsageError: arrays that contradict each other.
    """

    parts: tuple[str, ...]  # what is taught in each part
    tasks: tuple[str, ...]  # of what accuracy is measured
    part_K: Int64Array  # the part that a trial belongs to, or that a probe follows
    task_K: Int64Array  # the task that a trial is of
    probe_K: BoolArray  # trials at which nothing is learnt
    start_K: Int64Array
    size_K: Int64Array
    block_K: Int64Array
    key_K: Int64Array
    offset_K: Int64Array

    def __post_init__(self) -> None:
        K = len(self.part_K)
        require(K > 0, "a course without trials came, expected at least one")
        for each in fields(self)[2:]:
            shape = getattr(self, each.name).shape
            require(shape == (K,), f"{each.name} has shape {shape}, expected ({K},)")
        for name, low, high in (
            ("part_K", 0, len(self.parts) - 1),
            ("task_K", 0, len(self.tasks) - 1),
            ("start_K", 0, None),
            ("block_K", 1, None),
            ("key_K", 0, None),
            ("offset_K", 0, None),
        ):
            values = getattr(self, name)
            require(
                low <= int(values.min()) and (high is None or int(values.max()) <= high),
                f"{name} spans {values.min()} to {values.max()}, expected {low} to "
                f"{'any number' if high is None else high}",
            )
        require(
            bool((np.diff(self.part_K) >= 0).all()),
            "part_K goes back to an earlier part, expected one part after the other",
        )
        require(
            bool((self.size_K >= self.block_K).all() and (self.size_K % self.block_K == 0).all()),
            "a course draws from sizes that are no multiples of their blocks; expected whole "
            "blocks",
        )

    @property
    def num_trials(self) -> int:
        """K."""
        return len(self.part_K)

    @property
    def digest(self) -> str:
        """SHA-256 (16 hexadecimal digits) of the course; names do not enter."""
        return content_digest("course", *(getattr(self, each.name) for each in fields(self)[2:]))

    def require_within(self, num_trials: int, task: str) -> None:
        """Refuse a course that leaves its table.

        Raises:
            UsageError: it draws from trials that the table does not have.
        """
        last = int((self.start_K + self.size_K).max())
        require(
            last <= num_trials,
            f"the course of task {task!r} draws from trial {last - 1}, its table has {num_trials}",
        )

    def shuffled(self, seed: int) -> Course:
        """The same with all taught trials in a random order, a function of the seed; probes stay
        where they are, and parts no longer mean anything to what is taught in them."""
        taught = np.flatnonzero(~self.probe_K)
        position = np.arange(len(taught), dtype=np.int64)
        drawn, *_ = philox((position, 0, 0, purpose_word(Purpose.STREAM, 0)), seed_key(seed))
        moved = taught[np.argsort(np.array(drawn), kind="stable")]
        names = ("task_K", "start_K", "size_K", "block_K", "key_K", "offset_K")
        arrays = {name: getattr(self, name).copy() for name in names}
        for name, array in arrays.items():
            array[taught] = getattr(self, name)[moved]
        return replace(self, **arrays)

    def drawn(self, trial: Int64Array) -> Drawn:
        """From where trials of a lifetime are drawn; behind the last one stays the last one."""
        at = np.minimum(trial, self.num_trials - 1)
        return Drawn(
            start=self.start_K[at],
            size=self.size_K[at],
            block=self.block_K[at],
            key=self.key_K[at],
            offset=self.offset_K[at],
            taught=~self.probe_K[at],
        )


def block_course(
    *,
    num_trials: int,
    parts: Sequence[str],
    tasks: Sequence[str],
    part_K: Int64Array,
    task_K: Int64Array,
    probe_K: BoolArray,
) -> Course:
    """The course of a table each of whose blocks is one whole stream of K trials, lived in order.

    Args:
        num_trials: M of the table, a multiple of K.
        parts: what is taught in each part.
        tasks: of what accuracy is measured.
        part_K: the part that a trial belongs to, or that a probe follows.
        task_K: the task that a trial is of.
        probe_K: trials at which nothing is learnt.
    """
    K = len(part_K)
    whole = np.ones(K, dtype=np.int64)
    return Course(
        parts=tuple(parts),
        tasks=tuple(tasks),
        part_K=part_K,
        task_K=task_K,
        probe_K=probe_K,
        start_K=0 * whole,
        size_K=num_trials * whole,
        block_K=K * whole,
        key_K=0 * whole,
        offset_K=np.arange(K, dtype=np.int64),
    )


def draws_of(
    course_B: Sequence[Course | None],
    start_B: Int64Array,
    size_B: Int64Array,
    block_B: Int64Array,
    in_order_B: BoolArray,
    task: Int64Array,
    trial: Int64Array,
) -> Drawn:
    """From where trials of some tasks are drawn, of one shape that both are broadcast to.

    Args:
        course_B: of tasks that have one.
        start_B: first trial of each task in the tables.
        size_B: its trials.
        block_B: of how many a block consists.
        in_order_B: without a course, whether its trials follow one another.
        task: numbers of tasks.
        trial: numbers of trials of a lifetime.
    """
    task, trial = (np.array(each) for each in np.broadcast_arrays(task, trial))
    in_order = in_order_B[task]
    nothing = np.zeros_like(trial)
    drawn = Drawn(
        start_B[task],
        size_B[task],
        np.where(in_order, block_B[task], 1),
        np.where(in_order, nothing, trial),
        np.where(in_order, trial, nothing),
        np.ones(trial.shape, dtype=np.bool_),
    )
    for number, course in enumerate(course_B):
        here: NDArray[np.bool_] = task == number
        if course is None or not here.any():
            continue
        of_course = course.drawn(trial[here])
        of_course = of_course._replace(start=of_course.start + start_B[number])
        for array, values in zip(drawn, of_course, strict=True):
            array[here] = values
    return drawn
