"""Suites: which tasks evolution may see, and which are held out to measure what it made.

A suite is a YAML file (`tasks.suites.suite_file`). Ours lie in `tasks/suites/`; any other is given
by its path. Naming a suite of self-paced tasks costs nothing: its trials are built when something
of them is asked for, and then first of all the held-out tasks are compared with the training tasks
by their content, so a suite that leaks raises before the first generation. Tasks of fixed timing
are finite, and compared when the suite is made.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from evoplastic.checks import UsageError, require
from evoplastic.trials.stacked import require_alike
from evoplastic.trials.table import TrialTable
from evoplastic.trials.wiring import Permute, WiringConfig
from evoplastic.trials.world import Task, tables_of
from evoplastic.types import Interface
from tasks.neurogym.task import SelfPacedTask
from tasks.suites.leakage import negated, same_question
from tasks.suites.split import Pacing, Split, SuiteTask, require_apart, require_split
from tasks.suites.streams.classes.task import ClassStreamTask
from tasks.suites.streams.task import components
from tasks.two_stimulus.combinations.task import CombinationTask


class _Compared(NamedTuple):
    """A task that is compared with others."""

    words: str  # what it is called
    sample: TrialTable


@dataclass(frozen=True, kw_only=True)
class Suite(Split):
    """Training and held-out tasks that fit one network and do not leak into each other.

    Self-paced tasks may differ in channels and actions: they are wired to the lines of one network.
    Tasks of fixed timing share their timing and their interface.
    """

    name: str
    description: str
    train: tuple[SuiteTask, ...]
    held_out: tuple[SuiteTask, ...]
    pacing: Pacing = "self_paced"
    half_of_train: tuple[int, ...] = ()
    """0 or 1: in which half a training task is; in turn, where it is not said."""
    rule_cue: bool = False
    """Whether a line for each task of the suite says which one it is (self-paced tasks)."""
    permute: Permute = "none"
    families: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    held_out_families: tuple[str, ...] = ()
    groups: Mapping[str, str] = field(default_factory=dict)
    """What scores of held-out tasks are told apart by, where several families are held out or
    combinations withheld: the family, or how many levels are new together."""

    def __post_init__(self) -> None:
        names = [task.name for task in self.train], [task.name for task in self.held_out]
        require_split(self.name, *names)
        if not self.half_of_train:
            halves = tuple(place % 2 for place in range(len(self.train)))
            object.__setattr__(self, "half_of_train", halves)
        require(
            len(self.half_of_train) == len(self.train) and set(self.half_of_train) <= {0, 1},
            f"half_of_train of suite {self.name!r} is {self.half_of_train}, "
            f"expected 0 or 1 for each of {len(self.train)} training tasks",
        )
        for task in self.tasks:
            require(
                task.pacing == self.pacing,
                f"task {task.name!r} is {task.pacing}, suite {self.name!r} is {self.pacing}; tasks "
                "of both kinds cannot be in one suite",
            )
        if self.self_paced:
            self._require_one_time_step()
        else:
            require(
                not self.rule_cue and self.permute == "none",
                f"suite {self.name!r} has fixed timing, whose tasks are not wired anew; leave "
                "rule_cue and permute out",
            )
            _ = self._samples  # refuses what leaks
        require_apart(self.name, *names)

    def __getstate__(self) -> dict[str, Any]:
        """What it was made of; trials are built anew where it arrives."""
        made_of = self.__dataclass_fields__
        return {name: value for name, value in self.__dict__.items() if name in made_of}

    @property
    def self_paced(self) -> bool:
        """Whether networks act at every step; else trials have fixed timing."""
        return self.pacing == "self_paced"

    @property
    def dt_ms(self) -> float:
        """The time step, one for all tasks."""
        return self.train[0].dt_ms

    @property
    def num_cue_lines(self) -> int:
        """Input lines of the rule cue, one for each task; 0 without it."""
        return len(self.tasks) if self.rule_cue else 0

    @property
    def exchanges_actions(self) -> bool:
        """Whether which action stands for what is drawn anew for each lifetime."""
        return self.permute in ("actions", "both")

    @property
    def interface(self) -> Interface:
        """The lines of a network that can run each of the tasks, those of the rule cue included.

        Raises:
            UsageError: a task that cannot be used, or a held-out leak.
        """
        widest = self._widest
        num_inputs = widest.num_inputs + self.num_cue_lines
        return Interface(num_inputs=num_inputs, num_outputs=widest.num_outputs)

    @property
    def wiring(self) -> WiringConfig | None:
        """How self-paced tasks are wired to the lines of `interface`; cues are on the last ones.

        Raises:
            UsageError: as `interface`.
        """
        return self.wiring_to(self.interface) if self.self_paced else None

    def wiring_to(self, interface: Interface) -> WiringConfig | None:
        """How the tasks are wired to the lines of a network; None for fixed timing."""
        if not self.self_paced:
            return None
        return WiringConfig(interface=interface, permute=self.permute, cue_lines=self.num_cue_lines)

    def trials(self, seed: int, num_trials: int, *, train_only: bool = False) -> tuple[Task, ...]:
        """The first trials of each task, training tasks first; a function of seed and number.

        A task that fits into no table comes as an environment to step. Tasks of fixed timing are
        finite, and always the same.

        Raises:
            UsageError: as `interface`.
        """
        tasks = self.train if train_only else self.tasks
        return tuple(self.trials_of(task.name, seed, num_trials) for task in tasks)

    def trials_of(self, name: str, seed: int, num_trials: int) -> Task:
        """The first trials of one task, as `trials` has them.

        Raises:
            UsageError: no such task in this suite, or as `interface`.
        """
        _ = self._samples  # refuses what leaks
        trials = self.task(name).trials(seed, num_trials)
        if not self.rule_cue:
            return trials
        table = tables_of([trials]).get(0)
        if table is None:
            raise UsageError(
                f"suite {self.name!r} shows a rule cue, but task {name!r} is stepped in its own "
                "environment, which has no line for it; set rule_cue to false or leave the task out"
            )
        return self._cued(table, self.task_names.index(name))

    def sample(self, name: str) -> TrialTable:
        """The trials by which a task differs from others, always the same; without rule cue.

        Raises:
            UsageError: no such task in this suite, or as `interface`.
        """
        return self._samples[self.task(name).name]

    def lived(self, name: str) -> TrialTable:
        """`sample` as lifetimes go through it: of a stream, with its course.

        Raises:
            UsageError: as `sample`.
        """
        task = self.task(name)
        return task.one_stream() if isinstance(task, ClassStreamTask) else self.sample(name)

    def uncued_sample(self, name: str) -> TrialTable:
        """`sample` without the lines that tell which combination of levels it is, if it has any.

        Raises:
            UsageError: as `sample`.
        """
        sample, task = self.sample(name), self.task(name)
        if isinstance(task, CombinationTask) and task.cues:
            return task.without_cues().sample()
        return sample

    @property
    def train_aliases(self) -> tuple[tuple[str, str], ...]:
        """Pairs of training tasks that ask the same under two names; allowed, but worth knowing.

        Raises:
            UsageError: as `interface`.
        """
        return tuple(
            (first.task, second.task)
            for first, second in combinations(self.train_samples, 2)
            if same_question(first, second) == "the same"
        )

    @property
    def uncompared(self) -> tuple[str, ...]:
        """Held-out meta-tasks of too many states to be found among training tasks under other names
        (`tasks.machines.generated.canonical`); only copies of them are."""
        return tuple(
            task.name
            for task in self.held_out
            if isinstance(task, SelfPacedTask) and task.is_large_machine
        )

    @property
    def negations(self) -> tuple[tuple[str, str], ...]:
        """Pairs of tasks of one role that show the same and want other answers, by their trials.

        Raises:
            UsageError: as `interface`.
        """
        held_out = [self._samples[task.name] for task in self.held_out]
        return tuple(
            (first.task, second.task)
            for samples in (self.train_samples, held_out)
            for first, second in combinations(samples, 2)
            if negated(first, second)
        )

    @cached_property
    def digest(self) -> str:
        """SHA-256 (16 hexadecimal digits) of trials and split; names do not enter.

        Runs keep it: with fixed timing the halves enter, else how tasks are wired.

        Raises:
            UsageError: as `interface`.
        """
        content: dict[str, Any] = {
            "train": [table.digest for table in self.train_samples],
            "held_out": [self._samples[task.name].digest for task in self.held_out],
        }
        if self.self_paced:
            content |= {"rule_cue": self.rule_cue, "permute": self.permute}
        else:
            content |= {"half_of_train": list(self.half_of_train)}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]

    def _require_one_time_step(self) -> None:
        for task in self.tasks:
            require(
                task.dt_ms == self.dt_ms,
                f"task {task.name!r} has a time step of {task.dt_ms:g} ms, suite {self.name!r} one "
                f"of {self.dt_ms:g} ms; tasks that one population meets need the same",
            )

    @property
    def train_samples(self) -> list[TrialTable]:
        """The samples of the training tasks."""
        return [self._samples[task.name] for task in self.train]

    @cached_property
    def _samples(self) -> dict[str, TrialTable]:
        """Trials of each task, once it is known that no held-out task is a training task."""
        samples: dict[str, TrialTable] = {}
        held_out: list[TrialTable] = []
        train: list[TrialTable] = []
        for task in self.tasks:
            try:
                samples[task.name] = task.sample()
            except UsageError as error:
                raise UsageError(
                    f"suite {self.name!r} lists {task.name!r}, which cannot be used: {error}"
                ) from error
            (train if len(train) < len(self.train) else held_out).append(samples[task.name])
        if not self.self_paced:
            for table in (*train, *held_out):
                require_alike(train[0], table)
        for tested in _apart(self.held_out, held_out):
            for trained in _apart(self.train, train):
                same = same_question(tested.sample, trained.sample)
                require(
                    same is None,
                    f"suite {self.name!r} leaks: held-out task {tested.words} asks {same} as "
                    f"training task {trained.words}; remove one of the two",
                )
        self._refuse_renamed()
        return samples

    def _refuse_renamed(self) -> None:
        """Refuse a held-out meta-task that is a training task under other names."""
        parts = [part for task in self.train for part in components(task)]
        train = [task for task in parts if isinstance(task, SelfPacedTask)]
        trained = {task.canonical_form: task.name for task in train}
        for task in (part for held_out in self.held_out for part in components(held_out)):
            form = task.canonical_form if isinstance(task, SelfPacedTask) else None
            require(
                form is None or form not in trained,
                f"suite {self.name!r} leaks: held-out task {task.name!r} is training task "
                f"{trained.get(form)!r} but for names of states, actions and stimuli; remove one "
                "of the two",
            )

    @property
    def _widest(self) -> Interface:
        interfaces = [table.interface for table in self._samples.values()]
        return Interface(
            num_inputs=max(each.num_inputs for each in interfaces),
            num_outputs=max(each.num_outputs for each in interfaces),
        )

    def _cued(self, table: TrialTable, place: int) -> TrialTable:
        """The table with a line for each task of the suite, 1 throughout on its own."""
        V, own = table.observation_VI.shape
        width = self._widest.num_inputs
        shown_VI = np.zeros((V, width + len(self.tasks)), dtype=np.float32)
        shown_VI[:, :own] = table.observation_VI
        shown_VI[:, width + place] = 1.0
        return replace(table, observation_VI=shown_VI)


def _apart(tasks: tuple[SuiteTask, ...], samples: list[TrialTable]) -> list[_Compared]:
    """What is compared: tasks as they are, those of streams one by one."""
    return [
        _Compared(repr(task.name), sample)
        if part is task
        else _Compared(f"{part.name!r} of stream {task.name!r}", part.sample())
        for task, sample in zip(tasks, samples, strict=True)
        for part in components(task)
    ]
