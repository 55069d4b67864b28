"""From a response to what its outcome is worth: to the feedback neurons, and to plasticity."""

from __future__ import annotations

import torch
from torch import Tensor

from evoplastic.lifetime.config import (
    BINARY_LOSS_CORRECT,
    BINARY_LOSS_WRONG,
    LifetimeConfig,
)
from evoplastic.network.state import NetworkState
from evoplastic.rules.config import RuleConfig


def graded_or_binary(loss_P: Tensor, correct_P: Tensor, config: LifetimeConfig) -> Tensor:
    """The loss that the loss feedback carries: graded, or 0.1 / 0.6 with outcome "binary"."""
    if config.rule.outcome != "binary":
        return loss_P
    right, wrong = BINARY_LOSS_CORRECT, BINARY_LOSS_WRONG
    return torch.where(correct_P, torch.full_like(loss_P, right), torch.full_like(loss_P, wrong))


def outcome_seen(
    loss_P: Tensor, correct_P: Tensor, reward_P: Tensor, config: LifetimeConfig
) -> Tensor:
    """L, the outcome of a trial: the loss above, or minus its reward."""
    if config.rule.outcome == "reward":
        return -reward_P
    return graded_or_binary(loss_P, correct_P, config)


def feedback_rates(
    loss_P: Tensor,
    correct_P: Tensor,
    reward_P: Tensor,
    state: NetworkState,
    config: LifetimeConfig,
) -> Tensor:
    """Rates [P, F] of the two feedback neurons once a trial's outcome is known.

    loss                     (g L, g L)
    correct                  (g c, -g c),       c = +1 if correct else -1
    prediction_error         (v, -v),           v = 2 g (correct - mean correctness)
    graded                   (v, -v),           v = 2 g (1/2 - L)
    graded_prediction_error  (v, -v),           v = 2 g (mean L - L)
    reward                   (g R, -g R)
    reward_prediction_error  (v, -v),           v = g (R - mean reward)

    Args:
        loss_P: graded loss of the trial.
        correct_P: whether its answer was right.
        reward_P: R; in self-paced trials, the reward of the last step.
        state: holds the running means, not yet advanced.
        config: which feedback, and its gain g.
    """
    gain = config.dynamics.feedback_gain
    if config.feedback == "loss":
        shown_P = gain * graded_or_binary(loss_P, correct_P, config)
        return torch.stack([shown_P, shown_P], dim=1)
    correct = correct_P.to(loss_P.dtype)
    shown_P = graded_or_binary(loss_P, correct_P, config)
    value_P = {
        "correct": 2.0 * gain * (correct - 0.5),
        "prediction_error": 2.0 * gain * (correct - state.mean_correct_P),
        "graded": 2.0 * gain * (0.5 - shown_P),
        "graded_prediction_error": 2.0 * gain * (state.mean_loss_P - shown_P),
        "reward": gain * reward_P,
        "reward_prediction_error": gain * (reward_P - state.mean_reward_P),
    }[config.feedback]
    return torch.stack([value_P, -value_P], dim=1)


def outcome_gate(outcome_P: Tensor, baseline_P: Tensor, config: RuleConfig) -> Tensor:
    """M of a rule that the outcome modulates.

        M = b * (L - b);   M = L without a baseline;   M = L - b with the outcome "reward"

    Args:
        outcome_P: L, the outcome of the trial.
        baseline_P: b, the running mean of L before this trial.
        config: which outcome and which baseline.

    Source: Miconi 2023; the factor b is that of Miconi 2017 (eLife).
    """
    if config.baseline == "none":
        return outcome_P
    gate_P = outcome_P - baseline_P
    return gate_P if config.outcome == "reward" else baseline_P * gate_P


def running_mean(mean: Tensor, value: Tensor, decay: float | Tensor) -> Tensor:
    """mean' = decay * mean + (1 - decay) * value."""
    return decay * mean + (1.0 - decay) * value


def scatter_baseline(
    baseline_PC: Tensor, column_P: Tensor, outcome_P: Tensor, decay: float | Tensor
) -> Tensor:
    """Advance, for each individual, the running mean of the kind of trial it has just had."""
    old_P = baseline_PC.gather(1, column_P[:, None])[:, 0]
    new_P = running_mean(old_P, outcome_P, decay)
    return torch.scatter(baseline_PC, 1, column_P[:, None], new_P[:, None])
