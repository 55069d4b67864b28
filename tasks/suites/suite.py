"""Suites: which tasks evolution may see, and which are held out to measure what it made.

A suite is a YAML file. One of two-stimulus tasks, whose trials are paced, has `name`,
`description`, `table`, `train` and `held_out`; for those that run freely see
`tasks.suites.free_suite_file`. Ours lie in `tasks/suites/`; any other is given by its path.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path

from evoplastic.checks import UsageError, require
from evoplastic.trials.stacked import stack_tables
from evoplastic.trials.table import TrialTable
from evoplastic.trials.timing import TrialTiming
from evoplastic.types import Interface
from tasks.suites.asking import agreement, best_single_mapping, same_question
from tasks.suites.free_suite import FreeSuite
from tasks.suites.free_suite_file import FreeSuiteFile
from tasks.suites.split import Split, Task, require_apart, require_split
from tasks.suites.suite_file import SuiteFile, known_suite_files, read_suite_file
from tasks.two_stimulus.task import TABLES, TwoStimulusTask, parity_half

BANK_SEED = 0  # the trials by which tasks are compared and digests taken


@dataclass(frozen=True, kw_only=True)
class Suite(Split[Task]):
    """Training and held-out tasks that fit one network and do not leak into each other."""

    name: str
    description: str
    train: tuple[Task, ...]
    held_out: tuple[Task, ...]
    half_of_train: tuple[int, ...]  # 0 or 1: when the published alternation asks a training task

    def __post_init__(self) -> None:
        names = [task.name for task in self.train], [task.name for task in self.held_out]
        require_split(self.name, *names)
        require(
            len(self.half_of_train) == len(self.train) and set(self.half_of_train) <= {0, 1},
            f"half_of_train of suite {self.name!r} is {self.half_of_train}, "
            f"expected 0 or 1 for each of {len(self.train)} training tasks",
        )
        stack_tables([*self._train_banks, *self._held_out_banks])
        self._refuse_leaks()
        require_apart(self.name, *names)

    def _refuse_leaks(self) -> None:
        for held_out in self._held_out_banks:
            for train in self._train_banks:
                same = same_question(held_out, train)
                require(
                    same is None,
                    f"suite {self.name!r} leaks: held-out task {held_out.task!r} asks {same} as "
                    f"training task {train.task!r}; remove one of the two",
                )

    @property
    def interface(self) -> Interface:
        """The lines that all tasks of the suite need."""
        return self._train_banks[0].interface

    @property
    def timing(self) -> TrialTiming:
        """The trial that all tasks of the suite share."""
        return self._train_banks[0].fixed.timing

    @property
    def train_aliases(self) -> tuple[tuple[str, str], ...]:
        """Pairs of training tasks that ask the same under two names; allowed, but worth knowing."""
        return tuple(
            (first.task, second.task)
            for first, second in combinations(self._train_banks, 2)
            if same_question(first, second) == "the same"
        )

    @cached_property
    def digest(self) -> str:
        """SHA-256 (16 hexadecimal digits) of all trials, the split and the halves; not of names."""
        content = {
            "train": [bank.digest for bank in self._train_banks],
            "held_out": [bank.digest for bank in self._held_out_banks],
            "half_of_train": list(self.half_of_train),
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]

    def chance(self, name: str) -> float:
        """Accuracy of guessing: one over the number of actions.

        Raises:
            UsageError: no such task in this suite.
        """
        return 1.0 / self.task(name).bank(BANK_SEED).interface.num_outputs

    def fixed_policy_level(self, name: str) -> float:
        """Accuracy that a network reaches without learning the task in its lifetime.

        Held-out task: that of the best training task lived in its place. Training task: the mean
        over the training tasks of the best single way to answer each stimulus.

        Raises:
            UsageError: no such task in this suite.
        """
        if self.role(name) == "train":
            return self.best_single_mapping()
        bank = self.task(name).bank(BANK_SEED)
        return max(agreement(train, bank) for train in self._train_banks)

    def best_single_mapping(self, half: int | None = None) -> float:
        """Mean accuracy over the training tasks, or those of one half, of the best fixed policy.

        Raises:
            UsageError: no training task belongs to the half.
        """
        banks = [
            bank
            for bank, its_half in zip(self._train_banks, self.half_of_train, strict=True)
            if half in (None, its_half)
        ]
        require(len(banks) > 0, f"suite {self.name!r} has no training task in half {half}")
        return best_single_mapping(banks)

    @cached_property
    def _train_banks(self) -> list[TrialTable]:
        return [task.bank(BANK_SEED) for task in self.train]

    @cached_property
    def _held_out_banks(self) -> list[TrialTable]:
        return [task.bank(BANK_SEED) for task in self.held_out]


def load_suite(name_or_path: str | Path, table: str | None = None) -> Suite | FreeSuite:
    """The suite of that name, or of that YAML file; `table` overrides the table of the file.

    Loading a free-running suite builds no trials and needs no NeuroGym.

    Raises:
        UsageError: unknown suite, family, task or table; a file that is no suite; a held-out leak
            (of a free-running suite: when its trials are first needed).
    """
    content = read_suite_file(name_or_path)
    if isinstance(content, FreeSuiteFile):
        require(
            table in (None, TABLES[0]),
            f"suite {content.name!r} runs freely and has no table of its own; give its "
            f"two-stimulus tasks one by set: {{table: {table}}}",
        )
        return FreeSuite.from_file(content)
    table = table or content.table
    train = _tasks(content.train, table)
    return Suite(
        name=content.name,
        description=content.description,
        train=train,
        held_out=_tasks(content.held_out, table),
        half_of_train=tuple(parity_half(task.name) for task in train),
    )


def load_paced_suite(name_or_path: str | Path, table: str | None = None) -> Suite:
    """A suite whose trials are paced.

    Raises:
        UsageError: as `load_suite`, and for a suite whose trials run freely.
    """
    suite = load_suite(name_or_path, table)
    if isinstance(suite, FreeSuite):
        raise UsageError(f"suite {suite.name!r} runs freely, expected one of paced trials")
    return suite


def known_suites() -> list[str]:
    """Names of the suites that come with the package."""
    return sorted(known_suite_files())


def known_paced_suites() -> list[str]:
    """Names of those among them whose trials are paced."""
    return [name for name in known_suites() if isinstance(read_suite_file(name), SuiteFile)]


def find_task(name: str, table: str = "intended") -> Task:
    """The task of that name.

    Raises:
        UsageError: unknown task or table.
    """
    return TwoStimulusTask(name, table)


def _tasks(names: Sequence[str], table: str) -> tuple[Task, ...]:
    return tuple(find_task(name, table) for name in names)
