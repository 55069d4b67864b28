"""What every suite has: training and held-out tasks, each under a name of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar, runtime_checkable

from evoplastic.checks import require, require_known
from evoplastic.records import Role
from evoplastic.trials.table import TrialTable


class Named(Protocol):
    """Anything that a suite lists."""

    @property
    def name(self) -> str:
        """Unique within a suite."""
        ...


@runtime_checkable
class Task(Named, Protocol):
    """What a suite needs of a task: a name, a sentence, and its trials."""

    @property
    def description(self) -> str:
        """One sentence for listings."""
        ...

    def bank(self, seed: int) -> TrialTable:
        """The trials, a function of the seed alone (finite tasks ignore it)."""
        ...


T = TypeVar("T", bound=Named)


class Split(Generic[T]):
    """A base of suites, which have a name and tasks in two roles."""

    name: str
    train: tuple[T, ...]
    held_out: tuple[T, ...]

    @property
    def tasks(self) -> tuple[T, ...]:
        """Training tasks first, then held-out tasks."""
        return (*self.train, *self.held_out)

    @property
    def task_names(self) -> tuple[str, ...]:
        """Training tasks first, then held-out tasks."""
        return tuple(task.name for task in self.tasks)

    def task(self, name: str) -> T:
        """The task of that name.

        Raises:
            UsageError: no such task in this suite.
        """
        require_known(f"task of suite {self.name!r}", name, self.task_names)
        return next(task for task in self.tasks if task.name == name)

    def role(self, name: str) -> Role:
        """ "train" or "held_out".

        Raises:
            UsageError: no such task in this suite.
        """
        train_names = [task.name for task in self.train]
        return "train" if self.task(name).name in train_names else "held_out"


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
