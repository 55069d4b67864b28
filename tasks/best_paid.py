"""A ground truth for tasks that have none: what pays best."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from evoplastic.checks import require
from evoplastic.step_bank import StepBank, final_answers
from evoplastic.types import NO_GROUND_TRUTH

EQUALLY_PAID = 1e-6  # rewards are float32


def with_best_paid_answers(bank: StepBank) -> StepBank:
    """The same trials, asking at each step for the action of the best paid way to the end:

        worth(t, a) = reward(t, a) + (0 if a ends the trial, else max over b of worth(t + 1, b))

    Nothing is asked at a step where all actions are worth the same. Among several best ones, those
    that end the trial come before those that go on, so that an answer is due as soon as it can be
    given; where two different endings are worth the same there is no best answer, and the trial
    asks for nothing at that step and can't be right by it. For EconomicDecisionMaking this asks
    for fixation until the decision, then for the juice and amount that are worth more, which is
    what its own `performance` says; its offers are never worth the same.

    Raises:
        UsageError: the bank has a ground truth, or no trial has a best paid answer.
    """
    require(
        bool((bank.ground_truth_MT == NO_GROUND_TRUTH).all()),
        f"task {bank.task!r} has a ground truth of its own; expected a task without one",
    )
    M, T, _ = bank.reward_MTO.shape
    asked_MT = np.full((M, T), NO_GROUND_TRUTH, dtype=np.int64)
    worth_M = np.zeros(M)
    for t in reversed(range(T)):
        ends_MO = bank.ends_MTO[:, t]
        worth_MO = bank.reward_MTO[:, t] + np.where(ends_MO, 0.0, worth_M[:, None])
        worth_M = worth_MO.max(axis=1)
        good_MO = worth_MO >= worth_M[:, None] - EQUALLY_PAID
        ending_MO = good_MO & ends_MO
        chosen_MO = np.where(ending_MO.any(axis=1, keepdims=True), ending_MO, good_MO)
        unique_M = (chosen_MO.sum(axis=1) == 1) & ~good_MO.all(axis=1)
        lived_M = t < bank.num_steps_M
        asked_MT[:, t] = np.where(unique_M & lived_M, chosen_MO.argmax(axis=1), NO_GROUND_TRUTH)
    answer_M = final_answers(asked_MT, bank.ends_MTO)
    require(
        bool((answer_M != NO_GROUND_TRUTH).any()),
        f"no trial of task {bank.task!r} ends better by one answer than by all others",
    )
    return replace(bank, ground_truth_MT=asked_MT, kind_M=np.maximum(answer_M, 0))
