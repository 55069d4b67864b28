"""What follows from a trial's outcome on the GPU: records, feedback, running means, the gate."""

# mypy: allow-untyped-defs, allow-incomplete-defs
# Triton's arguments are pointers and blocks; only compile-time constants carry annotations.
from __future__ import annotations

import triton
import triton.language as tl

from evoplastic.engines.gpu.activity import choose
from evoplastic.engines.gpu.bundles import Means
from evoplastic.engines.gpu.course import remembered, told
from evoplastic.engines.gpu.numbers import (
    BASELINE_KIND,
    BASELINE_NONE,
    BINARY_CORRECT,
    BINARY_WRONG,
    FEEDBACK_CORRECT,
    FEEDBACK_GAIN,
    FEEDBACK_GRADED,
    FEEDBACK_GRADED_PREDICTION_ERROR,
    FEEDBACK_LOSS,
    FEEDBACK_PREDICTION_ERROR,
    FEEDBACK_REWARD,
    OUTCOME_BINARY,
    OUTCOME_REWARD,
    real,
)


@triton.jit
def means_at_birth(individuals, individual, S: tl.constexpr):
    """Running means of a newborn: chance for correctness, the rest for the loss, else 0."""
    KINDS: tl.constexpr = S.kind_slots
    nothing = tl.full([], 0.0, tl.float32)
    chance = tl.full([], 1.0 / S.outputs, tl.float32)
    missed = tl.full([], 1.0 - 1.0 / S.outputs, tl.float32)
    decay = tl.load(individuals.decay + 2 * individual)
    rest = tl.load(individuals.decay + 2 * individual + 1)
    return Means(tl.zeros([KINDS], tl.float32), chance, nothing, missed, decay, rest)


@triton.jit
def graded_or_binary(loss, correct, numbers, S: tl.constexpr):
    """The loss that the loss feedback carries."""
    if S.outcome == OUTCOME_BINARY:
        right = real(numbers, BINARY_CORRECT)
        return tl.where(correct, right, real(numbers, BINARY_WRONG))
    else:
        return loss


@triton.jit
def feedback_pair(loss, correct, reward, means, numbers, S: tl.constexpr):
    """Rates of the two feedback neurons once the outcome is known, means not yet advanced."""
    gain = real(numbers, FEEDBACK_GAIN)
    if S.feedback == FEEDBACK_LOSS:
        shown = gain * graded_or_binary(loss, correct, numbers, S)
        return shown, shown
    else:
        right = tl.where(correct, 1.0, 0.0)
        if S.feedback == FEEDBACK_CORRECT:
            value = 2.0 * gain * (right - 0.5)
        elif S.feedback == FEEDBACK_PREDICTION_ERROR:
            value = 2.0 * gain * (right - means.correct)
        elif S.feedback == FEEDBACK_GRADED:
            value = 2.0 * gain * (0.5 - graded_or_binary(loss, correct, numbers, S))
        elif S.feedback == FEEDBACK_GRADED_PREDICTION_ERROR:
            value = 2.0 * gain * (means.loss - graded_or_binary(loss, correct, numbers, S))
        elif S.feedback == FEEDBACK_REWARD:
            value = gain * reward
        else:
            value = gain * (reward - means.reward)
        return value, -value


@triton.jit
def running_mean(mean, value, means):
    """decay * mean + (1 - decay) * value."""
    return means.decay * mean + means.rest * value


@triton.jit
def conclude(
    loss_i, activity_i, action_i, is_response, entry, means, learns, tasks, record, at, numbers,
    S: tl.constexpr,
):  # fmt: skip
    """Judge the response in a trial of fixed timing, and write it down at `at`.

    Returns the choice, the rates of both feedback neurons, and what `reinforce` returns.
    """
    loss = tl.sum(loss_i, 0)
    choice = choose(activity_i, action_i, is_response, S.outputs)
    correct = choice == tl.load(tasks.target_action + entry)
    tl.store(record.loss + at, loss)
    tl.store(record.correct + at, correct.to(tl.int8))
    reward = tl.load(tasks.reward + entry * S.outputs + choice)
    tl.store(record.reward + at, reward)
    first, second = feedback_pair(loss, correct, reward, means, numbers, S)
    kind = tl.load(tasks.kind + entry)
    gate, advanced = reinforce(loss, correct, reward, kind, means, numbers, S)
    first, second = told(learns, first, second, S)
    return choice, first, second, gate, remembered(learns, advanced, means, S)


@triton.jit
def reinforce(loss, correct, reward, kind, means, numbers, S: tl.constexpr):
    """What the outcome of a trial does: M of a rule that it modulates, and the means advanced."""
    KINDS: tl.constexpr = S.kind_slots
    if S.outcome == OUTCOME_REWARD:
        seen = -reward
    else:
        seen = graded_or_binary(loss, correct, numbers, S)
    if S.baseline != BASELINE_KIND:
        kind = kind * 0
    is_kind = tl.arange(0, KINDS) == kind
    expected = tl.sum(tl.where(is_kind, means.baseline, 0.0), 0)
    gate = seen
    if S.baseline != BASELINE_NONE:
        gate = seen - expected
        if S.outcome != OUTCOME_REWARD:
            gate = expected * gate
    advanced = Means(
        tl.where(is_kind, running_mean(expected, seen, means), means.baseline),
        running_mean(means.correct, tl.where(correct, 1.0, 0.0), means),
        running_mean(means.reward, reward, means),
        running_mean(means.loss, graded_or_binary(loss, correct, numbers, S), means),
        means.decay,
        means.rest,
    )
    return gate, advanced
