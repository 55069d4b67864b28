"""Trials of fixed timing, in plain PyTorch: the answer is read in a window, the outcome follows.

Source: Miconi 2023 (ICML, PMLR 202:24756) and its published code, for the order within a step.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from evoplastic.engines.reference.choosing import Choose
from evoplastic.engines.reference.plasticity import Activity, Plasticity
from evoplastic.engines.reference.recorder import Recorder
from evoplastic.engines.reference.stepping import Stepping, TrialOutcome
from evoplastic.lifetime.batch import LifetimeBatch, PlasticParams
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.lifetime.intervention import Intervention
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
from evoplastic.network.state import NetworkState, after_probes
from evoplastic.random.draws import trial_perturbations
from evoplastic.trials.order import taught_at, trial_numbers


class BroughtTrial(NamedTuple):
    """What one trial brings to P individuals."""

    stimulus_PTI: Tensor
    target_PO: Tensor  # target_high for the target action, else target_low
    target_action_P: Tensor
    reward_PO: Tensor
    kind_P: Tensor
    xi_PTN: Tensor
    taught_P: Tensor | None  # at probes nothing is learnt; none where there are no probes


def bring_trial(
    trial: int,
    groups: NeuronGroups,
    batch: LifetimeBatch,
    config: LifetimeConfig,
    dtype: torch.dtype,
    device: torch.device,
) -> BroughtTrial:
    """What a trial of a lifetime brings, drawn for each individual."""
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

    return BroughtTrial(
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
    brought: BroughtTrial,
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


def run_fixed_trial(
    trial: int,
    brought: BroughtTrial,
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
    """Live one trial of every individual; the order within a step is that of the published code."""
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
