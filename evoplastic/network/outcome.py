"""From a response to what the network is told about it."""

from __future__ import annotations

import torch
from torch import Tensor

from evoplastic.lifetime import (
    BINARY_LOSS_CORRECT,
    BINARY_LOSS_WRONG,
    LifetimeConfig,
)


def outcome_seen(loss_P: Tensor, correct_P: Tensor, config: LifetimeConfig) -> Tensor:
    """L as the external rule and the loss feedback see it: graded, or 0.1 / 0.6 if binary."""
    if config.plasticity.outcome == "graded":
        return loss_P
    right, wrong = BINARY_LOSS_CORRECT, BINARY_LOSS_WRONG
    return torch.where(correct_P, torch.full_like(loss_P, right), torch.full_like(loss_P, wrong))


def feedback_rates(
    outcome_P: Tensor, correct_P: Tensor, mean_correct_P: Tensor, config: LifetimeConfig
) -> Tensor:
    """Rates [P, F] of the two feedback neurons during the feedback window.

    loss              (g L, g L)
    correct           (g c, -g c),       c = +1 if correct else -1
    prediction_error  (v, -v),           v = 2 g (correct - mean correctness)
    """
    gain = config.dynamics.feedback_gain
    if config.feedback == "loss":
        return torch.stack([gain * outcome_P, gain * outcome_P], dim=1)
    correct = correct_P.to(outcome_P.dtype)
    expected = 0.5 if config.feedback == "correct" else mean_correct_P
    value_P = 2.0 * gain * (correct - expected)
    return torch.stack([value_P, -value_P], dim=1)
