"""Small tasks and suites that tests put together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from evoplastic.trials.table import TrialTable
from evoplastic.types import Int64Array
from tasks.suites.split import Task
from tasks.suites.suite import Suite
from tasks.two_stimulus.task import TwoStimulusTask
from tests.evoplastic.engines.cases import changed


@dataclass(frozen=True)
class NamedBank:
    """A task made of a bank; what a user's own task boils down to."""

    name: str
    trials: TrialTable
    description: str = "A task of a test."

    def bank(self, seed: int) -> TrialTable:
        return self.trials


BankMaker = Callable[..., NamedBank]
SuiteMaker = Callable[[Sequence[Task], Sequence[Task]], Suite]


@pytest.fixture
def named_bank() -> BankMaker:
    """Rename a two-stimulus task and change fields of its bank."""

    def make(name: str, like: str, **changes: Any) -> NamedBank:
        return NamedBank(name, changed(TwoStimulusTask(like).bank(), task=name, **changes))

    return make


@pytest.fixture
def make_suite() -> SuiteMaker:
    """A suite of given tasks, all in half 0."""

    def make(train: Sequence[Task], held_out: Sequence[Task]) -> Suite:
        return Suite(
            name="trial suite",
            description="",
            train=tuple(train),
            held_out=tuple(held_out),
            half_of_train=(0,) * len(train),
        )

    return make


@pytest.fixture
def shuffled_entries() -> Int64Array:
    """Entries of a bank repeated and shuffled."""
    return np.array([3, 0, 2, 1, 1, 3, 0, 2])
