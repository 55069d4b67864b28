"""From a response to what the network is told about it."""

from __future__ import annotations

import torch
from torch import Tensor

from evoplastic.lifetime.config import (
    BINARY_LOSS_CORRECT,
    BINARY_LOSS_WRONG,
    LifetimeConfig,
)
from evoplastic.network.state import NetworkState


def graded_or_binary(loss_P: Tensor, correct_P: Tensor, config: LifetimeConfig) -> Tensor:
    """The loss that the loss feedback carries: graded, or 0.1 / 0.6 with outcome "binary"."""
    if config.plasticity.outcome != "binary":
        return loss_P
    right, wrong = BINARY_LOSS_CORRECT, BINARY_LOSS_WRONG
    return torch.where(correct_P, torch.full_like(loss_P, right), torch.full_like(loss_P, wrong))


def outcome_seen(
    loss_P: Tensor, correct_P: Tensor, reward_P: Tensor, config: LifetimeConfig
) -> Tensor:
    """L as the external rule sees it: the loss above, or minus the reward of the trial."""
    if config.plasticity.outcome == "reward":
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
    reward                   (g R, -g R)
    reward_prediction_error  (v, -v),           v = g (R - mean reward)

    Args:
        loss_P: graded loss of the trial.
        correct_P: whether its answer was right.
        reward_P: R; in trials that run freely, the reward of the last step.
        state: holds the running means, not yet advanced.
        config: which feedback, and its gain g.
    """
    gain = config.dynamics.feedback_gain
    if config.feedback == "loss":
        shown_P = gain * graded_or_binary(loss_P, correct_P, config)
        return torch.stack([shown_P, shown_P], dim=1)
    correct = correct_P.to(loss_P.dtype)
    value_P = {
        "correct": 2.0 * gain * (correct - 0.5),
        "prediction_error": 2.0 * gain * (correct - state.mean_correct_P),
        "reward": gain * reward_P,
        "reward_prediction_error": gain * (reward_P - state.mean_reward_P),
    }[config.feedback]
    return torch.stack([value_P, -value_P], dim=1)
