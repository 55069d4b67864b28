"""What every suite has: training and held-out tasks, each under a name of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Literal, Protocol, runtime_checkable

from evoplastic.checks import require, require_known
from evoplastic.records.names import Role
from evoplastic.trials.table import TrialTable
from evoplastic.trials.world import Task
from tasks.baselines.levels import TaskLevels
from tasks.neurogym.task import TaskPath

Pacing = Literal["fixed_timing", "self_paced"]


@runtime_checkable
class SuiteTask(Protocol):
    """What a suite needs of a task, whatever it is made of."""

    @property
    def name(self) -> str:
        """Unique within a suite, in the words users type."""
        ...

    @property
    def description(self) -> str:
        """One sentence for listings."""
        ...

    @property
    def source(self) -> str:
        """Where it comes from: what a user would type for it outside of the suite."""
        ...

    @property
    def about(self) -> str:
        """What the suite file says of it; "" if nothing."""
        ...

    @property
    def settings(self) -> Mapping[str, Any]:
        """Constructor settings."""
        ...

    @property
    def pacing(self) -> Pacing:
        """Which kind of trials it has."""
        ...

    @property
    def dt_ms(self) -> float:
        """Time step."""
        ...

    @property
    def path(self) -> TaskPath:
        """The form it takes; "stepping": it fits into no table."""
        ...

    @property
    def stepped(self) -> bool:
        """Whether it fits into no table, so that its own environment must be stepped."""
        ...

    def trials(self, seed: int, num_trials: int) -> Task:
        """The first trials of a fresh instance (finite tasks ignore both), or what to step."""
        ...

    def sample(self, num_trials: int = ...) -> TrialTable:
        """Trials by which it is compared with other tasks, always the same."""
        ...

    def levels(self) -> TaskLevels:
        """What simple policies reach."""
        ...


class Split:
    """A base of suites, which have a name and tasks in two roles."""

    name: str
    train: tuple[SuiteTask, ...]
    held_out: tuple[SuiteTask, ...]

    @property
    def tasks(self) -> tuple[SuiteTask, ...]:
        """Training tasks first, then held-out tasks."""
        return (*self.train, *self.held_out)

    @property
    def task_names(self) -> tuple[str, ...]:
        """Training tasks first, then held-out tasks."""
        return tuple(task.name for task in self.tasks)

    def task(self, name: str) -> SuiteTask:
        """The task of that name.

        Raises:
            UsageError: no such task in this suite.
        """
        require_known(f"task of suite {self.name!r}", name, self._task_of)
        return self._task_of[name]

    @cached_property
    def _task_of(self) -> dict[str, SuiteTask]:
        return {task.name: task for task in reversed(self.tasks)}  # of two of a name the first one

    def role(self, name: str) -> Role:
        """ "train" or "held_out".

        Raises:
            UsageError: no such task in this suite.
        """
        task = self.task(name)
        return "train" if any(task is each for each in self.train) else "held_out"


def require_split(suite: str, train: Sequence[str], held_out: Sequence[str]) -> None:
    """Raise unless both splits list tasks, none of them twice.

    Raises:
        UsageError: an empty split, or a name twice in one.
    """
    for split, names in (("training", train), ("held-out", held_out)):
        require(len(names) > 0, f"suite {suite!r} has no {split} tasks, expected at least 1")
        twice = sorted({name for name in names if names.count(name) > 1})
        require(not twice, f"suite {suite!r} lists the {split} tasks {twice} more than once")


def require_apart(suite: str, train: Sequence[str], held_out: Sequence[str]) -> None:
    """Raise if a name stands for a training task and a held-out task.

    Raises:
        UsageError: such a name.
    """
    both = sorted(set(train) & set(held_out))
    require(not both, f"suite {suite!r} uses the names {both} for two different tasks each")
