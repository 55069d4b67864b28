"""What changes at every step of a lifetime; nothing else is remembered."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from evoplastic.lifetime.config import DynamicsConfig
from evoplastic.network.neurons import NeuronGroups


class NetworkState(NamedTuple):
    """State of P networks between two steps; it carries over from trial to trial."""

    x_PN: Tensor  # activation, before the nonlinearity
    rate_PN: Tensor  # firing rate, clamped neurons included
    p_PNN: Tensor  # plastic weight from j to i
    elig_PNN: Tensor  # eligibility trace of the same connection
    baseline_PC: Tensor  # running mean of the outcome, C = number of trial kinds (1 if single)
    mean_correct_P: Tensor  # running mean of correctness, for the prediction-error feedback
    mean_reward_P: Tensor  # running mean of a trial's reward, for the error of its prediction
    mean_PN: Tensor  # running mean of each rate, for rules that centre rates
    mean_loss_P: Tensor  # running mean of the loss that is shown, for its prediction error


def where_taught(taught_P: Tensor | None, learnt: Tensor, kept: Tensor) -> Tensor:
    """What has been learnt by individuals that may learn; for those at a probe, what was before."""
    if taught_P is None:
        return learnt
    return torch.where(taught_P.view(-1, *[1] * (learnt.ndim - 1)), learnt, kept)


def after_probes(
    taught_P: Tensor | None, state: NetworkState, before: NetworkState
) -> NetworkState:
    """The state after a trial of which a probe leaves activity alone, the rest as it was before."""
    if taught_P is None:
        return state
    activity = ("x_PN", "rate_PN")
    return NetworkState(
        *(
            new if name in activity else where_taught(taught_P, new, old)
            for name, new, old in zip(NetworkState._fields, state, before, strict=True)
        )
    )


def newborn(
    num_individuals: int,
    groups: NeuronGroups,
    config: DynamicsConfig,
    num_kinds: int,
    dtype: torch.dtype,
    device: torch.device,
) -> NetworkState:
    """The state at birth: p = 0, x = initial activation but 0 on stimulus, feedback and bias."""
    shape = (num_individuals, groups.num_neurons)
    x_PN = torch.full(shape, config.initial_activation, dtype=dtype, device=device)
    x_PN[:, : groups.num_unconnected] = 0.0
    rate_PN = x_PN.clone()
    rate_PN[:, groups.bias] = config.bias_rate
    matrix = (num_individuals, groups.num_neurons, groups.num_neurons)
    return NetworkState(
        x_PN=x_PN,
        rate_PN=rate_PN,
        p_PNN=torch.zeros(matrix, dtype=dtype, device=device),
        elig_PNN=torch.zeros(matrix, dtype=dtype, device=device),
        baseline_PC=torch.zeros((num_individuals, num_kinds), dtype=dtype, device=device),
        mean_correct_P=torch.full(
            (num_individuals,), 1.0 / groups.num_outputs, dtype=dtype, device=device
        ),
        mean_reward_P=torch.zeros(num_individuals, dtype=dtype, device=device),
        mean_PN=torch.zeros(shape, dtype=dtype, device=device),
        mean_loss_P=torch.full(
            (num_individuals,), 1.0 - 1.0 / groups.num_outputs, dtype=dtype, device=device
        ),
    )
