"""What a curriculum is, and the two that choose among the tasks of a suite.

The choice is a function of run seed, generation and group alone, so that it depends neither on who
simulates the group nor on what came before. Those of `informed.py` also go by what was measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from evoplastic.checks import SECTION, require
from evoplastic.random.counters import Purpose, bounded, philox, purpose_word, seed_key

Int64Array = NDArray[np.int64]


class TrainingTasks(Protocol):
    """What a curriculum needs to know of a suite."""

    @property
    def train(self) -> Sequence[Any]:
        """The training tasks."""
        ...

    @property
    def half_of_train(self) -> tuple[int, ...]:
        """0 or 1 for each of them."""
        ...


class Curriculum(Protocol):
    """Which training task a group meets."""

    def tasks_of(self, generation: int, group_P: Int64Array) -> Int64Array:
        """Index [P] into the training tasks, for individuals of these groups."""
        ...


@dataclass(frozen=True, kw_only=True)
class UniformConfig:
    """Every training task is as likely as any other, at every generation."""

    __pydantic_config__: ClassVar[dict[str, str | bool]] = SECTION

    name: Literal["uniform"] = "uniform"
    """Which curriculum."""


@dataclass(frozen=True, kw_only=True)
class AlternateHalvesConfig:
    """Only every other task of the training list is eligible, two generations each in turn."""

    __pydantic_config__: ClassVar[dict[str, str | bool]] = SECTION

    name: Literal["alternate_halves"] = "alternate_halves"
    """Which curriculum."""


class Uniform:
    """Uniform over all training tasks."""

    def __init__(self, options: UniformConfig, suite: TrainingTasks, *, seed: int) -> None:
        """Take the suite and the run seed."""
        self._eligible = np.arange(len(suite.train))
        self._seed = seed

    def tasks_of(self, generation: int, group_P: Int64Array) -> Int64Array:
        """Index [P] into the training tasks."""
        return _draw(self._eligible, generation, group_P, self._seed)


class AlternateHalves:
    """Uniform over half (generation // 2) % 2 of the training tasks (Miconi 2023, code).

    Raises:
        UsageError: a half without tasks.
    """

    def __init__(self, options: AlternateHalvesConfig, suite: TrainingTasks, *, seed: int) -> None:
        """Take the suite and the run seed."""
        half_of_train = np.array(suite.half_of_train)
        for half in (0, 1):
            require(
                half in half_of_train,
                "curriculum alternate_halves needs training tasks in both halves, half "
                f"{half} is empty; set curriculum to uniform",
            )
        self._halves = [np.flatnonzero(half_of_train == half) for half in (0, 1)]
        self._seed = seed

    def tasks_of(self, generation: int, group_P: Int64Array) -> Int64Array:
        """Index [P] into the training tasks."""
        return _draw(self._halves[(generation // 2) % 2], generation, group_P, self._seed)


def _draw(eligible: Int64Array, generation: int, group_P: Int64Array, seed: int) -> Int64Array:
    """One of the eligible tasks for each group, uniformly."""
    word_P, *_ = philox((0, 0, group_P, purpose_word(Purpose.TASK, generation)), seed_key(seed))
    chosen_P: Int64Array = eligible[bounded(word_P, len(eligible))]
    return chosen_P
