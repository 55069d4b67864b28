"""How connections change within a lifetime: eligibility by node perturbation, gated by an outcome
from outside or by the network's own modulatory neurons (Miconi 2023, section 2.3)."""

from __future__ import annotations

import torch
from torch import Tensor

from evoplastic.lifetime.config import PlasticityConfig


def advance_eligibility(
    elig_PNN: Tensor, xi_PN: Tensor, rate_before_PN: Tensor, retention: float
) -> Tensor:
    """Credit each connection whose target was perturbed with its source's rate before the step.

    elig' = retention * (elig + xi rate^T),     retention = 1 - dt / tau_elig
    """
    return retention * (elig_PNN + xi_PN[:, :, None] * rate_before_PN[:, None, :])


def external_change(
    elig_PNN: Tensor, outcome_P: Tensor, baseline_P: Tensor | None, config: PlasticityConfig
) -> Tensor:
    """Change of p at the first feedback step, gated from outside.

        dp = clip(-eta * elig * b * (L - b), -max_change, max_change)
        dp = clip(-eta * elig * L, ...)                                without a baseline
        dp = clip(-eta * elig * (L - b), ...)                          with the outcome "reward"

    Args:
        elig_PNN: eligibility traces.
        outcome_P: L, the loss of the trial as the rule sees it.
        baseline_P: b, the running mean of L before this trial, or None.
        config: eta and max_change.

    Source: Miconi 2023; the factor b is that of Miconi 2017 (eLife).
    """
    gate_P = outcome_P if baseline_P is None else outcome_P - baseline_P
    if baseline_P is not None and config.outcome != "reward":
        gate_P = baseline_P * gate_P
    change_PNN = -config.eta * elig_PNN * gate_P[:, None, None]
    return change_PNN.clamp(-config.max_change, config.max_change)


def internal_change(elig_PNN: Tensor, mod_P: Tensor, config: PlasticityConfig) -> Tensor:
    """Change of p at one step, gated by the network itself: dp = clip(eta * elig * mod)."""
    change_PNN = config.eta * elig_PNN * mod_P[:, None, None]
    return change_PNN.clamp(-config.max_change, config.max_change)


def running_mean(mean: Tensor, value: Tensor, decay: float) -> Tensor:
    """mean' = decay * mean + (1 - decay) * value."""
    return decay * mean + (1.0 - decay) * value


def scatter_baseline(
    baseline_PC: Tensor, column_P: Tensor, outcome_P: Tensor, decay: float
) -> Tensor:
    """Advance, for each individual, the running mean of the kind of trial it has just had."""
    old_P = baseline_PC.gather(1, column_P[:, None])[:, 0]
    new_P = running_mean(old_P, outcome_P, decay)
    return torch.scatter(baseline_PC, 1, column_P[:, None], new_P[:, None])
