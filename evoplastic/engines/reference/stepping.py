"""What a step does in trials of both kinds: activity, plasticity, and what an outcome leaves."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from evoplastic.engines.reference.plasticity import Activity, Plasticity
from evoplastic.lifetime.batch import PlasticParams
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.lifetime.intervention import Intervention
from evoplastic.modulation.params import gains, onto_plasticity, thresholds
from evoplastic.network.dynamics import advance_activation, firing_rate
from evoplastic.network.neurons import NeuronGroups
from evoplastic.network.outcome import (
    graded_or_binary,
    outcome_gate,
    running_mean,
    scatter_baseline,
)
from evoplastic.network.state import NetworkState, where_taught


class TrialOutcome(NamedTuple):
    """What one trial of P individuals left behind."""

    loss_P: Tensor
    correct_P: Tensor
    reward_P: Tensor
    roughness_P: Tensor  # sum over steps of (mod(t) - mod(t-1))^2
    steps_P: Tensor
    log_chance_P: Tensor | None = None  # sum over its drawn actions; none where none is drawn
    entropy_P: Tensor | None = None  # sum over the same


class Stepping(NamedTuple):
    """What holds for all steps of one trial of P individuals."""

    params: PlasticParams
    plasticity: Plasticity
    groups: NeuronGroups
    config: LifetimeConfig
    leak: float | Tensor
    own_threshold: float | Tensor
    may_change: bool  # whether plastic weights may change in this trial
    taught_P: Tensor | None  # at probes nothing is learnt; none where there are no probes

    @classmethod
    def of(
        cls,
        trial: int,
        params: PlasticParams,
        plasticity: Plasticity,
        groups: NeuronGroups,
        config: LifetimeConfig,
        dt_ms: float,
        taught_P: Tensor | None,
        intervention: Intervention,
    ) -> Stepping:
        """That of a trial whose time steps take dt_ms."""
        return cls(
            params,
            plasticity,
            groups,
            config,
            params.intrinsic.leak(config.dynamics, dt_ms),
            params.intrinsic.threshold(config.dynamics),
            trial >= plasticity.constants.first_trial and intervention.may_change(trial),
            taught_P,
        )

    def strengths(self, p_PNN: Tensor) -> Tensor:
        """w_eff = w + alpha * p."""
        return self.params.w_PNN + self.params.alpha_PNN * p_PNN

    def advance(
        self, x_PN: Tensor, rate_PN: Tensor, w_eff_PNN: Tensor, xi_PN: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Activation and rate after the step.

        x' = x + leak (w_eff rate - x) + xi,     rate' = gain f(x' - threshold)
        """
        modulation = self.params.modulation
        x_PN = advance_activation(x_PN, rate_PN, w_eff_PNN, xi_PN, self.leak)
        threshold = thresholds(modulation, rate_PN, self.groups, self.own_threshold)
        gain_PN = gains(modulation, rate_PN, self.groups)
        return x_PN, firing_rate(x_PN, self.groups, threshold, gain_PN)

    def rougher(self, roughness_P: Tensor, signal_PK: Tensor, before_PK: Tensor) -> Tensor:
        """roughness' = roughness + sum over k of (signal - signal before)^2, but at probes."""
        jump_P = ((signal_PK - before_PK) ** 2).sum(1)
        return where_taught(self.taught_P, roughness_P + jump_P, roughness_P)

    def column(self, kind_P: Tensor) -> Tensor:
        """Whose baseline a trial of this kind has."""
        return kind_P if self.config.rule.baseline == "kind" else 0 * kind_P

    def signal_of_outcome(self, state: NetworkState, kind_P: Tensor, outcome_P: Tensor) -> Tensor:
        """The signal [P, 1] of an outcome, by the baseline of its kind before it."""
        baseline_P = state.baseline_PC.gather(1, self.column(kind_P)[:, None])[:, 0]
        return outcome_gate(outcome_P, baseline_P, self.config.rule)[:, None]

    def changed(
        self,
        p_PNN: Tensor,
        activity: Activity,
        elig_PNN: Tensor,
        elig_before_PNN: Tensor,
        signal_PK: Tensor,
    ) -> Tensor:
        """Plastic weights after one update; at probes, those before it."""
        modulation_PN = None
        if self.plasticity.rule.modulator != "none":
            modulation_PN = onto_plasticity(self.params.modulation, signal_PK)
        changed_PNN = self.plasticity.changed(
            p_PNN, activity, elig_PNN, elig_before_PNN, modulation_PN
        )
        return where_taught(self.taught_P, changed_PNN, p_PNN)

    def remembered(
        self,
        state: NetworkState,
        kind_P: Tensor,
        outcome_P: Tensor,
        correct_P: Tensor,
        reward_P: Tensor,
        loss_P: Tensor,
    ) -> NetworkState:
        """The state with baselines and running means after an outcome."""
        decay = self.plasticity.baseline_decay
        shown_P = graded_or_binary(loss_P, correct_P, self.config)
        return state._replace(
            baseline_PC=scatter_baseline(state.baseline_PC, self.column(kind_P), outcome_P, decay),
            mean_correct_P=running_mean(
                state.mean_correct_P, correct_P.to(state.x_PN.dtype), decay
            ),
            mean_reward_P=running_mean(state.mean_reward_P, reward_P, decay),
            mean_loss_P=running_mean(state.mean_loss_P, shown_P, decay),
        )

    def silent_at_probes(self, values: Tensor) -> Tensor:
        """The same, and 0 for individuals at a probe: noise, feedback."""
        return where_taught(self.taught_P, values, torch.zeros_like(values))
