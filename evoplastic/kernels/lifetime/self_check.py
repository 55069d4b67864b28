"""A short life on the GPU engine beside the reference: is this machine's GPU fit to be chosen?

Compilers and drivers differ between machines more than tests can cover, so the automatic choice
of the GPU engine rests on what it does here, today. Asked for by name, it runs unchecked.
"""

from __future__ import annotations

import numpy as np
import torch

from evoplastic.kernels.lifetime.gpu import run_gpu
from evoplastic.kernels.lifetime.reference import run_reference
from evoplastic.lifetime import LifetimeConfig, PerturbationConfig, PlasticityConfig
from evoplastic.network.neurons import NeuronGroups
from evoplastic.types import LifetimeBatch, PlasticParams, TrialBank, TrialTiming, stack_banks

TOLERANCE = 1e-3  # of a trial's loss; rounding makes 1e-6 in this short, calm life


def fault_of_gpu(device: torch.device | str = "cuda") -> str | None:
    """What is wrong with the engine on this device, or None if it agrees with the reference."""
    case = _short_life()
    try:
        ours = run_gpu(*case, device=device)
    except Exception as error:  # whatever a driver or compiler raises, the answer is the same
        reason = str(error).strip().splitlines() or [""]
        return f"it failed its check with {type(error).__name__}: {reason[-1]}"
    expected = run_reference(*case).result
    difference = float((ours.loss_PK - expected.loss_PK).abs().max())
    if not difference <= TOLERANCE:
        return f"its losses differ from the reference's by {difference:.1e} in a short check"
    return None


def _short_life() -> tuple[PlasticParams, NeuronGroups, LifetimeBatch, LifetimeConfig]:
    timing = TrialTiming(dt_ms=20.0, num_steps=12, response=(5, 8), feedback=(9, 11))
    stimulus_MTI = np.zeros((2, 12, 2), np.float32)
    stimulus_MTI[0, :4] = (1.0, -1.0)
    stimulus_MTI[1, :4] = (-1.0, 1.0)
    target_MO = np.eye(2, dtype=np.float32)
    bank = TrialBank(
        task="check",
        timing=timing,
        stimulus_MTI=stimulus_MTI,
        target_MO=target_MO,
        reward_MO=target_MO,
        kind_M=np.arange(2),
    )
    groups = NeuronGroups(num_neurons=16)
    generator = torch.Generator().manual_seed(0)
    w_PNN = 0.2 * torch.randn(2, 16, 16, generator=generator)
    stream_P = np.arange(2)
    batch = LifetimeBatch(stack_banks([bank]), np.zeros(2, np.int64), 1, 0, stream_P, stream_P)
    config = LifetimeConfig(
        num_trials=4,
        scored_trials=1,
        perturbation=PerturbationConfig(probability=0.5, quiet_trials=0),
        plasticity=PlasticityConfig(first_trial=1),
    )
    return PlasticParams(w_PNN, torch.full_like(w_PNN, 0.5)), groups, batch, config
