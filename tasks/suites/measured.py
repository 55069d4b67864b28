"""Tasks as `evoplastic evaluate` runs them: trials, a role, and levels to read scores against."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from evoplastic.trials.world import Task
from tasks.suites.levels import Levels, levels_of, levels_of_task
from tasks.suites.loading import find_task
from tasks.suites.suite import Suite


class MeasuredTask(NamedTuple):
    """One task to be run; the role is None where it is not of the suite."""

    name: str
    trials: Task
    role: str | None
    levels: Levels
    group: str | None = None  # of a held-out task, see `Suite.groups`


def measured_tasks(
    suite: Suite,
    names: Sequence[str] | None,
    *,
    table: str,
    trial_seed: int,
    num_trials: int,
) -> list[MeasuredTask]:
    """The named tasks, or the held-out tasks of a suite.

    A name that is not of the suite may be any task of the suite's kind: a two-stimulus task, or a
    registered id, `my_task.py:MyTask` or an entry point.

    Args:
        suite: what the network was evolved on.
        names: tasks to run; none means the held-out ones.
        table: truth table of two-stimulus tasks that are not of the suite.
        trial_seed: seed of self-paced trials.
        num_trials: trials of a self-paced task.

    Raises:
        UsageError: no such task, or one that cannot be used.
    """
    measured = []
    for name in names or [task.name for task in suite.held_out]:
        if name in suite.task_names:
            trials = suite.trials_of(name, trial_seed, num_trials)
            levels, group = levels_of(suite, name), suite.groups.get(name)
            found = MeasuredTask(name, trials, suite.role(name), levels, group)
        else:
            task = find_task(name, suite.pacing, table=table, dt_ms=int(suite.dt_ms))
            trials = task.trials(trial_seed, num_trials)
            found = MeasuredTask(name, trials, None, levels_of_task(task))
        measured.append(found)
    return measured
