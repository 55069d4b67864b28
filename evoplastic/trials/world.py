"""Where individuals that run freely act: a world shows, asks, pays and ends trials, step by step.

The reference engine lives any world. `BankWorld` is that of node banks; a task that fits into no
bank brings a world of its own, which steps real environments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from evoplastic.random.counters import Purpose, bounded, philox, purpose_word, seed_key
from evoplastic.trials.table import OVER_RIGHT, StackedNodes
from evoplastic.types import BoolArray, Float32Array, Int64Array, Interface

if TYPE_CHECKING:
    from evoplastic.types import LifetimeBatch


class Seen(NamedTuple):
    """What P individuals meet at their present steps."""

    observation_PI: Float32Array  # in the channels of the task, 0 beyond them
    asked_P: Int64Array  # action asked for, in the task's numbering; NO_GROUND_TRUTH = none
    part_P: NDArray[np.int8]  # UNSCORED, HOLD or ANSWER
    kind_P: Int64Array  # kind of the present trial


class Earned(NamedTuple):
    """What an action brought."""

    reward_P: Float32Array
    over_P: BoolArray  # the trial ended; the individual stands at the first step of its next one
    correct_P: BoolArray  # and it ended well


class World(Protocol):
    """P individuals, each at a step of a trial of its own."""

    num_actions_P: Int64Array
    max_trial_steps: int  # no trial takes more
    failed_P: BoolArray  # the task broke down for this individual: its lifetime counts as worst

    def look(self) -> Seen:
        """What everyone meets now."""
        ...

    def act(self, choice_P: Int64Array, moving_P: BoolArray) -> Earned:
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

    def open(self, batch: LifetimeBatch) -> World:
        """A world for the individuals of a batch, everyone at the first step of the first trial."""
        ...


class BankWorld:
    """Individuals that read their trials from node banks, one entry after the other."""

    def __init__(self, batch: LifetimeBatch) -> None:
        banks = batch.banks
        assert isinstance(banks, StackedNodes)
        self._banks = banks
        self._start_P = banks.start_B[batch.task_P]
        self._size_P = banks.size_B[batch.task_P]
        self._place_P = first_entries(batch, banks) - self._start_P
        self.num_actions_P = banks.num_actions_B[batch.task_P]
        self.max_trial_steps = banks.num_steps
        self.failed_P: BoolArray = np.zeros(len(batch.task_P), dtype=np.bool_)
        self._node_P = banks.first_M[self._entry_P]

    @property
    def _entry_P(self) -> Int64Array:
        return self._start_P + self._place_P

    def look(self) -> Seen:
        """What everyone meets now."""
        banks, node_P = self._banks, self._node_P
        return Seen(
            banks.observation_VI[node_P],
            banks.asked_V[node_P],
            banks.part_V[node_P],
            banks.kind_M[self._entry_P],
        )

    def act(self, choice_P: Int64Array, moving_P: BoolArray) -> Earned:
        """Follow the tables; at a trial's end, on to the next entry."""
        banks = self._banks
        onward_P = banks.next_VO[self._node_P, choice_P].astype(np.int64)
        over_P = onward_P < 0
        reward_P = banks.reward_VO[self._node_P, choice_P]
        self._place_P = np.where(
            moving_P & over_P, (self._place_P + 1) % self._size_P, self._place_P
        )
        onward_P = np.where(over_P, banks.first_M[self._entry_P], onward_P)
        correct_P = banks.next_VO[self._node_P, choice_P] == OVER_RIGHT
        self._node_P = np.where(moving_P, onward_P, self._node_P)
        return Earned(reward_P, over_P, correct_P)


def first_entries(batch: LifetimeBatch, banks: StackedNodes) -> Int64Array:
    """Bank entry [P] of each individual's first trial: a block of its task's bank, at random.

    entry = start + block * floor(u * size / block),     u from word 0 of the order of trials
    """
    purpose = Purpose.EVALUATION_TRIAL if batch.evaluation else Purpose.TRIAL
    word = purpose_word(purpose, batch.epoch)
    drawn_P, *_ = philox((0, 0, batch.trial_stream_P, word), seed_key(batch.seed))
    block_P = banks.block_B[batch.task_P]
    blocks_P = banks.size_B[batch.task_P] // block_P
    first_P: Int64Array = banks.start_B[batch.task_P] + block_P * bounded(drawn_P, blocks_P)
    return first_P
