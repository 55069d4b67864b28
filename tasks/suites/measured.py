"""Tasks as `evoplastic evaluate` lives them: a bank, a role, and levels to read scores against."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from evoplastic.trials.world import Task
from tasks.neurogym.task import FreeTask
from tasks.suites.free_suite import FreeSuite
from tasks.suites.suite import Suite, find_task
from tasks.suites.suite_levels import Levels, levels_of, levels_of_task


class MeasuredTask(NamedTuple):
    """One task to be lived; the role is None where it is not of the suite."""

    name: str
    bank: Task
    role: str | None
    levels: Levels


def measured_tasks(
    suite: Suite | FreeSuite,
    names: Sequence[str] | None,
    *,
    table: str,
    bank_seed: int,
    num_trials: int,
) -> list[MeasuredTask]:
    """The named tasks, or the held-out tasks of a suite.

    A name that is not of the suite may be any task of the suite's kind: a two-stimulus task, or a
    registered id, `my_task.py:MyTask` or an entry point.

    Args:
        suite: what the network was evolved on.
        names: tasks to live; none means the held-out ones.
        table: truth table of two-stimulus tasks that are not of the suite.
        bank_seed: seed of trials that run freely.
        num_trials: trials in the bank of a task that runs freely.

    Raises:
        UsageError: no such task, or one that cannot be lived.
    """
    chosen = names or [task.name for task in suite.held_out]
    if isinstance(suite, Suite):
        return [_paced(suite, name, table) for name in chosen]
    return [_free(suite, name, bank_seed, num_trials) for name in chosen]


def _paced(suite: Suite, name: str, table: str) -> MeasuredTask:
    if name in suite.task_names:
        bank = suite.task(name).bank(0)
        return MeasuredTask(name, bank, suite.role(name), levels_of(suite, name))
    bank = find_task(name, table).bank(0)
    return MeasuredTask(name, bank, None, Levels(1.0 / bank.interface.num_outputs, None))


def _free(suite: FreeSuite, name: str, bank_seed: int, num_trials: int) -> MeasuredTask:
    if name in suite.task_names:
        bank = suite.bank(name, bank_seed, num_trials)
        return MeasuredTask(name, bank, suite.role(name), levels_of(suite, name))
    task = FreeTask(name=name, source=name, dt_ms=suite.dt_ms)
    return MeasuredTask(name, task.lived(bank_seed, num_trials), None, levels_of_task(task))
