"""The levels that scores on a suite's tasks are read against, whichever way its trials run."""

from __future__ import annotations

from typing import NamedTuple

from tasks.baselines.levels import TaskLevels
from tasks.neurogym.task import FreeTask
from tasks.suites.free_suite import FreeSuite
from tasks.suites.suite import Suite


class Levels(NamedTuple):
    """Accuracies and rewards per trial; None where there is none.

    The fixed policy is what needs no learning within the lifetime. Paced trials: that of
    `Suite.fixed_policy_level`. Free-running trials: that of `FreeSuite.fixed_policy_level`, and for
    rewards the best policy that ignores what is shown but knows when an answer is due.
    """

    chance: float | None
    fixed_policy: float | None
    reward_chance: float | None = None
    reward_fixed_policy: float | None = None
    reward_oracle: float | None = None


def levels_of(suite: Suite | FreeSuite, task: str) -> Levels:
    """The levels of one task of a suite.

    Raises:
        UsageError: no such task in the suite, or one that no engine can live.
    """
    if isinstance(suite, Suite):
        return Levels(suite.chance(task), suite.fixed_policy_level(task))
    levels = _in_numbers(suite.levels(task))
    return levels._replace(fixed_policy=suite.fixed_policy_level(task))


def levels_of_task(task: FreeTask) -> Levels:
    """The levels of a free-running task outside of any suite.

    Raises:
        UsageError: it cannot be used at all; with the reason.
    """
    return _in_numbers(task.levels())


def _in_numbers(levels: TaskLevels) -> Levels:
    guessing, fixed, best = levels
    # Whoever does what is asked is no oracle where nothing is asked.
    most = None if guessing.accuracy is None else best.reward
    return Levels(guessing.accuracy, fixed.accuracy, guessing.reward, fixed.reward, most)
