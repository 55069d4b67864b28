"""What engines are given of a modulation, and what it does to activity, in plain PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from evoplastic.network.dynamics import modulatory_rates, modulatory_signal
from evoplastic.network.neurons import NeuronGroups


class ModulationParams(NamedTuple):
    """Fan-outs of P individuals, K columns for the modulatory neurons, or one for the outcome."""

    plasticity_PNK: Tensor | None = None  # F
    gain_PNK: Tensor | None = None  # G
    threshold_PNK: Tensor | None = None  # H

    def each(self, change: Callable[[Tensor], Tensor]) -> ModulationParams:
        """The same with every tensor changed; all have P individuals first."""
        return ModulationParams(*(None if part is None else change(part) for part in self))


def fanned_out(fan_out_PNK: Tensor, signal_PK: Tensor) -> Tensor:
    """What reaches each neuron [P, N] = sum_k fan_out_ik signal_k."""
    number = len(fan_out_PNK)
    if number == 1:  # see `product_of_each`
        fan_out_PNK, signal_PK = fan_out_PNK.expand(2, -1, -1), signal_PK.expand(2, -1)
    return torch.einsum("pnk,pk->pn", fan_out_PNK, signal_PK)[:number]


def network_signals(params: ModulationParams, rate_PN: Tensor, groups: NeuronGroups) -> Tensor:
    """What a network sends to its plasticity: m [P, K] if that is fanned out, else mod [P, 1]."""
    if params.plasticity_PNK is None:
        return modulatory_signal(rate_PN, groups)[:, None]
    return modulatory_rates(rate_PN, groups)


def onto_plasticity(params: ModulationParams, signal_PK: Tensor) -> Tensor:
    """M of all targets [P, 1], or of each [P, N] = sum_k F_ik signal_k.

    Args:
        params: fan-outs.
        signal_PK: `network_signals`, or the gated outcome [P, 1].
    """
    if params.plasticity_PNK is None:
        return signal_PK
    return fanned_out(params.plasticity_PNK, signal_PK)


def gains(params: ModulationParams, rate_PN: Tensor, groups: NeuronGroups) -> Tensor | None:
    """g [P, N] = 2 / (1 + exp(-sum_k G_ik m_k)), 1 where nothing is modulated; none = 1 everywhere.

    Args:
        params: fan-outs.
        rate_PN: rates before the step.
        groups: which neuron does what.

    Source: Beaulieu et al. 2020 (ANML), whose gates are half of these.
    """
    if params.gain_PNK is None:
        return None
    # 2 / (1 + exp(-h)); torch rounds a sigmoid by where in the batch it stands, a tanh not.
    half_PN = 0.5 * fanned_out(params.gain_PNK, modulatory_rates(rate_PN, groups))
    return 1.0 + torch.tanh(half_PN)


def thresholds(
    params: ModulationParams, rate_PN: Tensor, groups: NeuronGroups, own: float | Tensor
) -> float | Tensor:
    """theta = own + sum_k H_ik m_k from the rates before the step, one number or [P, N].

    Args:
        params: fan-outs.
        rate_PN: rates before the step.
        groups: which neuron does what.
        own: thresholds that nothing modulates.
    """
    if params.threshold_PNK is None:
        return own
    return own + fanned_out(params.threshold_PNK, modulatory_rates(rate_PN, groups))
