"""Whole lifetimes in plain PyTorch: the definition that the fused engines must equal.

Written to be read. Runs in float32 or float64 on any device and knows every option.
Source: Miconi 2023 (ICML, PMLR 202:24756) and its published code, for the order within a step.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from evoplastic.engines.reference.choosing import Choose, largest
from evoplastic.engines.reference.plasticity import Activity, Plasticity
from evoplastic.engines.reference.recorder import Recorder
from evoplastic.engines.reference.self_paced import enter_world, run_self_paced_trial
from evoplastic.engines.reference.stepping import Stepping, TrialOutcome
from evoplastic.engines.reference.threads import one_thread
from evoplastic.lifetime.batch import LifetimeBatch, LifetimeResult, PlasticParams
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.lifetime.intervention import NOTHING, Intervention
from evoplastic.lifetime.recording import Recorded, Recording
from evoplastic.modulation.params import network_signals
from evoplastic.network.dynamics import (
    modulatory_signal,
    writable,
)
from evoplastic.network.neurons import NeuronGroups
from evoplastic.network.outcome import (
    feedback_rates,
    outcome_seen,
)
from evoplastic.network.state import NetworkState, after_probes, newborn
from evoplastic.random.draws import trial_perturbations
from evoplastic.trials.order import taught_at, trial_numbers
from evoplastic.trials.world import World
from evoplastic.watching import at


class Trace(NamedTuple):
    """A lifetime seen from inside: the result, the state at death, and what was recorded."""

    result: LifetimeResult
    state: NetworkState
    recorded: Recorded | None


class _Trial(NamedTuple):
    """What one trial brings to P individuals."""

    stimulus_PTI: Tensor
    target_PO: Tensor  # target_high for the target action, else target_low
    target_action_P: Tensor
    reward_PO: Tensor
    kind_P: Tensor
    xi_PTN: Tensor
    taught_P: Tensor | None  # at probes nothing is learnt; none where there are no probes


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
        brought = _bring_trial(trial, groups, batch, config, dtype, device)
        return _run_trial(
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


def _bring_trial(
    trial: int,
    groups: NeuronGroups,
    batch: LifetimeBatch,
    config: LifetimeConfig,
    dtype: torch.dtype,
    device: torch.device,
) -> _Trial:
    tables, fixed = batch.tables, batch.tables.fixed
    number_P = trial_numbers(batch.trial_streams, tables, trial)
    xi_STN, stream_P = trial_perturbations(batch, trial, tables.num_steps, groups, config)
    xi_PTN, taught_P = xi_STN[stream_P], None
    if tables.has_probes:
        of_individuals = taught_at(batch.trial_streams, tables, trial)
        xi_PTN[~of_individuals] = 0.0
        taught_P = torch.from_numpy(of_individuals).to(device)

    def tensor(array: np.ndarray) -> Tensor:
        return torch.from_numpy(array).to(device, dtype)

    return _Trial(
        stimulus_PTI=tensor(fixed.stimulus_MTI[number_P]),
        target_PO=tensor(fixed.target_MO[number_P]).clamp(config.target_low, config.target_high),
        target_action_P=torch.from_numpy(fixed.target_action_M[number_P]).to(device),
        reward_PO=tensor(fixed.reward_MO[number_P]),
        kind_P=torch.from_numpy(tables.kind_M[number_P]).to(device),
        xi_PTN=tensor(xi_PTN),
        taught_P=taught_P,
    )


class _Answer(NamedTuple):
    """What the choice of a trial is, and what follows from it."""

    choice_P: Tensor
    correct_P: Tensor
    reward_P: Tensor
    action_PO: Tensor  # rates of the neurons that carry the chosen action
    log_chance_P: Tensor | None
    entropy_P: Tensor | None


def _answer(
    activity_PO: Tensor,
    trial: int,
    step: int,
    brought: _Trial,
    config: LifetimeConfig,
    window: int,
    choose: Choose,
) -> _Answer:
    choice_P, log_chance_P, entropy_P = choose(activity_PO, window, trial, step)
    chosen_PO = torch.nn.functional.one_hot(choice_P, activity_PO.shape[1])
    return _Answer(
        choice_P,
        choice_P == brought.target_action_P,
        brought.reward_PO.gather(1, choice_P[:, None])[:, 0],
        config.dynamics.action_gain * chosen_PO.to(activity_PO.dtype),
        log_chance_P,
        entropy_P,
    )


def _run_trial(
    trial: int,
    brought: _Trial,
    params: PlasticParams,
    plasticity: Plasticity,
    state: NetworkState,
    groups: NeuronGroups,
    batch: LifetimeBatch,
    config: LifetimeConfig,
    recorder: Recorder,
    choose: Choose,
    intervention: Intervention,
) -> tuple[NetworkState, TrialOutcome]:
    timing, chosen, rule, began = batch.tables.fixed.timing, config.rule, plasticity.rule, state
    taught_P = brought.taught_P
    stepping = Stepping.of(
        trial, params, plasticity, groups, config, timing.dt_ms, taught_P, intervention
    )
    window = timing.response[1] - timing.response[0]
    loss_P = torch.zeros_like(state.mean_correct_P)
    roughness_P = torch.zeros_like(state.mean_correct_P)
    signal_before_PK = torch.zeros_like(state.rate_PN[:, groups.modulators])
    activity_PO = torch.zeros_like(brought.target_PO)
    w_eff_PNN = stepping.strengths(state.p_PNN)
    answer: _Answer | None = None  # from the first feedback step on, which every trial has
    feedback_PF = torch.zeros_like(state.rate_PN[:, groups.feedback])

    recorder.meet(trial, brought.kind_P)
    recorder.ask(trial, brought.target_action_P)
    for step in range(timing.num_steps):
        before, xi_PN = state, brought.xi_PTN[:, step]
        x_PN, rate_PN = stepping.advance(before.x_PN, before.rate_PN, w_eff_PNN, xi_PN)
        _clamp(rate_PN, brought.stimulus_PTI[:, step], groups, config)
        intervention.impose(rate_PN, trial, step, groups)
        if step in range(*timing.response):
            response_PO = rate_PN[:, groups.response]
            activity_PO = activity_PO + response_PO
            loss_P = loss_P + ((response_PO - brought.target_PO) ** 2).sum(1) / window
        else:
            rate_PN[:, groups.response] = 0.0

        in_feedback = step in range(*timing.feedback)
        activity = Activity(before.rate_PN, rate_PN, xi_PN, before.mean_PN)
        elig_PNN = plasticity.advance_trace(before.elig_PNN, activity)
        recorder.step(trial, step, "mod", modulatory_signal(rate_PN, groups))
        signal_PK = network_signals(params.modulation, rate_PN, groups)
        changes = rule.when == "step" and (chosen.gate == "always" or in_feedback)
        if step == timing.feedback[0]:
            answer = _answer(activity_PO, trial, step, brought, config, window, choose)
            recorder.step(trial, step, "choice", answer.choice_P)
            correct_P, reward_P = answer.correct_P, answer.reward_P
            outcome_P = outcome_seen(loss_P, correct_P, reward_P, config)
            feedback_PF = stepping.silent_at_probes(
                feedback_rates(loss_P, correct_P, reward_P, state, config)
            )
            if rule.modulator == "outcome":
                signal_PK = stepping.signal_of_outcome(state, brought.kind_P, outcome_P)
            changes = changes or rule.when == "outcome"
            state = stepping.remembered(
                state, brought.kind_P, outcome_P, correct_P, reward_P, loss_P
            )

        if stepping.may_change and rule.modulator == "network":
            if step > 0:
                roughness_P = stepping.rougher(roughness_P, signal_PK, signal_before_PK)
            signal_before_PK = signal_PK
        p_PNN = before.p_PNN
        if stepping.may_change and changes:
            p_PNN = stepping.changed(p_PNN, activity, elig_PNN, before.elig_PNN, signal_PK)
            w_eff_PNN = stepping.strengths(p_PNN)
        if in_feedback and answer is not None:
            rate_PN = writable(rate_PN)
            rate_PN[:, groups.feedback] = feedback_PF
            rate_PN[:, groups.action] = answer.action_PO
        mean_PN = plasticity.advance_mean(before.mean_PN, rate_PN)
        state = state._replace(
            x_PN=x_PN, rate_PN=rate_PN, p_PNN=p_PNN, elig_PNN=elig_PNN, mean_PN=mean_PN
        )
        recorder.step(trial, step, "rate", rate_PN)

    assert answer is not None, "every trial has a feedback window"
    end = after_probes(taught_P, state, began)
    recorder.end_trial(trial, end.elig_PNN, end.p_PNN)
    steps_P = torch.full_like(answer.correct_P, timing.num_steps, dtype=torch.int32)
    return end, TrialOutcome(
        loss_P,
        answer.correct_P,
        answer.reward_P,
        roughness_P,
        steps_P,
        answer.log_chance_P,
        answer.entropy_P,
    )


def _clamp(
    rate_PN: Tensor, stimulus_PI: Tensor, groups: NeuronGroups, config: LifetimeConfig
) -> None:
    """Set the rates that come from outside, in place; feedback and action are not known yet."""
    rate_PN[:, groups.stimulus] = config.dynamics.stimulus_gain * stimulus_PI
    rate_PN[:, groups.bias] = config.dynamics.bias_rate
    rate_PN[:, groups.feedback] = 0.0
    rate_PN[:, groups.action] = 0.0
