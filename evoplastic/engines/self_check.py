"""A short life on the GPU engine beside the reference: is this machine's GPU fit to be chosen?

Compilers and drivers differ between machines more than tests can cover, so the automatic choice
of the GPU engine rests on what it does here, today. Asked for by name, it runs unchecked.
"""

from __future__ import annotations

import numpy as np
import torch

from evoplastic.engines.gpu.engine import run_gpu
from evoplastic.engines.reference.engine import run_reference
from evoplastic.lifetime.batch import LifetimeBatch, PlasticParams
from evoplastic.lifetime.config import LifetimeConfig, PerturbationConfig
from evoplastic.network.neurons import NeuronGroups
from evoplastic.rules.config import RuleConfig
from evoplastic.trials.stacked import stack_tables
from evoplastic.trials.table import TrialTable, fixed_timing_table
from evoplastic.trials.timing import ANSWER, HOLD, OVER_RIGHT, OVER_WRONG, TrialTiming
from evoplastic.trials.wiring import Wiring

TOLERANCE = 1e-3  # of a trial's loss; rounding makes 1e-6 in this short, calm life


def fault_of_gpu(device: torch.device | str = "cuda", *, free: bool = False) -> str | None:
    """What is wrong with the engine on this device, or None if it agrees with the reference.

    Args:
        device: where it is tried.
        free: try trials that run freely, not paced ones: other kernels live them.
    """
    case = _short_life(free)
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


def _short_life(
    free: bool,
) -> tuple[PlasticParams, NeuronGroups, LifetimeBatch, LifetimeConfig]:
    groups = NeuronGroups(num_neurons=16)
    generator = torch.Generator().manual_seed(0)
    w_PNN = 0.2 * torch.randn(2, 16, 16, generator=generator)
    stream_P, lines_PL = np.arange(2), np.tile(np.arange(2), (2, 1))
    batch = LifetimeBatch(
        tasks=stack_tables([_self_paced_trials() if free else _fixed_trials()]),
        task_P=np.zeros(2, np.int64),
        seed=1,
        epoch=0,
        trial_stream_P=stream_P,
        perturb_stream_P=stream_P,
        wiring=Wiring(lines_PL, lines_PL) if free else None,
    )
    config = LifetimeConfig(
        num_trials=4,
        scored_trials=1,
        perturbation=PerturbationConfig(probability=0.5, quiet_trials=0),
        rule=RuleConfig(first_trial=1),
    )
    return PlasticParams(w_PNN, torch.full_like(w_PNN, 0.5)), groups, batch, config


def _fixed_trials() -> TrialTable:
    timing = TrialTiming(dt_ms=20.0, num_steps=12, response=(5, 8), feedback=(9, 11))
    stimulus_MTI = np.zeros((2, 12, 2), np.float32)
    stimulus_MTI[0, :4] = (1.0, -1.0)
    stimulus_MTI[1, :4] = (-1.0, 1.0)
    return fixed_timing_table(
        task="check",
        timing=timing,
        stimulus_MTI=stimulus_MTI,
        target_action_M=np.arange(2),
        reward_MO=np.eye(2, dtype=np.float32),
        kind_M=np.arange(2),
    )


def _self_paced_trials() -> TrialTable:
    """Two trials: two steps of holding action 0, which any other ends, then the answer 0 or 1."""
    hold, first, second = (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)
    over = [OVER_RIGHT, OVER_WRONG]
    return TrialTable(
        task="check",
        dt_ms=20.0,
        observation_VI=np.array([hold, hold, first, hold, hold, second], np.float32),
        target_action_V=np.array([0, 0, 0, 0, 0, 1]),
        flags_V=np.array([HOLD, HOLD, ANSWER] * 2, np.int8),
        reward_VO=np.array(
            [[0, -0.1], [0, -0.1], [1, 0], [0, -0.1], [0, -0.1], [0, 1]], np.float32
        ),
        next_VO=np.array(
            [[1, OVER_WRONG], [2, OVER_WRONG], over, [4, OVER_WRONG], [5, OVER_WRONG], over[::-1]],
            np.int32,
        ),
        first_M=np.array([0, 3]),
        kind_M=np.arange(2),
    )
