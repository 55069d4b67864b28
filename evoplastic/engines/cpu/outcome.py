"""What follows from a trial's outcome, compiled: records, feedback, running means, the gate."""

from __future__ import annotations

from typing import Any

import numpy as np

from evoplastic.engines.codes import (
    FEEDBACK_CORRECT,
    FEEDBACK_GRADED,
    FEEDBACK_GRADED_PREDICTION_ERROR,
    FEEDBACK_LOSS,
    FEEDBACK_REWARD,
    OUTCOME_BINARY,
    OUTCOME_REWARD,
)
from evoplastic.engines.cpu.course import taught
from evoplastic.engines.cpu.simd.compile import inlined


@inlined
def first_largest(value: Any, count: int) -> int:
    """As torch.argmax: the first of equals, and what is not a number counts as the largest."""
    choice, best = 0, value[0]
    total = best
    for o in range(1, count):
        here = value[o]
        total += here
        if here > best:
            choice, best = o, here
    if np.isnan(total):  # looked at once, not at every number
        for o in range(count - 1, -1, -1):
            if np.isnan(value[o]):
                choice = o
    return choice


@inlined
def conclude_trial(
    run: Any,
    life: Any,
    trial: int,
    steps: int,
    kind: int,
    loss: Any,
    correct: bool,
    reward: Any,
    last_reward: Any,
) -> Any:
    """Record a trial and advance the running means; returns what the feedback neurons carry.

    Leaves in workspace.gate what gates plasticity at the outcome: b (L - b), or L without a
    baseline, or L - b with the outcome "reward"; b the running mean of L before this trial.

    Args:
        run: the run of the thread.
        life: whose trial.
        trial: its number.
        steps: how long it took.
        kind: its kind.
        loss: its graded loss.
        correct: whether it ended well.
        reward: what it paid.
        last_reward: what its last step paid; all of it where the timing is fixed.
    """
    plan, workspace, record, individual = run.plan, run.workspace, run.record, life.individual
    record.loss[individual, trial] = loss
    record.correct[individual, trial] = correct
    record.reward[individual, trial] = reward
    record.steps[individual, trial] = steps

    if not taught(run, individual, trial):  # a probe: nothing is told, and nothing remembered
        workspace.gate[life.slot] = np.float32(0)
        return np.float32(0), np.float32(0)
    shown = loss
    if plan.outcome == OUTCOME_BINARY:
        shown = plan.binary_correct if correct else plan.binary_wrong
    right = np.float32(1) if correct else np.float32(0)
    mean_correct, mean_reward = workspace.mean_correct[life.slot], workspace.mean_reward[life.slot]
    mean_loss = workspace.mean_loss[life.slot]
    if plan.feedback == FEEDBACK_LOSS:
        first = plan.feedback_gain * shown
        second = first
    else:
        if plan.feedback >= FEEDBACK_REWARD:
            expected = np.float32(0) if plan.feedback == FEEDBACK_REWARD else mean_reward
            first = plan.feedback_gain * (last_reward - expected)
        elif plan.feedback in (FEEDBACK_GRADED, FEEDBACK_GRADED_PREDICTION_ERROR):
            expected = np.float32(0.5) if plan.feedback == FEEDBACK_GRADED else mean_loss
            first = np.float32(2) * plan.feedback_gain * (expected - shown)
        else:
            expected = np.float32(0.5) if plan.feedback == FEEDBACK_CORRECT else mean_correct
            first = np.float32(2) * plan.feedback_gain * (right - expected)
        second = -first

    seen = -reward if plan.outcome == OUTCOME_REWARD else shown
    decay = workspace.baseline_decay[life.slot]
    rest = workspace.baseline_rest[life.slot]
    column = life.baseline + (kind if plan.per_kind else 0)
    before = workspace.baseline[column]
    workspace.baseline[column] = decay * before + rest * seen
    workspace.mean_correct[life.slot] = decay * mean_correct + rest * right
    workspace.mean_reward[life.slot] = decay * mean_reward + rest * reward
    workspace.mean_loss[life.slot] = decay * mean_loss + rest * shown
    gate = seen
    if plan.with_baseline:
        gate = seen - before
        if plan.outcome != OUTCOME_REWARD:
            gate = before * gate
    workspace.gate[life.slot] = gate
    return first, second
