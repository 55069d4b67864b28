"""A stream of tasks as one task of a suite: A, B, A, without a cue for which one it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evoplastic.checks import UsageError, require
from evoplastic.trials.table import TrialTable
from evoplastic.trials.world import tables_of
from tasks.baselines.levels import TaskLevels, table_levels
from tasks.neurogym.task import TaskPath
from tasks.suites.split import Pacing, SuiteTask
from tasks.suites.streams.laying import lay_stream


@dataclass(frozen=True, kw_only=True)
class StreamTask:
    """Parts of several tasks one after the other in one lifetime, each followed by probes of all.

    Raises:
        UsageError: no two parts, parts of another length or pacing, no trials, no probes.
    """

    name: str
    tasks: tuple[SuiteTask, ...]  # each once, in the order in which they are first met
    order: tuple[int, ...]  # the task of each part
    lengths: tuple[int, ...]  # trials of each part
    probes: int  # of each task, after each part and before the first

    def __post_init__(self) -> None:
        require(
            len(self.order) >= 2,
            f"stream {self.name!r} has {len(self.order)} part(s), expected at least 2",
        )
        require(
            len(self.lengths) == len(self.order),
            f"stream {self.name!r} has {len(self.order)} parts and {len(self.lengths)} numbers of "
            "trials; expected one for each part, or one number for all",
        )
        require(
            min(self.lengths) >= 1,
            f"stream {self.name!r} has a part of {min(self.lengths)} trials, expected at least 1",
        )
        require(
            self.probes >= 1,
            f"stream {self.name!r} has {self.probes} probes, expected at least 1: by them it is "
            "measured what is known of each task after each part",
        )
        first = self.tasks[0]
        for task in self.tasks[1:]:
            for what, ours, theirs in (
                ("pacing", first.pacing, task.pacing),
                ("time step", f"{first.dt_ms:g} ms", f"{task.dt_ms:g} ms"),
            ):
                require(
                    ours == theirs,
                    f"stream {self.name!r} mixes {first.name!r} and {task.name!r}, which differ in "
                    f"{what}: {ours} and {theirs}; the parts of a stream need the same",
                )

    @property
    def num_trials(self) -> int:
        """K, of a lifetime, probes included."""
        return sum(self.lengths) + self.probes * len(self.tasks) * (len(self.order) + 1)

    @property
    def description(self) -> str:
        """Its parts."""
        parts = ", ".join(
            f"{length} trials of {self.tasks[each].name}"
            for each, length in zip(self.order, self.lengths, strict=True)
        )
        return f"{parts}; before, between and after {self.probes} probes of each"

    @property
    def source(self) -> str:
        """Its parts, as a suite file has them."""
        return f"stream of {', '.join(self.tasks[each].source for each in self.order)}"

    @property
    def about(self) -> str:
        """Suite files say nothing about it."""
        return ""

    @property
    def settings(self) -> Mapping[str, Any]:
        """Its lengths."""
        return {"trials": list(self.lengths), "probes": self.probes}

    @property
    def pacing(self) -> Pacing:
        """That of all its tasks."""
        return self.tasks[0].pacing

    @property
    def dt_ms(self) -> float:
        """Time step."""
        return self.tasks[0].dt_ms

    @property
    def path(self) -> TaskPath:
        """The form that all its tasks can take."""
        paths = {task.path for task in self.tasks}
        return "stepping" if "stepping" in paths else "machine" if "machine" in paths else "bank"

    @property
    def stepped(self) -> bool:
        """A task that must be stepped is refused."""
        return False

    def trials(self, seed: int = 0, num_trials: int = 1) -> TrialTable:
        """The first trials of each task, and the course through them.

        Raises:
            UsageError: a task that fits into no table, or tables that differ in timing or lines.
        """
        found = [task.trials(seed, num_trials) for task in self.tasks]
        tables = tables_of(found)
        for place, task in enumerate(self.tasks):
            if place not in tables:
                raise UsageError(
                    f"stream {self.name!r} has a part of {task.name!r}, which fits into no table "
                    "and is stepped in its own environment; leave it out of streams"
                )
        return self._laid(list(tables.values()))

    def sample(self, num_trials: int | None = None) -> TrialTable:
        """The samples of its tasks, and the course through them."""
        asked = () if num_trials is None else (num_trials,)
        return self._laid([task.sample(*asked) for task in self.tasks])

    def levels(self) -> TaskLevels:
        """What simple policies reach, all tasks counted alike."""
        return table_levels(self.sample())

    def _laid(self, tables: list[TrialTable]) -> TrialTable:
        return lay_stream(self.name, tables, self.order, self.lengths, self.probes)


def components(task: SuiteTask) -> tuple[SuiteTask, ...]:
    """The tasks of a stream; any other task is its own."""
    return task.tasks if isinstance(task, StreamTask) else (task,)
