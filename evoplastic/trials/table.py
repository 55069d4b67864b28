"""Trials that run freely, in the form that engines live: nodes with what each action leads to.

At a node the network sees an observation and takes an action; the action pays a reward and leads
to another node, or ends the trial, well or badly. A trial of a NeuroGym task is a chain of nodes,
one a step; a trial of a state machine is a small graph, its random transitions and rewards drawn
beforehand. Whatever depends on trial, state, step and action alone fits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evoplastic.checks import require
from evoplastic.types import (
    NO_GROUND_TRUTH,
    Float32Array,
    Int64Array,
    Interface,
    content_digest,
)

OVER_WRONG, OVER_RIGHT = -1, -2  # in the place of a next node: the trial is over
UNSCORED, HOLD, ANSWER = 0, 1, 2  # part of a node in the loss of its trial
MAX_TRIAL_STEPS = 10_000

Int32Array = NDArray[np.int32]
Int8Array = NDArray[np.int8]


@dataclass(frozen=True, kw_only=True, eq=False)
class NodeBank:
    """Trials of one task as nodes; entries are consecutive trials of one environment.

    Raises:
        UsageError: arrays that contradict each other, values that are not finite, a node that
            leads out of the bank, or a trial without end.
    """

    task: str
    dt_ms: float
    observation_VI: Float32Array
    asked_V: Int64Array  # action asked for, NO_GROUND_TRUTH = none
    part_V: Int8Array  # UNSCORED, HOLD (asked, on the way to the answer) or ANSWER
    reward_VO: Float32Array
    next_VO: Int32Array  # node that an action leads to, OVER_WRONG or OVER_RIGHT
    first_M: Int64Array  # node at which the trial of an entry begins
    kind_M: Int64Array  # trial kind >= 0: what a per-kind baseline tells apart
    block: int = 1  # a lifetime begins at an entry whose number is a multiple of this

    def __post_init__(self) -> None:
        object.__setattr__(self, "dt_ms", float(self.dt_ms))
        require(self.dt_ms > 0, f"dt_ms is {self.dt_ms}, expected a positive duration")
        V, O = len(self.observation_VI), self.reward_VO.shape[-1]
        require(
            self.observation_VI.ndim == 2 and min(self.observation_VI.shape) > 0,
            f"observation_VI of task {self.task!r} has shape {self.observation_VI.shape}, "
            "expected (V, I), both at least 1",
        )
        M = len(self.first_M)
        for name, expected in (
            ("asked_V", (V,)),
            ("part_V", (V,)),
            ("reward_VO", (V, O)),
            ("next_VO", (V, O)),
            ("first_M", (M,)),
            ("kind_M", (M,)),
        ):
            shape = getattr(self, name).shape
            require(
                shape == expected,
                f"{name} of task {self.task!r} has shape {shape}, expected {expected}",
            )
        require(
            self.block >= 1 and M > 0 and M % self.block == 0,
            f"task {self.task!r} has {M} trials in blocks of {self.block}; expected whole blocks",
        )
        for name in ("observation_VI", "reward_VO"):
            require(
                bool(np.isfinite(getattr(self, name)).all()),
                f"{name} of task {self.task!r} holds values that are not finite",
            )
        for name, low, high in (
            ("asked_V", NO_GROUND_TRUTH, O - 1),
            ("part_V", UNSCORED, ANSWER),
            ("next_VO", OVER_RIGHT, V - 1),
            ("first_M", 0, V - 1),
            ("kind_M", 0, max(M, O)),  # at most a kind for each trial or for each answer
        ):
            values = getattr(self, name)
            require(
                low <= int(values.min()) and int(values.max()) <= high,
                f"{name} of task {self.task!r} spans {values.min()} to {values.max()}, expected "
                f"{low} to {high}",
            )
        require(
            bool((self.asked_V[self.part_V != UNSCORED] != NO_GROUND_TRUTH).all()),
            f"task {self.task!r} scores nodes at which it asks for nothing",
        )
        _ = self.num_steps  # refuses endless trials

    @cached_property
    def num_steps(self) -> int:
        """Steps of the longest trial, whatever the actions."""
        reached, steps = np.unique(self.first_M), 0
        while len(reached):
            steps += 1
            require(
                steps <= min(len(self.next_VO), MAX_TRIAL_STEPS),
                f"a trial of task {self.task!r} need not end: after {steps} steps it still runs; "
                f"expected at most {MAX_TRIAL_STEPS} steps and no way back to an earlier node",
            )
            onward = self.next_VO[reached]
            reached = np.unique(onward[onward >= 0])
        return steps

    @property
    def interface(self) -> Interface:
        """The numbers of stimulus and response lines that the task uses."""
        return Interface(
            num_inputs=self.observation_VI.shape[1], num_outputs=self.reward_VO.shape[1]
        )

    @property
    def has_answers(self) -> bool:
        """Whether trials can be right or wrong; else reward is the only measure."""
        return bool((self.next_VO == OVER_RIGHT).any())

    @property
    def digest(self) -> str:
        """SHA-256 (16 hexadecimal digits) of what the task asks; the name does not enter."""
        return content_digest(
            repr((self.dt_ms, self.block)),
            self.observation_VI,
            self.asked_V,
            self.part_V,
            self.reward_VO,
            self.next_VO,
            self.first_M,
            self.kind_M,
        )


class StackedNodes(NamedTuple):
    """Node banks of several tasks laid end to end; nodes count from the first bank's first."""

    dt_ms: float
    num_steps: int  # T, of the longest trial
    observation_VI: Float32Array  # 0 beyond a task's own channels
    asked_V: Int64Array
    part_V: Int8Array
    reward_VO: Float32Array  # 0 beyond a task's own actions
    next_VO: Int32Array
    observation_id_V: (
        Int64Array  # number of what a node shows, the same as the node's before it if equal
    )
    state_of_observation_S: Int64Array  # first node of each such sight
    first_M: Int64Array
    kind_M: Int64Array
    start_B: Int64Array  # first entry of each bank
    size_B: Int64Array  # number of entries of each bank
    block_B: Int64Array
    num_inputs_B: Int64Array  # channels of each task
    num_actions_B: Int64Array
    has_answers_B: NDArray[np.bool_]
    num_kinds: int  # most kinds any bank has


