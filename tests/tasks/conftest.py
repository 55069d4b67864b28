"""Small tasks and suites that tests put together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from evoplastic.trials.table import TrialTable
from evoplastic.types import Int64Array
from tasks.suites.split import SuiteTask
from tasks.suites.suite import Suite
from tasks.two_stimulus.task import TwoStimulusTask
from tests.evoplastic.engines.cases import changed


class NamedTask(TwoStimulusTask):
    """A task made of a table; what a user's own task boils down to."""

    def __init__(self, table: TrialTable) -> None:
        object.__setattr__(self, "name", table.task)
        object.__setattr__(self, "own", table)

    @property
    def description(self) -> str:
        return "A task of a test."

    def trials(self, seed: int = 0, num_trials: int = 0) -> TrialTable:
        return self.own  # type: ignore[attr-defined]


BankMaker = Callable[..., NamedTask]
SuiteMaker = Callable[[Sequence[SuiteTask], Sequence[SuiteTask]], Suite]


@pytest.fixture
def named_bank() -> BankMaker:
    """Rename a two-stimulus task and change fields of its bank."""

    def make(name: str, like: str, **changes: Any) -> NamedTask:
        return NamedTask(changed(TwoStimulusTask(like).trials(), task=name, **changes))

    return make


@pytest.fixture
def make_suite() -> SuiteMaker:
    """A suite of given tasks, all in half 0."""

    def make(train: Sequence[SuiteTask], held_out: Sequence[SuiteTask]) -> Suite:
        return Suite(
            name="trial suite",
            description="",
            train=tuple(train),
            held_out=tuple(held_out),
            pacing="fixed_timing",
            half_of_train=(0,) * len(train),
        )

    return make


@pytest.fixture
def shuffled_entries() -> Int64Array:
    """Entries of a bank repeated and shuffled."""
    return np.array([3, 0, 2, 1, 1, 3, 0, 2])
