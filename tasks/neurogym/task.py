"""One self-paced task of a suite: where it comes from, and the form in which engines run it.

A task is known by words alone, what a user types and constructor settings, so that it can travel
to workers; environments are made where trials are built. Which form it can take is found by
probing it, never by a list of ids.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from evoplastic.checks import UsageError, require
from evoplastic.reading import read_text
from evoplastic.trials.table import TrialTable
from tasks.machines.metatasks.finding import is_meta_task, meta_task_file

if TYPE_CHECKING:
    from tasks.baselines.levels import TaskLevels
    from tasks.machines.adaptive.level import Adaptive
    from tasks.neurogym.environments import EnvSource
    from tasks.neurogym.refusals import Refusal
    from tasks.neurogym.stepped_world import SteppedEnv

TaskPath = Literal["bank", "machine", "stepping"]

DEFAULT_DT_MS = 20
SAMPLE_SEED = 0  # of the trials by which tasks are examined, compared and distinguished
SAMPLE_TRIALS = 96
STEPPED_SAMPLE_TRIALS = 32  # of a task that must be stepped
LEVEL_TRIALS = 256  # by which levels are known to some percent
EXAMINED_TRIALS = 32


class Form(NamedTuple):
    """The form a task can take, and what kept it from the simpler ones."""

    path: TaskPath
    refusal: Refusal | None  # why it is no bank of trials


@dataclass(frozen=True, kw_only=True)
class SelfPacedTask:
    """A task at each step of which the network acts: an environment, or a state machine."""

    name: str
    source: str  # a registered id with or without -v0, my_task.py:MyTask, or an entry point
    settings: Mapping[str, Any] = field(default_factory=dict, hash=False)  # of the constructor
    dt_ms: int = DEFAULT_DT_MS
    about: str = ""

    def __post_init__(self) -> None:
        require(bool(self.name), f"the task from {self.source!r} has no name")
        require(
            "dt" not in self.settings,
            f"task {self.name!r} sets dt; the time step is dt_ms, one for all tasks of a suite",
        )
        try:
            _words(self.settings)
        except (TypeError, ValueError) as error:
            raise UsageError(
                f"task {self.name!r} has settings {dict(self.settings)!r}, expected numbers, text, "
                "lists and mappings of them"
            ) from error

    @property
    def description(self) -> str:
        """What the suite says of it, else where it comes from."""
        settings = ", ".join(f"{key}={value}" for key, value in self.settings.items())
        return self.about or self.source + (f" with {settings}" if settings else "")

    @property
    def env_source(self) -> EnvSource:
        """Where fresh environments come from; imports NeuroGym.

        Raises:
            UsageError: no such id, file, class or entry point.
        """
        from tasks.neurogym.environments import find_source

        return find_source(self.source, self.settings, self.dt_ms)

    @property
    def pacing(self) -> Literal["self_paced"]:
        """The network acts at every step."""
        return "self_paced"

    @property
    def stepped(self) -> bool:
        """Whether it fits into no table, so that its own environment must be stepped.

        Raises:
            UsageError: it cannot be used at all; with the reason.
        """
        return self.path == "stepping"

    @property
    def form(self) -> Form:
        """The form it can take, from trials that were probed and compared with the environment.

        Raises:
            UsageError: it cannot be used at all; the message has the reason.
        """
        return _form(self.source, _words(self.settings), self.dt_ms)

    @property
    def path(self) -> TaskPath:
        """ "bank", "machine" or "stepping", the last without a table."""
        return self.form.path

    def table(self, seed: int, num_trials: int) -> TrialTable:
        """The first trials of a fresh instance, a function of seed and number.

        A state machine may give more than asked for, so as to end with a whole instance.

        Raises:
            UsageError: it can only be stepped, or cannot be used at all; with the reason.
        """
        from tasks.neurogym.examination import build_table

        self._refuse_stepping()
        return replace(build_table(self.env_source, num_trials, seed), task=self.name)

    def trials(self, seed: int, num_trials: int) -> TrialTable | SteppedEnv:
        """What engines run: `table`, or an environment to step where there is no other way.

        Raises:
            UsageError: it cannot be used at all; with the reason.
        """
        if self.path != "stepping":
            return self.table(seed, num_trials)
        return replace(_stepped(self.source, _words(self.settings), self.dt_ms), task=self.name)

    def levels(self) -> TaskLevels:
        """What simple policies reach: exactly, over its trials, or by playing its environment.

        Raises:
            UsageError: it cannot be used at all; with the reason.
        """
        if self.path == "stepping":
            return _played(self.source, _words(self.settings), self.dt_ms)
        return _levels(self.source, _words(self.settings), self.dt_ms)

    def sample(self, num_trials: int = SAMPLE_TRIALS) -> TrialTable:
        """Trials by which tasks are compared, always the same ones; built once.

        Of a task that must be stepped, the trials of whoever takes the target actions.

        Raises:
            UsageError: it cannot be used at all; with the reason.
        """
        self.form  # noqa: B018  # a task that cannot be used is refused under its own name
        words = _words(self.settings)
        if is_meta_task(self.source):
            num_trials = self._drawn(num_trials)
        return replace(_sample(self.source, words, self.dt_ms, num_trials), task=self.name)

    @property
    def canonical_form(self) -> str | None:
        """Of a meta-task: a word that others share which differ in names alone; None where there
        are too many states, or where it is something else."""
        return _canonical_form(self.source, _words(self.settings), self.dt_ms)

    def _drawn(self, num_trials: int) -> int:
        from tasks.neurogym.examination import drawn_trials

        return drawn_trials(self.env_source, num_trials)

    @property
    def is_meta_task(self) -> bool:
        """Whether it is one of the known meta-tasks, or one of a file."""
        return is_meta_task(self.source)

    @property
    def best_adaptive(self) -> Adaptive | None:
        """Of a state machine: what the best policy reaches that finds its variables out; None where
        there are none, too many, or where it is something else."""
        return _best_adaptive(self.source, _words(self.settings), self.dt_ms)

    @property
    def is_large_machine(self) -> bool:
        """Whether it is a meta-task with more states than a canonical form is found for."""
        return self.canonical_form is None and is_meta_task(self.source)

    def _refuse_stepping(self) -> None:
        path, refusal = self.form
        if path == "stepping":
            assert refusal is not None
            raise UsageError(
                f"task {self.name!r} has no trials that could be drawn beforehand, it can only be "
                f"met by stepping its environment ({refusal.reason}): {refusal.detail}"
            )


def _words(settings: Mapping[str, Any]) -> str:
    return json.dumps(dict(settings), sort_keys=True)


@cache
def _form(source: str, settings: str, dt_ms: int) -> Form:
    """What a task is called does not enter: it is examined once under all its names."""
    from tasks.neurogym.examination import examine
    from tasks.neurogym.refusals import Refusal, Unbankable

    task = SelfPacedTask(name=source, source=source, settings=json.loads(settings), dt_ms=dt_ms)
    env_source = task.env_source
    if env_source.machine is not None:  # it is its own definition: nothing to compare it with
        return Form("machine", None)
    found = examine(env_source, EXAMINED_TRIALS, SAMPLE_SEED)
    if not isinstance(found, Refusal):
        return Form("machine" if isinstance(found.bank, TrialTable) else "bank", None)
    if not found.can_be_stepped:
        raise Unbankable(found)
    return Form("stepping", found)


@cache
def _canonical_form(source: str, settings: str, dt_ms: int) -> str | None:
    from tasks.machines.generated.canonical import canonical_form, is_small

    if not is_meta_task(source):
        return None
    task = SelfPacedTask(name=source, source=source, settings=json.loads(settings), dt_ms=dt_ms)
    machine = task.env_source.machine
    return canonical_form(machine) if machine is not None and is_small(machine) else None


@cache
def _best_adaptive(source: str, settings: str, dt_ms: int) -> Adaptive | None:
    from tasks.machines.adaptive.level import adaptive_level
    from tasks.machines.generated.file import noted_adaptive
    from tasks.machines.metatasks.collection import MOST_BYTES

    task = SelfPacedTask(name=source, source=source, settings=json.loads(settings), dt_ms=dt_ms)
    env_source = task.env_source
    machine, meta = env_source.machine, env_source.meta
    path = meta_task_file(source)
    noted = (
        noted_adaptive(read_text(path, "meta-task file", MOST_BYTES), meta)
        if meta and path
        else None
    )
    if noted is not None:
        return noted
    return None if machine is None else adaptive_level(machine)


@lru_cache(maxsize=1024)
def _sample(source: str, settings: str, dt_ms: int, num_trials: int) -> TrialTable:
    task = SelfPacedTask(name=source, source=source, settings=json.loads(settings), dt_ms=dt_ms)
    if task.path == "stepping":
        from tasks.neurogym.stepped_record import recorded

        return recorded(_stepped(source, settings, dt_ms), SAMPLE_SEED, STEPPED_SAMPLE_TRIALS)
    return task.table(SAMPLE_SEED, num_trials)


@cache
def _levels(source: str, settings: str, dt_ms: int) -> TaskLevels:
    from tasks.baselines.levels import table_levels

    task = SelfPacedTask(name=source, source=source, settings=json.loads(settings), dt_ms=dt_ms)
    return table_levels(task.sample(LEVEL_TRIALS))


@cache
def _stepped(source: str, settings: str, dt_ms: int) -> SteppedEnv:
    from tasks.neurogym.stepped_task import stepped_task

    return stepped_task(source, json.loads(settings), dt_ms)


@cache
def _played(source: str, settings: str, dt_ms: int) -> TaskLevels:
    from tasks.neurogym.stepped_record import played_levels

    return played_levels(_stepped(source, settings, dt_ms))