def stack_nodes(banks: Sequence[NodeBank]) -> StackedNodes:
    """Lay banks end to end; tasks may differ in channels and actions, not in the time step.

    Raises:
        UsageError: no banks, or banks of different time steps.
    """
    require(len(banks) > 0, "no trial banks to stack, expected at least one task")
    for bank in banks[1:]:
        require(
            bank.dt_ms == banks[0].dt_ms,
            f"tasks {banks[0].task!r} and {bank.task!r} have time steps of {banks[0].dt_ms:g} and "
            f"{bank.dt_ms:g} ms; tasks that live in one population need the same",
        )
    I = max(bank.interface.num_inputs for bank in banks)
    O = max(bank.interface.num_outputs for bank in banks)
    nodes = _starts([len(bank.asked_V) for bank in banks])
    sizes = np.array([len(bank.first_M) for bank in banks], dtype=np.int64)

    def widened(array: NDArray, width: int, fill: float) -> NDArray:
        return np.pad(array, [(0, 0), (0, width - array.shape[1])], constant_values=fill)

    next_VO = [
        widened(np.where(b.next_VO >= 0, b.next_VO + at, b.next_VO), O, OVER_WRONG)
        for b, at in zip(banks, nodes, strict=True)
    ]
    observation_VI = np.concatenate([widened(b.observation_VI, I, 0) for b in banks])
    differs_V = np.ones(len(observation_VI), dtype=np.bool_)
    differs_V[1:] = (observation_VI[1:] != observation_VI[:-1]).any(axis=1)
    return StackedNodes(
        dt_ms=banks[0].dt_ms,
        num_steps=max(bank.num_steps for bank in banks),
        observation_VI=observation_VI,
        asked_V=np.concatenate([bank.asked_V for bank in banks]),
        part_V=np.concatenate([bank.part_V for bank in banks]),
        reward_VO=np.concatenate([widened(b.reward_VO, O, 0) for b in banks]),
        next_VO=np.concatenate(next_VO).astype(np.int32),
        observation_id_V=np.cumsum(differs_V) - 1,
        state_of_observation_S=np.flatnonzero(differs_V),
        first_M=np.concatenate([b.first_M + at for b, at in zip(banks, nodes, strict=True)]),
        kind_M=np.concatenate([bank.kind_M for bank in banks]),
        start_B=_starts(list(sizes)),
        size_B=sizes,
        block_B=np.array([bank.block for bank in banks], dtype=np.int64),
        num_inputs_B=np.array([bank.interface.num_inputs for bank in banks], dtype=np.int64),
        num_actions_B=np.array([bank.interface.num_outputs for bank in banks], dtype=np.int64),
        has_answers_B=np.array([bank.has_answers for bank in banks]),
        num_kinds=int(max(bank.kind_M.max() for bank in banks)) + 1,
    )


def _starts(sizes: Sequence[int]) -> Int64Array:
    return np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
