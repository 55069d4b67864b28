"""One time step of the rate network (Miconi 2023, equations 1 and 2)."""

from __future__ import annotations

import torch
from torch import Tensor

from evoplastic.network.neurons import NeuronGroups


def advance_activation(
    x_PN: Tensor, rate_PN: Tensor, w_eff_PNN: Tensor, xi_PN: Tensor, leak: float | Tensor
) -> Tensor:
    """Advance the activation by one step.

        x' = x + leak * (w_eff rate - x) + xi,     leak = dt / tau

    Args:
        x_PN: activation before the step.
        rate_PN: firing rate before the step.
        w_eff_PNN: w + alpha * p; row i holds what neuron i receives.
        xi_PN: node perturbation, 0 where a neuron is not hit.
        leak: dt / tau, dimensionless; one number, or one of each neuron [P, N].
    """
    drive_PN = torch.bmm(w_eff_PNN, rate_PN[:, :, None])[:, :, 0]
    return x_PN + leak * (drive_PN - x_PN) + xi_PN


def firing_rate(x_PN: Tensor, groups: NeuronGroups, threshold: float | Tensor = 0.0) -> Tensor:
    """Firing rates, nothing clamped yet.

        rate = sigmoid(x - threshold) for response neurons, tanh(x - threshold) for all others

    Args:
        x_PN: activation.
        groups: which neurons respond.
        threshold: one number, or one of each neuron [P, N].
    """
    above_PN = x_PN - threshold
    rate_PN = torch.tanh(above_PN)
    rate_PN[:, groups.response] = torch.sigmoid(above_PN[:, groups.response])
    return rate_PN


def modulatory_signal(rate_PN: Tensor, groups: NeuronGroups) -> Tensor:
    """mod = rate of the first modulatory neuron minus rate of the second, within [-2, 2]."""
    first = groups.modulators.start
    return rate_PN[:, first] - rate_PN[:, first + 1]
