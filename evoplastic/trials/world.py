"""Where individuals act in self-paced trials: a world shows, asks, pays and ends, step by step.

The reference engine runs lifetimes in any world. `TableWorld` is that of trial tables; a task that
fits into no table has a world of its own, which steps real environments.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from evoplastic.trials.order import TrialStreams, trial_numbers
from evoplastic.trials.stacked import StackedTables
from evoplastic.trials.table import TrialTable
from evoplastic.trials.timing import OVER_RIGHT, TrialTiming
from evoplastic.types import BoolArray, Float32Array, Int64Array, Interface


class Observed(NamedTuple):
    """What P individuals meet at their present steps."""

    observation_PI: Float32Array  # in the channels of the task, 0 beyond them
    target_action_P: Int64Array  # in the task's numbering; NO_TARGET = none
    flags_P: NDArray[np.int8]  # HOLD or ANSWER, or neither
    kind_P: Int64Array  # kind of the present trial


class Stepped(NamedTuple):
    """What followed from an action."""

    reward_P: Float32Array
    over_P: BoolArray  # the trial ended; the individual stands at the first step of its next one
    correct_P: BoolArray  # and it ended well


class World(Protocol):
    """P individuals, each at a step of a trial of its own."""

    num_actions_P: Int64Array
    max_trial_steps: int  # no trial takes more
    failed_P: BoolArray  # the task broke down for this individual: its lifetime counts as worst

    def observe(self) -> Observed:
        """What everyone meets now."""
        ...

    def step(self, choice_P: Int64Array, moving_P: BoolArray) -> Stepped:
        """Take one action for each individual that moves; the others stay where they are.

        Whatever is returned for those that do not move is ignored.
        """
        ...


@runtime_checkable
class SteppedTask(Protocol):
    """A task that is stepped for real (B = 1); it can be pickled, and opens worlds anywhere."""

    @property
    def task(self) -> str:
        """Its name."""
        ...

    @property
    def dt_ms(self) -> float:
        """Time step."""
        ...

    @property
    def num_kinds(self) -> int:
        """Trial kinds that a baseline tells apart."""
        ...

    @property
    def max_trial_steps(self) -> int:
        """No trial takes more."""
        ...

    @property
    def num_inputs_B(self) -> Int64Array:
        """Channels of the only task."""
        ...

    @property
    def num_actions_B(self) -> Int64Array:
        """Actions of the only task."""
        ...

    @property
    def has_answers(self) -> bool:
        """Whether trials can be right or wrong; else reward is the only measure."""
        ...

    @property
    def interface(self) -> Interface:
        """The lines that a network must have at least."""
        ...

    @property
    def timing(self) -> TrialTiming | None:
        """None: whoever must be stepped is self-paced."""
        ...

    def open(self, streams: TrialStreams) -> World:
        """A world for some individuals, everyone at the first step of the first trial."""
        ...


Task = TrialTable | SteppedTask
Tasks = StackedTables | SteppedTask


class TableWorld:
    """Individuals that read their trials from tables, one after the other."""

    def __init__(self, tables: StackedTables, streams: TrialStreams) -> None:
        self._tables, self._streams = tables, streams
        self._lived_P = np.zeros_like(streams.task_P)  # trials that are over
        self._trial_P = trial_numbers(streams, tables, self._lived_P)
        self.num_actions_P = tables.num_actions_B[streams.task_P]
        self.max_trial_steps = tables.num_steps
        self.failed_P: BoolArray = np.zeros(len(streams.task_P), dtype=np.bool_)
        self._state_P = tables.first_M[self._trial_P]

    def observe(self) -> Observed:
        """What everyone meets now."""
        tables, state_P = self._tables, self._state_P
        return Observed(
            tables.observation_VI[state_P],
            tables.target_action_V[state_P],
            tables.flags_V[state_P],
            tables.kind_M[self._trial_P],
        )

    def step(self, choice_P: Int64Array, moving_P: BoolArray) -> Stepped:
        """Follow the tables; at a trial's end, on to the next one."""
        tables = self._tables
        onward_P = tables.next_VO[self._state_P, choice_P].astype(np.int64)
        over_P = onward_P < 0
        reward_P = tables.reward_VO[self._state_P, choice_P]
        if (moving_P & over_P).any():
            self._lived_P = self._lived_P + (moving_P & over_P)
            self._trial_P = trial_numbers(self._streams, tables, self._lived_P)
        onward_P = np.where(over_P, tables.first_M[self._trial_P], onward_P)
        correct_P = tables.next_VO[self._state_P, choice_P] == OVER_RIGHT
        self._state_P = np.where(moving_P, onward_P, self._state_P)
        return Stepped(reward_P, over_P, correct_P)


def open_world(tasks: Tasks, streams: TrialStreams) -> World:
    """A world for some individuals, everyone at the first step of the first self-paced trial."""
    if isinstance(tasks, StackedTables):
        return TableWorld(tasks, streams)
    return tasks.open(streams)


def in_tables(tasks: Tasks) -> StackedTables | None:
    """The tables of tasks that have some; None where environments are stepped for real."""
    return tasks if isinstance(tasks, StackedTables) else None


def tables_of(tasks: Sequence[Task]) -> dict[int, TrialTable]:
    """Those among the tasks that are tables, by their place."""
    return {place: task for place, task in enumerate(tasks) if isinstance(task, TrialTable)}


def stepped_tasks(tasks: Sequence[Task]) -> dict[int, SteppedTask]:
    """Those among the tasks that are stepped for real, by their place."""
    return {place: task for place, task in enumerate(tasks) if not isinstance(task, TrialTable)}
