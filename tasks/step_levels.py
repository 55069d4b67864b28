"""What simple policies reach on a bank of free-running trials: the levels to judge scores by.

A trial is correct if it ends as whoever follows the ground truth would end it: its last action is
the same answer, given at a step that asks for it. So a no-go trial is correct when nothing was done
until its end (the `performance` that NeuroGym reports says 0 there), and a trial that asks for an
action at its time is wrong when nothing was done. Trials without ground truth count in no accuracy.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evoplastic.checks import require
from evoplastic.step_bank import StepBank
from evoplastic.types import NO_GROUND_TRUTH, Int64Array


class Lived(NamedTuple):
    """Trials of a bank under given actions."""

    num_steps_M: Int64Array
    reward_M: NDArray[np.float64]  # summed over the trial
    correct_M: NDArray[np.float64]  # 1, 0, or NaN where nothing is asked at the end


class Level(NamedTuple):
    """Means over trials; accuracy is None for a task without ground truth."""

    accuracy: float | None
    reward: float


def live(bank: StepBank, action_MT: Int64Array) -> Lived:
    """Take given actions in every trial of a bank.

    Raises:
        UsageError: actions that do not fit the bank.
    """
    M, T, O = bank.reward_MTO.shape
    require(
        action_MT.shape == (M, T) and 0 <= action_MT.min() <= action_MT.max() < O,
        f"expected actions 0 to {O - 1} of shape {(M, T)}, came shape {action_MT.shape}",
    )
    ends_MT = np.take_along_axis(bank.ends_MTO, action_MT[..., None], axis=2)[..., 0]
    last_M = ends_MT.argmax(axis=1)
    reward_MT = np.take_along_axis(bank.reward_MTO, action_MT[..., None], axis=2)[..., 0]
    lived_MT = np.arange(T) <= last_M[:, None]
    m = np.arange(M)
    taken_M, answer_M = action_MT[m, last_M], bank.answer_M
    right_M = (taken_M == answer_M) & (taken_M == bank.ground_truth_MT[m, last_M])
    correct_M = np.where(answer_M == NO_GROUND_TRUTH, np.nan, right_M)
    return Lived(last_M + 1, np.sum(reward_MT * lived_MT, axis=1, dtype=np.float64), correct_M)


def oracle(bank: StepBank) -> Level:
    """Give the ground truth at each step; action 0 where there is none."""
    return _level(live(bank, np.maximum(bank.ground_truth_MT, 0)))


def constant(bank: StepBank, action: int) -> Level:
    """One action at each step of each trial."""
    return _level(live(bank, np.full_like(bank.ground_truth_MT, action)))


def best_constant(bank: StepBank) -> tuple[int, Level]:
    """The single action with the best accuracy (reward, where nothing is asked), and its level."""
    levels = [constant(bank, action) for action in range(bank.reward_MTO.shape[2])]
    scores = [level.reward if level.accuracy is None else level.accuracy for level in levels]
    best = int(np.argmax(scores))
    return best, levels[best]


def chance(bank: StepBank) -> Level:
    """Any action with equal probability at each step, exactly:

    alive(t + 1) = alive(t) * share of actions that do not end,
    accuracy = sum over t of alive(t) * [the answer is asked at t and ends the trial] / O.
    """
    M, _, O = bank.reward_MTO.shape
    goes_on_MT = 1.0 - bank.ends_MTO.mean(axis=2)
    alive_MT = np.cumprod(np.column_stack([np.ones(M), goes_on_MT[:, :-1]]), axis=1)
    answer_M1 = bank.answer_M[:, None]
    ends_MT = np.take_along_axis(bank.ends_MTO, np.maximum(answer_M1, 0)[..., None], axis=2)
    right_MT = ends_MT.squeeze(2) & (bank.ground_truth_MT == answer_M1)
    asked_M = bank.answer_M != NO_GROUND_TRUTH
    correct_M = (alive_MT * right_MT).sum(axis=1) / O
    accuracy = float(correct_M[asked_M].mean()) if asked_M.any() else None
    reward = float((alive_MT * bank.reward_MTO.mean(axis=2, dtype=np.float64)).sum() / M)
    return Level(accuracy, reward)


def _level(lived: Lived) -> Level:
    asked = lived.correct_M[~np.isnan(lived.correct_M)]
    return Level(float(asked.mean()) if len(asked) else None, float(lived.reward_M.mean()))
