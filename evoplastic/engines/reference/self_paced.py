"""Self-paced trials, in plain PyTorch: an action and a reward at every step, own clocks.

Individuals whose trial is over wait, untouched, for those whose trial goes on. Since every draw has
the address (trial, step), waiting changes nothing: each goes on as if alone.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from evoplastic.engines.reference.choosing import Choose, largest
from evoplastic.engines.reference.plasticity import Activity, Plasticity
from evoplastic.engines.reference.recorder import Recorder
from evoplastic.engines.reference.stepping import Stepping, TrialOutcome
from evoplastic.lifetime.batch import LifetimeBatch, PlasticParams
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.lifetime.intervention import NOTHING, Intervention
from evoplastic.modulation.params import network_signals
from evoplastic.network.dynamics import modulatory_signal
from evoplastic.network.neurons import NeuronGroups
from evoplastic.network.outcome import (
    feedback_rates,
    outcome_seen,
)
from evoplastic.network.state import NetworkState, after_probes
from evoplastic.random.draws import trial_perturbations
from evoplastic.trials.order import taught_at
from evoplastic.trials.timing import ANSWER, HOLD
from evoplastic.trials.wiring import NO_LINE, Wiring
from evoplastic.trials.world import Observed, World, in_tables, open_world


def enter_world(
    state: NetworkState, groups: NeuronGroups, batch: LifetimeBatch, config: LifetimeConfig
) -> tuple[World, NetworkState]:
    """Open the world of a batch; newborns see its first observation, and have done nothing."""
    world = open_world(batch.tasks, batch.trial_streams)
    rate_PN = state.rate_PN.clone()
    rate_PN[:, groups.stimulus] = _stimulus(world.observe(), batch, groups, config, rate_PN)
    rate_PN[:, groups.action] = 0.0
    return world, state._replace(rate_PN=rate_PN)


def run_self_paced_trial(
    trial: int,
    world: World,
    params: PlasticParams,
    plasticity: Plasticity,
    state: NetworkState,
    groups: NeuronGroups,
    batch: LifetimeBatch,
    config: LifetimeConfig,
    recorder: Recorder,
    choose: Choose = largest,
    intervention: Intervention = NOTHING,
) -> tuple[NetworkState, TrialOutcome]:
    """Live one trial of every individual, from its first step to its own end.

    x' = x + leak (w_eff rate - x) + xi,  rate' = f(x' - threshold)
    choice = argmax over the task's actions o of the rate of the response neuron of o, unless drawn
    L = mean over the parts {hold, answer} of the mean over their steps of the squared error
    """
    chosen, rule, began = config.rule, plasticity.rule, state
    P, dtype, device = len(state.x_PN), state.x_PN.dtype, state.x_PN.device
    xi_STN, stream_P = trial_perturbations(batch, trial, world.max_trial_steps, groups, config)
    taught_P, tables = None, in_tables(batch.tasks)
    if tables is not None and tables.has_probes:
        taught_P = torch.from_numpy(taught_at(batch.trial_streams, tables, trial)).to(device)
    stepping = Stepping.of(
        trial, params, plasticity, groups, config, batch.tasks.dt_ms, taught_P, intervention
    )
    kind_P = torch.from_numpy(world.observe().kind_P).to(device)
    recorder.meet(trial, kind_P)
    errors = _Errors.none(P, dtype, device)
    loss_P, reward_P, roughness_P = (torch.zeros(P, dtype=dtype, device=device) for _ in range(3))
    signal_before_PK = network_signals(params.modulation, state.rate_PN, groups)
    correct_P = torch.zeros(P, dtype=torch.bool, device=device)
    steps_P = torch.zeros(P, dtype=torch.int32, device=device)
    alive_P = torch.ones(P, dtype=torch.bool, device=device)
    log_chance_P = entropy_P = None

    for step in range(world.max_trial_steps):
        if not bool(alive_P.any()):
            break
        before = state
        seen = world.observe()
        recorder.ask(trial, torch.from_numpy(seen.target_action_P).to(device), alive_P)
        xi_PN = torch.from_numpy(xi_STN[:, step][stream_P]).to(device, dtype)
        xi_PN = stepping.silent_at_probes(xi_PN)
        w_eff_PNN = stepping.strengths(before.p_PNN)
        x_PN, rate_PN = stepping.advance(before.x_PN, before.rate_PN, w_eff_PNN, xi_PN)
        intervention.impose(rate_PN, trial, step, groups)
        activity = Activity(before.rate_PN, rate_PN, xi_PN, before.mean_PN)
        elig_PNN = plasticity.advance_trace(before.elig_PNN, activity)
        response_PO = _responses(rate_PN, groups, batch, world)
        choice_P, log_P, spread_P = choose(response_PO, 1, trial, step)
        log_chance_P = _added(log_chance_P, log_P, alive_P)
        entropy_P = _added(entropy_P, spread_P, alive_P)
        recorder.step(trial, step, "choice", choice_P, alive_P)
        errors.add(response_PO, seen, alive_P, config)
        stepped = world.step(choice_P.cpu().numpy(), alive_P.cpu().numpy())
        over_P = torch.from_numpy(stepped.over_P).to(device) & alive_P
        step_reward_P = torch.from_numpy(stepped.reward_P).to(device, dtype)
        reward_P = torch.where(alive_P, reward_P + step_reward_P, reward_P)
        steps_P += alive_P

        recorder.step(trial, step, "mod", modulatory_signal(rate_PN, groups), alive_P)
        signal_PK = network_signals(params.modulation, rate_PN, groups)
        if stepping.may_change and rule.modulator == "network":
            if step > 0:
                rougher_P = stepping.rougher(roughness_P, signal_PK, signal_before_PK)
                roughness_P = torch.where(alive_P, rougher_P, roughness_P)
            signal_before_PK = _where(alive_P, signal_PK, signal_before_PK)

        loss_P = torch.where(over_P, errors.loss(), loss_P)
        correct_P = torch.where(over_P, torch.from_numpy(stepped.correct_P).to(device), correct_P)
        feedback_PF = stepping.silent_at_probes(
            _feedback(loss_P, correct_P, step_reward_P, over_P, before, config)
        )
        outcome_P = outcome_seen(loss_P, correct_P, reward_P, config)
        if rule.modulator == "outcome":
            signal_PK = stepping.signal_of_outcome(before, kind_P, outcome_P)
        p_PNN = before.p_PNN
        in_feedback = step == 0 and trial > 0
        if stepping.may_change and (
            rule.when == "outcome" or chosen.gate == "always" or in_feedback
        ):
            changed_PNN = stepping.changed(p_PNN, activity, elig_PNN, before.elig_PNN, signal_PK)
            p_PNN = changed_PNN if rule.when == "step" else _where(over_P, changed_PNN, p_PNN)
        sent_PN = _clamped(rate_PN, feedback_PF, choice_P, groups, batch, config, world)
        mean_PN = plasticity.advance_mean(before.mean_PN, sent_PN)
        updated = stepping.remembered(
            before, kind_P, outcome_P, correct_P, reward_P, loss_P
        )._replace(x_PN=x_PN, rate_PN=sent_PN, p_PNN=p_PNN, elig_PNN=elig_PNN, mean_PN=mean_PN)
        state = _of_those_in_it(updated, before, alive_P, over_P)
        recorder.step(trial, step, "rate", state.rate_PN, alive_P)
        alive_P = alive_P & ~over_P

    state = after_probes(taught_P, state, began)
    recorder.end_trial(trial, state.elig_PNN, state.p_PNN)
    return state, TrialOutcome(
        loss_P, correct_P, reward_P, roughness_P, steps_P, log_chance_P, entropy_P
    )


class _Errors(NamedTuple):
    """Squared errors of the responses so far, and over how many steps: of holding, of answering."""

    sum_P2: Tensor
    count_P2: Tensor

    @classmethod
    def none(cls, individuals: int, dtype: torch.dtype, device: torch.device) -> _Errors:
        """Before the first step."""
        zeros_P2 = torch.zeros(individuals, 2, dtype=dtype, device=device)
        return cls(zeros_P2, zeros_P2.clone())

    def add(
        self, response_PO: Tensor, seen: Observed, alive_P: Tensor, config: LifetimeConfig
    ) -> None:
        """Add those of a step, in place."""
        error_P = _squared_error(response_PO, seen, config)
        for part, name in enumerate((HOLD, ANSWER)):
            scored_P = torch.from_numpy(seen.flags_P == name).to(alive_P.device) & alive_P
            self.sum_P2[:, part] += torch.where(scored_P, error_P, 0.0)
            self.count_P2[:, part] += scored_P

    def loss(self) -> Tensor:
        """Mean over the parts that there were of the mean over their steps."""
        mean_P2 = self.sum_P2 / self.count_P2.clamp(min=1)
        return mean_P2.sum(1) / (self.count_P2 > 0).sum(1).clamp(min=1)


def _added(sum_P: Tensor | None, value_P: Tensor | None, alive_P: Tensor) -> Tensor | None:
    """A sum over the steps of those whose trial goes on; none where nothing is drawn."""
    if value_P is None:
        return sum_P
    return torch.where(alive_P, value_P, 0.0) + (0.0 if sum_P is None else sum_P)


def _of_those_in_it(
    updated: NetworkState, before: NetworkState, alive_P: Tensor, over_P: Tensor
) -> NetworkState:
    """The state after a step of those whose trial goes on, and what an outcome leaves of those
    whose trial is over."""
    at_end = ("baseline_PC", "mean_correct_P", "mean_reward_P", "mean_loss_P")
    return NetworkState(
        *(
            _where(over_P if name in at_end else alive_P, new, old)
            for name, new, old in zip(NetworkState._fields, updated, before, strict=True)
        )
    )


def _where(condition_P: Tensor, new: Tensor, old: Tensor) -> Tensor:
    """New for the individuals that meet the condition, old for the others."""
    return torch.where(condition_P.view(-1, *[1] * (new.ndim - 1)), new, old)


def _wiring(batch: LifetimeBatch) -> Wiring:
    assert batch.wiring is not None, "self-paced lifetimes need batch.wiring"
    return batch.wiring


def _responses(rate_PN: Tensor, groups: NeuronGroups, batch: LifetimeBatch, world: World) -> Tensor:
    """Rate [P, O] of the response neuron of each of the task's actions; -inf beyond them."""
    line_PO = torch.from_numpy(np.maximum(_wiring(batch).action_PO, 0)).to(rate_PN.device)
    response_PO = rate_PN[:, groups.response].gather(1, line_PO)
    beyond_PO = np.arange(line_PO.shape[1]) >= world.num_actions_P[:, None]
    return response_PO.masked_fill(torch.from_numpy(beyond_PO).to(rate_PN.device), -torch.inf)


def _squared_error(response_PO: Tensor, seen: Observed, config: LifetimeConfig) -> Tensor:
    """Sum over the task's actions of (rate - target)^2."""
    action_O = torch.arange(response_PO.shape[1], device=response_PO.device)
    target_action_P = torch.from_numpy(seen.target_action_P).to(response_PO.device)
    target_PO = torch.full_like(response_PO, config.target_low)
    target_PO[action_O == target_action_P[:, None]] = config.target_high
    there_PO = ~torch.isneginf(response_PO)  # what is not a number is seen in the loss
    error_PO = torch.where(there_PO, response_PO - target_PO, 0.0)
    return (error_PO**2).sum(1)


def _stimulus(
    seen: Observed, batch: LifetimeBatch, groups: NeuronGroups, config: LifetimeConfig, like: Tensor
) -> Tensor:
    """Rates [P, I] of the stimulus neurons: each channel on its line, 0 on the others."""
    line_PI = _wiring(batch).input_PI[:, : seen.observation_PI.shape[1]]
    shown_PI = np.zeros((len(line_PI), groups.num_inputs), dtype=np.float64)
    individual, channel = np.nonzero(line_PI != NO_LINE)
    shown_PI[individual, line_PI[individual, channel]] = seen.observation_PI[individual, channel]
    return config.dynamics.stimulus_gain * torch.from_numpy(shown_PI).to(like)


def _feedback(
    loss_P: Tensor,
    correct_P: Tensor,
    step_reward_P: Tensor,
    over_P: Tensor,
    state: NetworkState,
    config: LifetimeConfig,
) -> Tensor:
    """Rates [P, F] of the feedback neurons at the next step: rewards always, others at the end."""
    always = config.feedback in ("reward", "reward_prediction_error")
    if config.feedback == "reward_prediction_error":
        state = state._replace(mean_reward_P=torch.where(over_P, state.mean_reward_P, 0.0))
    feedback_PF = feedback_rates(loss_P, correct_P, step_reward_P, state, config)
    return feedback_PF if always else torch.where(over_P[:, None], feedback_PF, 0.0)


def _clamped(
    rate_PN: Tensor,
    feedback_PF: Tensor,
    choice_P: Tensor,
    groups: NeuronGroups,
    batch: LifetimeBatch,
    config: LifetimeConfig,
    world: World,
) -> Tensor:
    """The rates with the clamped neurons as the next step finds them."""
    clamped_PN: Any = rate_PN.clone()
    clamped_PN[:, groups.stimulus] = _stimulus(world.observe(), batch, groups, config, rate_PN)
    clamped_PN[:, groups.feedback] = feedback_PF
    clamped_PN[:, groups.bias] = config.dynamics.bias_rate
    line_PO = torch.from_numpy(_wiring(batch).action_PO).to(rate_PN.device)
    line_P = line_PO.gather(1, choice_P[:, None])[:, 0]
    clamped_PN[:, groups.action] = config.dynamics.action_gain * torch.nn.functional.one_hot(
        line_P, groups.num_outputs
    ).to(rate_PN.dtype)
    return clamped_PN
