"""The trials and the course of a stream: parts of several tasks, and probes of all after each.

    probes of all tasks | part 1 | probes of all tasks | part 2 | probes of all tasks | ...

The first row of probes is that of the newborn. Trials of fixed timing are drawn at random from all
of their task, anew in each lifetime. Self-paced ones go on where their task was left: all trials of
a task, probes included, follow one another from the first of one random block, so that what varies
between the instances of a task stays as it was while other tasks were met.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evoplastic.trials.course import Course
from evoplastic.trials.stacked import stack_tables
from evoplastic.trials.table import TrialTable
from evoplastic.types import Int64Array

BIRTH = "birth"  # the part before the first one


def lay_stream(
    name: str,
    tables: Sequence[TrialTable],
    order: Sequence[int],
    trials: Sequence[int],
    probes: int,
) -> TrialTable:
    """One table with the trials of all tasks, and the course through them.

    A channel or action that a task does not have is silent in its trials, or ends them badly; kinds
    of trials keep their numbers, so that nothing tells one task from another.

    Args:
        name: of the stream.
        tables: of each task.
        order: the task of each part.
        trials: how many trials each part has.
        probes: of each task, after each part and before the first.

    Raises:
        UsageError: tables that one population cannot meet.
    """
    stacked = stack_tables(tables)
    part: list[int] = []
    task: list[int] = []
    probe: list[bool] = []
    for row in range(len(order) + 1):
        if row:
            part += [row] * trials[row - 1]
            task += [order[row - 1]] * trials[row - 1]
            probe += [False] * trials[row - 1]
        for each in range(len(tables)):
            part += [row] * probes
            task += [each] * probes
            probe += [True] * probes
    task_K: Int64Array = np.array(task, dtype=np.int64)
    number_K: Int64Array = np.arange(len(task_K), dtype=np.int64)
    if stacked.timing is not None:
        block_K, key_K, offset_K = 0 * task_K + 1, number_K, 0 * task_K
    else:
        block_K, key_K, offset_K = stacked.block_B[task_K], 0 * task_K, 0 * task_K
        for each in range(len(tables)):
            own = task_K == each
            key_K[own] = number_K[own][0]
            offset_K[own] = np.arange(own.sum())
    course = Course(
        parts=(BIRTH, *(tables[each].task for each in order)),
        tasks=tuple(table.task for table in tables),
        part_K=np.array(part, dtype=np.int64),
        task_K=task_K,
        probe_K=np.array(probe),
        start_K=stacked.start_B[task_K],
        size_K=stacked.size_B[task_K],
        block_K=block_K,
        key_K=key_K,
        offset_K=offset_K,
    )
    return TrialTable(
        task=name,
        dt_ms=stacked.dt_ms,
        observation_VI=stacked.observation_VI,
        target_action_V=stacked.target_action_V,
        flags_V=stacked.flags_V,
        reward_VO=stacked.reward_VO,
        next_VO=stacked.next_VO,
        first_M=stacked.first_M,
        kind_M=stacked.kind_M,
        course=course,
    )
