"""A short life on the GPU engine beside the reference: is this machine's GPU fit to be chosen?

Compilers and drivers differ between machines more than tests can cover, so the automatic choice
of the GPU engine rests on what it does here, today, with the kernel that will be used: that of the
rule's schedule, the network's layout, the kind of trials and, with streams of tasks, their course.
Asked for by name, it runs unchecked.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from evoplastic.engines.demand import Demand
from evoplastic.engines.gpu.engine import gpu_covers, run_gpu
from evoplastic.engines.reference.engine import run_reference
from evoplastic.genome.config import GenomeConfig
from evoplastic.lifetime.batch import LifetimeBatch, PlasticParams
from evoplastic.lifetime.config import DynamicsConfig, LifetimeConfig, PerturbationConfig
from evoplastic.modulation.config import ModulationConfig
from evoplastic.modulation.fields import decode as decode_modulation
from evoplastic.modulation.fields import modulation_fields
from evoplastic.network.intrinsic import decode_intrinsic, intrinsic_fields
from evoplastic.network.neurons import NeuronGroups
from evoplastic.rules.coefficients import Evolvable
from evoplastic.rules.config import RuleConfig
from evoplastic.rules.decoding import decode
from evoplastic.rules.fields import rule_fields
from evoplastic.rules.table import When
from evoplastic.trials.course import Course
from evoplastic.trials.stacked import stack_tables
from evoplastic.trials.table import TrialTable, fixed_timing_table
from evoplastic.trials.timing import ANSWER, HOLD, OVER_RIGHT, OVER_WRONG, TrialTiming
from evoplastic.trials.wiring import Wiring
from evoplastic.types import Interface

TOLERANCE = 1e-3  # of a trial's loss; rounding makes 1e-6 in this short, calm life
INDIVIDUALS = 3
# Learning rates with which the losses of so short a life are far from those without plasticity.
EAGER: dict[When, float] = {"outcome": 20.0, "step": 0.2}


OWN_INTRINSIC = DynamicsConfig(
    tau_ms=Evolvable(form="target", init=90.0, spread=0.3, transform="positive", lower=20.0),
    threshold=Evolvable(form="target", spread=0.2),
)


def shortened(demand: Demand) -> Demand:
    """What the short life asks for: the kernel of a demand, and nothing of what is not compiled.

    Demands that use the same kernel are shortened to the same one.
    """
    config = demand.config
    rule = config.rule
    return demand._replace(
        config=LifetimeConfig(
            num_trials=4,
            scored_trials=1,
            feedback=config.feedback,
            dynamics=OWN_INTRINSIC if config.dynamics.differs_between_neurons else DynamicsConfig(),
            perturbation=PerturbationConfig(probability=0.5, first_step=0, quiet_trials=0),
            rule=RuleConfig(
                name=rule.name,
                definition=rule.definition,
                coefficients=_of_short_life(rule),
                tau_elig_ms=rule.tau_elig_ms if isinstance(rule.tau_elig_ms, Evolvable) else None,
                normalises=rule.normalises,
                max_change=0.5,
                first_trial=1,
                baseline=rule.baseline,
                outcome=rule.outcome,
                gate=rule.gate,
            ),
            modulation=_spread(config.modulation),
        )
    )


def _spread(modulation: ModulationConfig) -> ModulationConfig:
    """The same channels with fan-outs that do something from birth on."""
    table = modulation.table
    channels = tuple(replace(channel, spread=0.5) for channel in table.channels)
    return ModulationConfig(name="check", num_neurons=table.num_neurons, channels=channels)


def _of_short_life(rule: RuleConfig) -> dict[str, float | Evolvable]:
    """Coefficients of the forms that the kernel is compiled for, and a large learning rate."""
    settings = dict(rule.settings)
    eta = settings.get("eta")
    if eta is not None:
        eager = EAGER[rule.table.when]
        settings["eta"] = eager
        if isinstance(eta, Evolvable):
            settings["eta"] = replace(eta, init=eager, lower=None, upper=None)
    return settings


def fault_of_gpu(demand: Demand, device: torch.device | str = "cuda") -> str | None:
    """What is wrong with the engine on this device, or None if it agrees with the reference.

    Args:
        demand: what it will be used for, `shortened`: its very kernel is tried.
        device: where it is tried.
    """
    case = short_life(demand)
    reason = gpu_covers(*case[1:])
    if reason is not None:
        return f"it does not cover {reason}"
    try:
        ours = run_gpu(*case, device=device)
    except Exception as error:  # whatever a driver or compiler raises, the answer is the same
        lines = str(error).strip().splitlines() or [""]
        return f"it failed its check with {type(error).__name__}: {lines[-1]}"
    expected = run_reference(*case).result
    difference = float((ours.loss_PK - expected.loss_PK).abs().max())
    if not difference <= TOLERANCE:
        return f"its losses differ from the reference's by {difference:.1e} in a short check"
    return None


def short_life(
    demand: Demand,
) -> tuple[PlasticParams, NeuronGroups, LifetimeBatch, LifetimeConfig]:
    """Some individuals of the demanded network, in trials that some get right and others wrong."""
    groups, size = demand.groups, demand.groups.num_neurons
    lines = groups.interface
    generator = torch.Generator().manual_seed(0)
    w_PNN = 0.8 / size**0.5 * torch.randn(INDIVIDUALS, size, size, generator=generator)
    stream_P = np.arange(INDIVIDUALS)
    straight = Wiring(
        np.tile(np.arange(lines.num_inputs), (INDIVIDUALS, 1)),
        np.tile(np.arange(lines.num_outputs), (INDIVIDUALS, 1)),
    )
    trials = _self_paced_trials(lines) if demand.self_paced else _fixed_trials(lines)
    if demand.streams:
        trials = replace(trials, course=_course(demand.config.num_trials))
    batch = LifetimeBatch(
        tasks=stack_tables([trials]),
        task_P=np.zeros(INDIVIDUALS, np.int64),
        seed=1,
        epoch=0,
        trial_stream_P=stream_P,
        perturb_stream_P=stream_P,
        wiring=straight if demand.self_paced else None,
    )
    return _of_first_genomes(demand.config, groups, w_PNN), groups, batch, demand.config


def _of_first_genomes(config: LifetimeConfig, groups: NeuronGroups, w_PNN: Tensor) -> PlasticParams:
    """These networks, with what some first genomes have besides."""
    rule = config.rule
    fields = (
        *rule_fields(rule),
        *modulation_fields(config.modulation, rule.table),
        *intrinsic_fields(config.dynamics),
    )
    values = {
        field.name: torch.stack(
            [field.init(groups, seed, GenomeConfig()) for seed in range(INDIVIDUALS)]
        )
        for field in fields
    }
    return PlasticParams(
        w_PNN,
        torch.full_like(w_PNN, 0.5),
        rule=decode(rule, groups, values),
        modulation=decode_modulation(config.modulation, rule.table, groups, {"w": w_PNN, **values}),
        intrinsic=decode_intrinsic(config.dynamics, groups, values),
    )


def _fixed_trials(lines: Interface) -> TrialTable:
    timing = TrialTiming(dt_ms=20.0, num_steps=12, response=(5, 8), feedback=(9, 11))
    stimulus_MTI = np.zeros((2, 12, lines.num_inputs), np.float32)
    stimulus_MTI[:, :4] = np.array([1.0, -1.0])[:, None, None]
    stimulus_MTI[:, :4, 1::2] *= -1.0
    return fixed_timing_table(
        task="check",
        timing=timing,
        stimulus_MTI=stimulus_MTI,
        target_action_M=np.arange(2),
        reward_MO=np.eye(2, lines.num_outputs, dtype=np.float32),
        kind_M=np.arange(2),
    )


def _course(num_trials: int) -> Course:
    """Trials drawn at random, the last but one of them a probe."""
    trial_K = np.arange(num_trials)
    same = np.zeros_like(trial_K)
    return Course(
        parts=("check",),
        tasks=("check",),
        part_K=same,
        task_K=same,
        probe_K=trial_K == num_trials - 2,
        start_K=same,
        size_K=same + 2,
        block_K=same + 1,
        key_K=trial_K,
        offset_K=trial_K // 2,
    )


def _self_paced_trials(lines: Interface) -> TrialTable:
    """Two trials: two steps of holding action 0, which any other ends, then the answer 0 or 1."""
    I, O = lines.num_inputs, lines.num_outputs
    observation_VI = np.zeros((6, I), np.float32)
    observation_VI[:, -1] = (1, 1, 0, 1, 1, 1)
    observation_VI[:, 0] += (0, 0, 1, 0, 0, 1)
    reward_VO, next_VO = np.zeros((6, O), np.float32), np.full((6, O), OVER_WRONG, np.int32)
    reward_VO[[0, 1, 3, 4], 1:] = -0.1
    next_VO[[0, 1, 3, 4], 0] = (1, 2, 4, 5)
    for state, answer in ((2, 0), (5, 1)):
        reward_VO[state, answer], next_VO[state, answer] = 1.0, OVER_RIGHT
    return TrialTable(
        task="check",
        dt_ms=20.0,
        observation_VI=observation_VI,
        target_action_V=np.array([0, 0, 0, 0, 0, 1]),
        flags_V=np.array([HOLD, HOLD, ANSWER] * 2, np.int8),
        reward_VO=reward_VO,
        next_VO=next_VO,
        first_M=np.array([0, 3]),
        kind_M=np.arange(2),
    )
