"""Tables of several tasks laid end to end, so that each individual may meet another task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evoplastic.checks import require
from evoplastic.trials.course import Course, Drawn, draws_of
from evoplastic.trials.table import TrialTable
from evoplastic.trials.timing import (
    OVER_WRONG,
    FixedTrials,
    Int8Array,
    Int32Array,
    TrialTiming,
    fixed_trials,
)
from evoplastic.types import BoolArray, Float32Array, Int64Array, Interface


class StackedTables(NamedTuple):
    """Trial tables of B tasks; states count from the first task's first."""

    timing: TrialTiming | None  # fixed timing, the same of all; None = self-paced
    dt_ms: float
    num_steps: int  # T, of the longest trial
    observation_VI: Float32Array  # 0 beyond a task's own channels
    target_action_V: Int64Array
    flags_V: Int8Array
    reward_VO: Float32Array  # 0 beyond a task's own actions
    next_VO: Int32Array
    # number of what a state shows, the same as that of the state before it if equal
    observation_id_V: Int64Array
    state_of_observation_S: Int64Array  # first state of each such observation
    first_M: Int64Array
    kind_M: Int64Array
    start_B: Int64Array  # first trial of each task
    size_B: Int64Array  # number of trials of each task
    block_B: Int64Array
    course_B: tuple[Course | None, ...]  # of tasks that are streams
    num_inputs_B: Int64Array  # channels of each task
    num_actions_B: Int64Array
    has_answers_B: BoolArray
    num_kinds: int  # most kinds any task has

    @property
    def interface(self) -> Interface:
        """Channels and actions of the widest task."""
        return Interface(
            num_inputs=self.observation_VI.shape[1], num_outputs=self.reward_VO.shape[1]
        )

    def drawn(self, task: Int64Array, trial: Int64Array | int) -> Drawn:
        """From where trials of some tasks are drawn: numbers of tasks and of trials of a lifetime,
        that are broadcast to one shape."""
        in_order_B = np.full(len(self.start_B), self.timing is None)
        return draws_of(
            self.course_B,
            self.start_B,
            self.size_B,
            self.block_B,
            in_order_B,
            task,
            np.asarray(trial, dtype=np.int64),
        )

    @property
    def has_courses(self) -> bool:
        """Whether any task is a stream."""
        return any(course is not None for course in self.course_B)

    @property
    def has_probes(self) -> bool:
        """Whether any task has trials at which nothing is learnt."""
        return any(course is not None and course.probe_K.any() for course in self.course_B)

    @property
    def fixed(self) -> FixedTrials:
        """Trials of fixed timing, as they can be read beforehand."""
        assert self.timing is not None, "the trials are self-paced"
        return fixed_trials(self.timing, self.observation_VI, self.target_action_V, self.reward_VO)


def stack_tables(tables: Sequence[TrialTable]) -> StackedTables:
    """Lay tables end to end.

    Self-paced tasks may differ in channels and actions, not in the time step; tasks of fixed timing
    share their timing and their interface.

    Raises:
        UsageError: no tables, or tables that cannot be met by one population.
    """
    require(len(tables) > 0, "no trial tables to stack, expected at least one task")
    first = tables[0]
    for table in tables[1:]:
        require_alike(first, table)
    I = max(table.interface.num_inputs for table in tables)
    O = max(table.interface.num_outputs for table in tables)
    starts = _starts([len(table.flags_V) for table in tables])
    sizes = np.array([len(table.first_M) for table in tables], dtype=np.int64)

    def widened(array: NDArray, width: int, fill: float) -> NDArray:
        return np.pad(array, [(0, 0), (0, width - array.shape[1])], constant_values=fill)

    next_VO = [
        widened(np.where(t.next_VO >= 0, t.next_VO + at, t.next_VO), O, OVER_WRONG)
        for t, at in zip(tables, starts, strict=True)
    ]
    observation_VI = np.concatenate([widened(t.observation_VI, I, 0) for t in tables])
    differs_V = np.ones(len(observation_VI), dtype=np.bool_)
    differs_V[1:] = (observation_VI[1:] != observation_VI[:-1]).any(axis=1)
    return StackedTables(
        timing=first.timing,
        dt_ms=first.dt_ms,
        num_steps=max(table.num_steps for table in tables),
        observation_VI=observation_VI,
        target_action_V=np.concatenate([table.target_action_V for table in tables]),
        flags_V=np.concatenate([table.flags_V for table in tables]),
        reward_VO=np.concatenate([widened(t.reward_VO, O, 0) for t in tables]),
        next_VO=np.concatenate(next_VO).astype(np.int32),
        observation_id_V=np.cumsum(differs_V) - 1,
        state_of_observation_S=np.flatnonzero(differs_V),
        first_M=np.concatenate([t.first_M + at for t, at in zip(tables, starts, strict=True)]),
        kind_M=np.concatenate([table.kind_M for table in tables]),
        start_B=_starts(list(sizes)),
        size_B=sizes,
        block_B=np.array([table.block for table in tables], dtype=np.int64),
        course_B=tuple(table.course for table in tables),
        num_inputs_B=np.array([table.interface.num_inputs for table in tables], dtype=np.int64),
        num_actions_B=np.array([table.interface.num_outputs for table in tables], dtype=np.int64),
        has_answers_B=np.array([table.has_answers for table in tables]),
        num_kinds=int(max(table.kind_M.max() for table in tables)) + 1,
    )


def require_alike(first: TrialTable, other: TrialTable) -> None:
    """Refuse two tasks that one population cannot meet.

    Raises:
        UsageError: naming both, and what they differ in.
    """
    same = {"time step": (f"{first.dt_ms:g} ms", f"{other.dt_ms:g} ms")}
    if first.timing is not None or other.timing is not None:
        same = {
            "timing": (str(first.timing or "self-paced"), str(other.timing or "self-paced")),
            "interface": (str(first.interface), str(other.interface)),
        }
    for what, (ours, theirs) in same.items():
        require(
            ours == theirs,
            f"tasks {first.task!r} and {other.task!r} differ in {what}: {ours} and {theirs}; "
            "tasks that one population meets need the same",
        )


def _starts(sizes: Sequence[int]) -> Int64Array:
    return np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
