"""How far the answers of one task serve another: the task that a held-out task is closest to.

Copies that draw other trials, or the same in another order, are not found by comparing draws
(`leakage.py`). So a simple policy is learned from one task and tried on the other: a trial is
its input averaged over eighths of its length, and gets the answer of the trials most like it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evoplastic.trials.table import TrialTable
from evoplastic.types import Int64Array
from tasks.suites.leakage import chains, known_of_each

PARTS = 8  # of a trial, over each of which input is averaged
NEIGHBOURS = 3
HIGH_AGREEMENT = 0.9
HIGH_GAIN = 0.8


class Closeness(NamedTuple):
    """How one task's policy does on another task."""

    task: str  # whose policy
    agreement: float  # share of answers that are right, answers renumbered as suits best
    gain: float  # 0 = no better than always the same answer, 1 = perfect

    @property
    def is_high(self) -> bool:
        """Whether there is nearly nothing left to learn."""
        return self.agreement >= HIGH_AGREEMENT and self.gain >= HIGH_GAIN


def closest(bank: TrialTable, others: Iterable[TrialTable]) -> Closeness | None:
    """The one of other tasks whose policy serves a task best; None if none can be compared."""
    found = [
        closeness
        for other in others
        if other is not bank and (closeness := close_to(bank, other)) is not None
    ]
    return max(found, key=lambda each: each.gain, default=None)


def close_to(bank: TrialTable, policy: TrialTable) -> Closeness | None:
    """How the policy of another task does, once its answers are renumbered as suits best.

    None if it cannot be said: another interface, a state machine, or one answer to all trials.
    """
    answers = _tried(bank, policy)
    if answers is None:
        return None
    given_M, target_M = answers
    constant = np.bincount(target_M).max() / len(target_M)
    if constant == 1.0:
        return None
    agreement = _renumbered_agreement(given_M, target_M)
    return Closeness(policy.task, agreement, float((agreement - constant) / (1.0 - constant)))


def transfer(bank: TrialTable, policy: TrialTable) -> float | None:
    """Accuracy of another task's policy as it is, its answers not renumbered; None as above."""
    answers = _tried(bank, policy)
    return None if answers is None else float(np.mean(answers[0] == answers[1]))


def _tried(bank: TrialTable, policy: TrialTable) -> tuple[Int64Array, Int64Array] | None:
    """Answers that the policy gives to the trials of a bank, and the target answers."""
    if bank.interface != policy.interface:
        return None
    ours, theirs = _trials(bank), _trials(policy)
    if ours is None or theirs is None:
        return None
    (shown_MX, target_M), (known_LX, known_L) = ours, theirs
    distance_ML = (
        (shown_MX**2).sum(axis=1)[:, None]
        + (known_LX**2).sum(axis=1)
        - 2.0 * (shown_MX @ known_LX.T)
    )
    nearest = np.argsort(distance_ML, axis=1, kind="stable")[:, :NEIGHBOURS]
    votes_MO = np.zeros((len(target_M), bank.interface.num_outputs))
    for rank, neighbour_M in enumerate(nearest.T):
        # a bit less for those farther away, so that ties go to the nearest
        votes_MO[np.arange(len(target_M)), known_L[neighbour_M]] += 1.0 - 0.1 * rank
    return votes_MO.argmax(axis=1), target_M


@known_of_each
def _trials(bank: TrialTable) -> tuple[NDArray[np.float64], Int64Array] | None:
    """Input averaged over parts of each trial that asks for an answer, and the answer."""
    found = chains(bank)
    if found is None or not (found.answer_M >= 0).any():
        return None
    wanted = found.answer_M >= 0
    state_MT = found.state_MT[wanted]
    within_MT = state_MT >= 0
    length_M1 = within_MT.sum(axis=1, keepdims=True)
    part_MT = np.arange(state_MT.shape[1]) * PARTS // length_M1
    shown_MTI = np.where(within_MT[..., None], bank.observation_VI[state_MT], 0.0)
    parts = []
    for part in range(PARTS):
        inside_MT = within_MT & (part_MT == part)
        total_MI = np.einsum("mt,mti->mi", inside_MT.astype(np.float64), shown_MTI)
        parts.append(total_MI / np.maximum(inside_MT.sum(axis=1, keepdims=True), 1))
    return np.concatenate(parts, axis=1), found.answer_M[wanted]


def _renumbered_agreement(given_M: Int64Array, target_M: Int64Array) -> float:
    """Share of equal answers after each given number is exchanged for a target answer, greedily."""
    size = int(max(given_M.max(), target_M.max())) + 1
    count_OO = np.zeros((size, size))
    np.add.at(count_OO, (given_M, target_M), 1.0)
    equal = 0.0
    for _ in range(size):
        given, wanted = np.unravel_index(count_OO.argmax(), count_OO.shape)
        equal += max(count_OO[given, wanted], 0.0)
        count_OO[given, :] = count_OO[:, wanted] = -1.0
    return float(equal / len(target_M))
