"""Suites whose tasks run freely, of any number of channels and actions, in one network.

Naming a suite costs nothing. Its trials are built when something of them is asked for, and then
first of all the held-out tasks are compared with the training tasks by their content, so a suite
that leaks raises before the first generation.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from evoplastic.checks import UsageError, require
from evoplastic.trials.table import TrialTable
from evoplastic.trials.wiring import Permute, WiringConfig
from evoplastic.types import Interface
from tasks.baselines.levels import TaskLevels, best_exchanged
from tasks.neurogym.task import LEVEL_TRIALS, FreeTask
from tasks.suites.closeness import Closeness, closest, transfer
from tasks.suites.free_suite_file import FreeSuiteFile
from tasks.suites.leakage import same_question
from tasks.suites.split import Split, require_apart, require_split

if TYPE_CHECKING:
    from tasks.neurogym.stepped_world import SteppedEnv


@dataclass(frozen=True, kw_only=True)
class FreeSuite(Split[FreeTask]):
    """Free-running training and held-out tasks that do not leak into each other."""

    name: str
    description: str
    train: tuple[FreeTask, ...]
    held_out: tuple[FreeTask, ...]
    dt_ms: int
    rule_cue: bool = False
    """Whether a line for each task of the suite says which one is lived."""
    permute: Permute = "none"
    families: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    held_out_family: str | None = None

    def __post_init__(self) -> None:
        names = [task.name for task in self.train], [task.name for task in self.held_out]
        require_split(self.name, *names)
        require_apart(self.name, *names)
        for task in self.tasks:
            require(
                task.dt_ms == self.dt_ms,
                f"task {task.name!r} has a time step of {task.dt_ms} ms, suite {self.name!r} one "
                f"of {self.dt_ms} ms; tasks that live in one population need the same",
            )

    def __getstate__(self) -> dict[str, Any]:
        """What it was made of; trials are built anew where it arrives."""
        made_of = self.__dataclass_fields__
        return {name: value for name, value in self.__dict__.items() if name in made_of}

    @classmethod
    def from_file(cls, content: FreeSuiteFile) -> FreeSuite:
        """The suite that a file describes.

        Raises:
            UsageError: a split that makes no sense.
        """
        return cls(**{name: getattr(content, name) for name in content.__dataclass_fields__})

    @property
    def half_of_train(self) -> tuple[int, ...]:
        """Halves that take turns: training tasks in even and in odd places."""
        return tuple(place % 2 for place in range(len(self.train)))

    @property
    def exchanges_actions(self) -> bool:
        """Whether which action stands for what is drawn anew for each lifetime."""
        return self.permute in ("actions", "both")

    @property
    def num_cue_lines(self) -> int:
        """Input lines of the rule cue, one for each task; 0 without it."""
        return len(self.tasks) if self.rule_cue else 0

    @property
    def interface(self) -> Interface:
        """The lines of a network that can live each of the tasks, those of the rule cue included.

        Raises:
            UsageError: a task that engines cannot live, or a held-out leak.
        """
        widest = self._widest
        num_inputs = widest.num_inputs + self.num_cue_lines
        return Interface(num_inputs=num_inputs, num_outputs=widest.num_outputs)

    @property
    def wiring(self) -> WiringConfig:
        """How tasks are wired to the lines of `interface`; cues are on the last ones.

        Raises:
            UsageError: as `interface`.
        """
        return WiringConfig(
            interface=self.interface,
            permute=self.permute,
            cue_lines=self.num_cue_lines,
        )

    def banks(
        self, seed: int, num_trials: int, *, train_only: bool = False
    ) -> tuple[TrialTable | SteppedEnv, ...]:
        """The first trials of each task, training tasks first; a function of seed and number.

        A task that fits into no bank comes as an environment to step.

        Raises:
            UsageError: as `interface`.
        """
        tasks = self.train if train_only else self.tasks
        return tuple(self.bank(task.name, seed, num_trials) for task in tasks)

    def bank(self, name: str, seed: int, num_trials: int) -> TrialTable | SteppedEnv:
        """The first trials of one task, as `banks` has them.

        Raises:
            UsageError: no such task in this suite, or as `interface`.
        """
        _ = self._samples  # refuses what leaks
        lived = self.task(name).lived(seed, num_trials)
        if not self.rule_cue:
            return lived
        require(
            isinstance(lived, TrialTable),
            f"suite {self.name!r} shows a rule cue, but task {name!r} is stepped in its own "
            "environment, which has no line for it; set rule_cue to false or leave the task out",
        )
        assert isinstance(lived, TrialTable)
        return self._cued(lived, self.task_names.index(name))

    def sample(self, name: str) -> TrialTable:
        """The trials by which a task is told from others, always the same; without rule cue.

        Raises:
            UsageError: no such task in this suite, or as `interface`.
        """
        return self._samples[self.task(name).name]

    def chance(self, name: str) -> float | None:
        """Accuracy of any action at each step; None where nothing is right or wrong.

        Raises:
            UsageError: no such task in this suite, or as `interface`.
        """
        return self.levels(name).chance.accuracy

    def fixed_policy_level(self, name: str) -> float | None:
        """Accuracy that a network reaches without learning the task; None where nothing is right.

        That of the one answer that is right most often, given whenever one is due; for a held-out
        task at least that of a simple policy learned on any training task of the same interface.
        Where actions are exchanged in each lifetime no answer can be known by birth, neither a
        fixed one nor that of another task.

        Raises:
            UsageError: no such task in this suite, or as `interface`.
        """
        level = self.levels(name).best_fixed.accuracy
        if level is None or self.role(name) == "train" or self.exchanges_actions:
            return level
        if self.task(name).path == "stepping":
            return level
        bank = self._level_bank(name)
        others = [transfer(bank, self.sample(task.name)) for task in self.train]
        return max([level, *(other for other in others if other is not None)])

    def levels(self, name: str) -> TaskLevels:
        """What simple policies reach on a task, in accuracy and in reward per trial.

        Raises:
            UsageError: no such task in this suite, or as `interface`.
        """
        _ = self._samples  # refuses what leaks
        levels = self.task(name).levels()
        if not self.exchanges_actions or self.task(name).path == "stepping":
            return levels
        return levels._replace(best_fixed=best_exchanged(self._level_bank(name)))

    def closest_train(self, name: str) -> Closeness | None:
        """The training task, of the same interface, whose policy serves a held-out task best.

        Raises:
            UsageError: no such task in this suite, or as `interface`.
        """
        others = [self.sample(task.name) for task in self.train if task.name != name]
        return closest(self.sample(name), others)

    @property
    def close_held_out(self) -> tuple[tuple[str, Closeness], ...]:
        """Held-out tasks that some training task nearly answers; allowed, but worth a warning.

        Raises:
            UsageError: as `interface`.
        """
        found = [(task.name, self.closest_train(task.name)) for task in self.held_out]
        return tuple((name, close) for name, close in found if close is not None and close.is_high)

    @property
    def train_aliases(self) -> tuple[tuple[str, str], ...]:
        """Pairs of training tasks that ask the same under two names; allowed, but worth knowing.

        Raises:
            UsageError: as `interface`.
        """
        banks = [self._samples[task.name] for task in self.train]
        return tuple(
            (first.task, second.task)
            for first, second in combinations(banks, 2)
            if same_question(first, second) == "the same"
        )

    @cached_property
    def digest(self) -> str:
        """SHA-256 (16 hexadecimal digits) of trials, split and wiring; names do not enter.

        Raises:
            UsageError: as `interface`.
        """
        content = {
            "train": [self._samples[task.name].digest for task in self.train],
            "held_out": [self._samples[task.name].digest for task in self.held_out],
            "rule_cue": self.rule_cue,
            "permute": self.permute,
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]

    def _level_bank(self, name: str) -> TrialTable:
        """More trials than tell tasks apart, so that shares of them are known to some percent."""
        _ = self._samples  # refuses what leaks
        return self.task(name).sample(LEVEL_TRIALS)

    @cached_property
    def _samples(self) -> dict[str, TrialTable]:
        """Trials of each task, once it is known that no held-out task is a training task."""
        samples = {}
        for task in self.tasks:
            try:
                samples[task.name] = task.sample()
            except UsageError as error:
                raise UsageError(
                    f"suite {self.name!r} lists {task.name!r}, which cannot be used: {error}"
                ) from error
        for held_out in self.held_out:
            for train in self.train:
                same = same_question(samples[held_out.name], samples[train.name])
                require(
                    same is None,
                    f"suite {self.name!r} leaks: held-out task {held_out.name!r} asks {same} as "
                    f"training task {train.name!r}; remove one of the two",
                )
        return samples

    @property
    def _widest(self) -> Interface:
        interfaces = [bank.interface for bank in self._samples.values()]
        return Interface(
            num_inputs=max(each.num_inputs for each in interfaces),
            num_outputs=max(each.num_outputs for each in interfaces),
        )

    def _cued(self, bank: TrialTable, place: int) -> TrialTable:
        """The bank with a line for each task of the suite, 1 throughout on its own."""
        if not self.rule_cue:
            return bank
        V, own = bank.observation_VI.shape
        width = self._widest.num_inputs
        shown_VI = np.zeros((V, width + len(self.tasks)), dtype=np.float32)
        shown_VI[:, :own] = bank.observation_VI
        shown_VI[:, width + place] = 1.0
        return replace(bank, observation_VI=shown_VI)
