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
    drive_PN = product_of_each(w_eff_PNN, rate_PN)
    return x_PN + leak * (drive_PN - x_PN) + xi_PN


def product_of_each(w_PNM: Tensor, signal_PM: Tensor) -> Tensor:
    """Matrix times vector for each individual, the same bits whoever is in the batch.

    A batch of one would take another way through the linear algebra and round otherwise, so there
    it is two of the same.
    """
    signal_PM1 = signal_PM[:, :, None]
    if len(w_PNM) == 1:
        twice_PNM, twice_PM1 = w_PNM.expand(2, -1, -1), signal_PM1.expand(2, -1, -1)
        return torch.bmm(twice_PNM, twice_PM1)[:1, :, 0]
    return torch.bmm(w_PNM, signal_PM1)[:, :, 0]


def firing_rate(
    x_PN: Tensor,
    groups: NeuronGroups,
    threshold: float | Tensor = 0.0,
    gain_PN: Tensor | None = None,
) -> Tensor:
    """rate = g f(x - theta), f the sigmoid for response neurons, tanh for all others.

    Args:
        x_PN: activation; nothing is clamped yet.
        groups: which neuron does what.
        threshold: theta, one number or one of each neuron [P, N].
        gain_PN: g; none = 1.
    """
    above_PN = x_PN - threshold
    rate_PN = writable(torch.tanh(above_PN))
    rate_PN[:, groups.response] = torch.sigmoid(above_PN[:, groups.response])
    return rate_PN if gain_PN is None else gain_PN * rate_PN


def writable(value: Tensor) -> Tensor:
    """The tensor itself, or a copy if a gradient goes back through it: then it must stay."""
    return value.clone() if value.requires_grad else value


def modulatory_rates(rate_PN: Tensor, groups: NeuronGroups) -> Tensor:
    """m [P, K], the rates of the modulatory neurons."""
    return rate_PN[:, groups.modulators]


def modulatory_signal(rate_PN: Tensor, groups: NeuronGroups) -> Tensor:
    """mod [P] = m_0 - m_1 + m_2 - ..., a network's own signal; published with two neurons."""
    rate_PK = modulatory_rates(rate_PN, groups)
    mod_P = rate_PK[:, 0]
    for k in range(1, groups.num_modulators):
        mod_P = mod_P - rate_PK[:, k] if k % 2 else mod_P + rate_PK[:, k]
    return mod_P
