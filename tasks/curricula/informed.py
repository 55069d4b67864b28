"""Curricula that go by what the center reached when it was last measured.

Each task has a weight; a group meets task T with probability

    p_T = (1 - explore) weight_T / sum(weight) + explore / number of tasks

The choice is a function of the recorded measurement, run seed, generation and group, so that a
resumed run chooses alike. Before anything was measured, all tasks are alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from evoplastic.checks import SECTION, require
from evoplastic.random.counters import Purpose, philox, purpose_word, seed_key
from tasks.curricula.curriculum import Int64Array, TrainingTasks

Float64Array = NDArray[np.float64]


class Measured(NamedTuple):
    """The center on each of T training tasks: 0 as by guessing, 1 as well as can be.

    Accuracy, or of a task without answers the reward of a trial, over the first and the last
    trials of a lifetime, as many as are scored.
    """

    early_T: Float64Array
    late_T: Float64Array


@runtime_checkable
class Informed(Protocol):
    """A curriculum that goes by what was measured."""

    def tasks_given(
        self, generation: int, group_P: Int64Array, measured: Measured | None
    ) -> Int64Array:
        """Index [P] into the training tasks; None = nothing was measured yet."""
        ...


@dataclass(frozen=True, kw_only=True)
class LearningProgressConfig:
    """Tasks that the center gets better at within a lifetime come more often: a task's weight is
    what its last trials reach above its first ones."""

    __pydantic_config__: ClassVar[dict[str, str | bool]] = SECTION

    name: Literal["learning_progress"] = "learning_progress"
    """Which curriculum."""
    explore: float = 0.2
    """Share of draws in which all training tasks are alike, from 0 to 1."""

    def __post_init__(self) -> None:
        _require_share("explore", self.explore)


@dataclass(frozen=True, kw_only=True)
class HardFirstConfig:
    """Tasks that the center is worst at, at the end of a lifetime, come more often."""

    __pydantic_config__: ClassVar[dict[str, str | bool]] = SECTION

    name: Literal["hard_first"] = "hard_first"
    """Which curriculum."""
    explore: float = 0.2
    """Share of draws in which all training tasks are alike, from 0 to 1."""
    hardest: float = 0.5
    """Share of the training tasks that count as hard, at least one; of equal ones the first."""

    def __post_init__(self) -> None:
        _require_share("explore", self.explore)
        _require_share("hardest", self.hardest)


class LearningProgress:
    """Weight: late minus early, none below 0."""

    def __init__(self, options: LearningProgressConfig, suite: TrainingTasks, *, seed: int) -> None:
        """Take the suite and the run seed."""
        self._tasks, self._seed, self._explore = len(suite.train), seed, options.explore

    def tasks_of(self, generation: int, group_P: Int64Array) -> Int64Array:
        """Index [P] into the training tasks, where nothing was measured."""
        return self.tasks_given(generation, group_P, None)

    def tasks_given(
        self, generation: int, group_P: Int64Array, measured: Measured | None
    ) -> Int64Array:
        """Index [P] into the training tasks."""
        weight_T: Float64Array = np.ones(self._tasks)
        if measured is not None:
            weight_T = np.maximum(measured.late_T - measured.early_T, 0.0)
        return _draw(weight_T, self._explore, generation, group_P, self._seed)


class HardFirst:
    """Weight: 1 for the share of tasks with the lowest late score, 0 for the others."""

    def __init__(self, options: HardFirstConfig, suite: TrainingTasks, *, seed: int) -> None:
        """Take the suite and the run seed."""
        self._tasks, self._seed, self._explore = len(suite.train), seed, options.explore
        self._hard = max(round(options.hardest * self._tasks), 1)

    def tasks_of(self, generation: int, group_P: Int64Array) -> Int64Array:
        """Index [P] into the training tasks, where nothing was measured."""
        return self.tasks_given(generation, group_P, None)

    def tasks_given(
        self, generation: int, group_P: Int64Array, measured: Measured | None
    ) -> Int64Array:
        """Index [P] into the training tasks."""
        weight_T = np.ones(self._tasks)
        if measured is not None:
            weight_T = np.zeros(self._tasks)
            weight_T[np.argsort(measured.late_T, kind="stable")[: self._hard]] = 1.0
        return _draw(weight_T, self._explore, generation, group_P, self._seed)


def _draw(
    weight_T: Float64Array, explore: float, generation: int, group_P: Int64Array, seed: int
) -> Int64Array:
    """A task for each group; all are alike where no weight is above 0."""
    total, T = weight_T.sum(), len(weight_T)
    share_T = weight_T / total if total > 0 else np.full(T, 1 / T)
    passed_T = ((1 - explore) * share_T + explore / T).cumsum()
    word_P, *_ = philox((0, 0, group_P, purpose_word(Purpose.TASK, generation)), seed_key(seed))
    luck_P = np.asarray(word_P, dtype=np.float64) * 2.0**-32 * passed_T[-1]
    task_P: Int64Array = np.searchsorted(passed_T, luck_P, side="right").astype(np.int64)
    return np.minimum(task_P, T - 1)


def _require_share(name: str, value: float) -> None:
    require(0 <= value <= 1, f"{name} of the curriculum is {value}, expected 0 to 1")
