"""Whole lifetimes in plain PyTorch: the definition that the fused engines must equal.

Written to be read. Runs in float32 or float64 on any device and knows every option.
Source: Miconi 2023 (ICML, PMLR 202:24756) and its published code, for the order within a step.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch

from evoplastic.engines.reference.choosing import Choose, largest
from evoplastic.engines.reference.fixed_timing import bring_trial, run_fixed_trial
from evoplastic.engines.reference.plasticity import Plasticity
from evoplastic.engines.reference.recorder import Recorder
from evoplastic.engines.reference.self_paced import enter_world, run_self_paced_trial
from evoplastic.engines.reference.stepping import TrialOutcome
from evoplastic.engines.reference.threads import one_thread
from evoplastic.lifetime.batch import LifetimeBatch, LifetimeResult, PlasticParams
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.lifetime.intervention import NOTHING, Intervention
from evoplastic.lifetime.recording import Recorded, Recording
from evoplastic.network.neurons import NeuronGroups
from evoplastic.network.state import NetworkState, newborn
from evoplastic.trials.world import World
from evoplastic.watching import at


class Trace(NamedTuple):
    """A lifetime seen from inside: the result, the state at death, and what was recorded."""

    result: LifetimeResult
    state: NetworkState
    recorded: Recorded | None


@one_thread()
@torch.no_grad()
def run_reference(
    params: PlasticParams,
    groups: NeuronGroups,
    batch: LifetimeBatch,
    config: LifetimeConfig,
    *,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
    recording: Recording | None = None,
    intervention: Intervention = NOTHING,
) -> Trace:
    """Live P whole lifetimes, trial by trial and step by step.

    Args:
        params: innate weights and plasticity coefficients [P, N, N].
        groups: which neuron does what.
        batch: tasks and random streams of the individuals.
        config: everything else about the lifetime.
        dtype: torch.float32, or torch.float64 for exact comparisons.
        device: any torch device.
        recording: activity, modulation, traces or weights to keep.
        intervention: rates that are overwritten, trials from which on nothing changes; lesioned
            are the networks already.
    """
    lives, state = begin(
        params,
        groups,
        batch,
        config,
        dtype=dtype,
        device=device,
        recording=recording,
        intervention=intervention,
    )
    outcomes = []
    for trial in range(config.num_trials):
        at("trial", trial + 1, config.num_trials)
        state, outcome = lives.live_trial(trial, state)
        outcomes.append(outcome)
    return Trace(lives.result(outcomes), state, lives.recorder.recorded)


class Lives(NamedTuple):
    """What stays while the state of P lifetimes changes."""

    params: PlasticParams
    plasticity: Plasticity
    groups: NeuronGroups
    batch: LifetimeBatch
    config: LifetimeConfig
    world: World | None  # of self-paced trials
    recorder: Recorder
    choose: Choose
    intervention: Intervention

    def live_trial(self, trial: int, state: NetworkState) -> tuple[NetworkState, TrialOutcome]:
        """One trial of every individual."""
        params, plasticity, groups, batch, config, world, recorder, choose, done = self
        if world is not None:
            return run_self_paced_trial(
                trial,
                world,
                params,
                plasticity,
                state,
                groups,
                batch,
                config,
                recorder,
                choose,
                done,
            )
        dtype, device = state.x_PN.dtype, state.x_PN.device
        brought = bring_trial(trial, groups, batch, config, dtype, device)
        return run_fixed_trial(
            trial, brought, params, plasticity, state, groups, batch, config, recorder, choose, done
        )

    def result(self, outcomes: Sequence[TrialOutcome]) -> LifetimeResult:
        """What whole lifetimes leave behind."""
        # One after the other, in an order that does not depend on how many individuals there are.
        roughness_P = sum((o.roughness_P for o in outcomes[1:]), outcomes[0].roughness_P)
        roughness_P = roughness_P / self.config.num_trials
        loss_PK = torch.stack([o.loss_P for o in outcomes], dim=1).cpu()
        if self.world is not None:
            loss_PK[torch.from_numpy(self.world.failed_P)] = torch.nan
        return LifetimeResult(
            loss_PK=loss_PK,
            correct_PK=torch.stack([o.correct_P for o in outcomes], dim=1).cpu(),
            reward_PK=torch.stack([o.reward_P for o in outcomes], dim=1).cpu(),
            smoothness_P=roughness_P.cpu(),
            steps_PK=torch.stack([o.steps_P for o in outcomes], dim=1).cpu(),
        )


def begin(
    params: PlasticParams,
    groups: NeuronGroups,
    batch: LifetimeBatch,
    config: LifetimeConfig,
    *,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
    recording: Recording | None = None,
    choose: Choose = largest,
    intervention: Intervention = NOTHING,
) -> tuple[Lives, NetworkState]:
    """P lifetimes before their first trial; see `run_reference`."""
    device = torch.device(device)
    params = params.each(lambda tensor: tensor.to(device, dtype))
    plasticity = Plasticity.of(config.rule, params.rule, groups, batch.tasks.dt_ms)
    num_kinds = batch.tasks.num_kinds if config.rule.baseline == "kind" else 1
    state = newborn(len(params.w_PNN), groups, config.dynamics, num_kinds, dtype, device)
    world = None
    if batch.self_paced:
        world, state = enter_world(state, groups, batch, config)
    steps = batch.tables.num_steps if world is None else world.max_trial_steps
    recorder = Recorder(recording, len(params.w_PNN), steps, groups, dtype)
    return (
        Lives(params, plasticity, groups, batch, config, world, recorder, choose, intervention),
        state,
    )
