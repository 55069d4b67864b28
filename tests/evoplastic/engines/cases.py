"""Small lifetimes for tests: a toy task, random networks, short trials."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from evoplastic.genome.config import GenomeConfig
from evoplastic.lifetime.batch import LifetimeBatch, PlasticParams
from evoplastic.lifetime.config import (
    DynamicsConfig,
    LifetimeConfig,
    PerturbationConfig,
)
from evoplastic.modulation.config import ModulationConfig
from evoplastic.modulation.fields import decode as decode_modulation
from evoplastic.modulation.fields import modulation_fields
from evoplastic.modulation.table import Channel
from evoplastic.network.intrinsic import decode_intrinsic, intrinsic_fields
from evoplastic.network.neurons import NeuronGroups
from evoplastic.rules.coefficients import Evolvable
from evoplastic.rules.config import RuleConfig
from evoplastic.rules.decoding import decode
from evoplastic.rules.fields import rule_fields
from evoplastic.trials.stacked import stack_tables
from evoplastic.trials.table import TrialTable, fixed_timing_table
from evoplastic.trials.timing import TrialTiming

TIMING = TrialTiming(dt_ms=20.0, num_steps=12, response=(5, 8), feedback=(9, 11))


def make_bank(
    seed: int,
    *,
    task: str = "toy",
    num_entries: int = 5,
    num_inputs: int = 2,
    num_outputs: int = 2,
    num_kinds: int = 3,
    timing: TrialTiming = TIMING,
) -> TrialTable:
    """A table of random trials of fixed timing; rewards are graded."""
    random = np.random.default_rng(seed)
    shape = (num_entries, timing.num_steps, num_inputs)
    return fixed_timing_table(
        task=task,
        timing=timing,
        stimulus_MTI=random.choice([-1.0, 0.0, 0.5, 1.0], shape).astype(np.float32),
        target_action_M=random.permutation(np.arange(num_entries) % num_outputs),
        reward_MO=random.normal(size=(num_entries, num_outputs)).astype(np.float32),
        kind_M=(np.arange(num_entries) % num_kinds).astype(np.int64),
    )


def changed(table: TrialTable, **fields: Any) -> TrialTable:
    """A table of fixed timing with other trials: fields of `fixed_timing_table`."""
    fixed = table.fixed
    same = {
        "task": table.task,
        "timing": fixed.timing,
        "stimulus_MTI": fixed.stimulus_MTI,
        "target_action_M": fixed.target_action_M,
        "reward_MO": fixed.reward_MO,
        "kind_M": table.kind_M,
    }
    return fixed_timing_table(**{**same, **fields})


def make_params(
    groups: NeuronGroups, num_individuals: int, *, gain: float = 1.2, seed: int = 0
) -> PlasticParams:
    """Random networks; alpha has both signs, as after a mutation."""
    random = np.random.default_rng(seed)
    shape = (num_individuals, groups.num_neurons, groups.num_neurons)
    w = random.normal(size=shape) * gain / np.sqrt(groups.num_neurons)
    w[:, : groups.num_unconnected] = 0.0
    alpha = random.normal(0.5, 0.4, shape)
    return PlasticParams(
        torch.from_numpy(w.astype(np.float32)), torch.from_numpy(alpha.astype(np.float32))
    )


def with_evolved(
    params: PlasticParams, groups: NeuronGroups, rule: RuleConfig, *, seed: int = 0
) -> PlasticParams:
    """The same networks with numbers of their rule as first genomes have them, one seed each."""
    values: dict[str, list[torch.Tensor]] = {}
    for individual in range(len(params.w_PNN)):
        for field in rule_fields(rule):
            begun = field.init(groups, seed + individual, GenomeConfig())
            values.setdefault(field.name, []).append(begun)
    stacked = {name: torch.stack(each) for name, each in values.items()}
    return params._replace(rule=decode(rule, groups, stacked))


GATED: dict[str, Any] = {
    "name": "gated",
    "num_neurons": 3,
    "channels": (
        Channel(target="gain", spread=0.5),
        Channel(target="threshold", spread=0.3),
    ),
}  # three modulatory neurons onto activity, for the section of the modulation


def with_fan_outs(
    params: PlasticParams, groups: NeuronGroups, config: LifetimeConfig, *, seed: int = 0
) -> PlasticParams:
    """The same networks with fan-outs as first genomes have them, one seed each."""
    rule = config.rule.table
    values: dict[str, list[torch.Tensor]] = {"w": list(params.w_PNN)}
    for individual in range(len(params.w_PNN)):
        for field in modulation_fields(config.modulation, rule):
            begun = field.init(groups, seed + individual, GenomeConfig())
            values.setdefault(field.name, []).append(begun)
    stacked = {name: torch.stack(each) for name, each in values.items()}
    return params._replace(modulation=decode_modulation(config.modulation, rule, groups, stacked))


OWN_INTRINSIC: dict[str, Any] = {
    "tau_ms": Evolvable(form="target", init=90.0, spread=0.4, transform="positive", lower=20.0),
    "threshold": Evolvable(form="target", spread=0.3),
}  # time constants and thresholds of each neuron, for the section of the dynamics


def with_intrinsic(
    params: PlasticParams, groups: NeuronGroups, config: DynamicsConfig, *, seed: int = 0
) -> PlasticParams:
    """The same networks with numbers of neurons as first genomes have them, one seed each."""
    values = {
        field.name: torch.stack(
            [field.init(groups, seed + p, GenomeConfig()) for p in range(len(params.w_PNN))]
        )
        for field in intrinsic_fields(config)
    }
    return params._replace(intrinsic=decode_intrinsic(config, groups, values))


def make_batch(
    banks: list[TrialTable],
    num_individuals: int,
    *,
    seed: int = 5,
    epoch: int = 3,
    shared_noise: bool = False,
    evaluation: bool = False,
) -> LifetimeBatch:
    """Individuals that take turns in living the banks, every one on streams of its own."""
    stream_P = 7 + np.arange(num_individuals, dtype=np.int64)
    return LifetimeBatch(
        tasks=stack_tables(banks),
        task_P=np.arange(num_individuals, dtype=np.int64) % len(banks),
        seed=seed,
        epoch=epoch,
        trial_stream_P=stream_P,
        perturb_stream_P=np.zeros_like(stream_P) if shared_noise else stream_P + 100,
        evaluation=evaluation,
    )


def make_config(
    *,
    dynamics: dict[str, Any] | None = None,
    perturbation: dict[str, Any] | None = None,
    rule: dict[str, Any] | None = None,
    modulation: dict[str, Any] | None = None,
    **lifetime: Any,
) -> LifetimeConfig:
    """A lifetime of 8 short trials, plastic from trial 2 on, its last 2 trials unperturbed."""
    return LifetimeConfig(
        **{"num_trials": 8, "scored_trials": 3, **lifetime},
        dynamics=DynamicsConfig(**(dynamics or {})),
        perturbation=PerturbationConfig(**{"quiet_trials": 2, **(perturbation or {})}),
        rule=RuleConfig(**{"first_trial": 2, **(rule or {})}),
        modulation=ModulationConfig(**(modulation or {})),
    )
