"""What a rule's table means, in plain PyTorch: one trace, one change, whatever the rule.

Fixed-timing and self-paced trials use the same functions. Factors of a product are multiplied
in the order in which the table names them, so that a rule's bits are defined.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from evoplastic.network.neurons import NeuronGroups
from evoplastic.rules.coefficients import Evolvable
from evoplastic.rules.config import RuleConfig
from evoplastic.rules.params import RuleParams
from evoplastic.rules.table import Factor, Rule, RuleConstants, Term


class Activity(NamedTuple):
    """What one time step of P networks offers to a rule."""

    before_PN: Tensor  # rates before the step: those of sources
    after_PN: Tensor  # rates after the step: those of targets
    xi_PN: Tensor  # node perturbations of the step
    mean_PN: Tensor  # running means of the rates, before the step's enter


class Plasticity(NamedTuple):
    """A rule with all its numbers, those of the recipe and those of P genomes."""

    rule: Rule
    constants: RuleConstants
    constant: dict[tuple[str, ...], float]  # products of coefficients that are not evolved
    evolved: RuleParams
    retention: float | Tensor  # 1 - dt / tau_elig; [P, 1, 1] if evolved
    baseline_decay: float | Tensor  # [P] if evolved
    num_clamped: int

    @classmethod
    def of(
        cls, config: RuleConfig, evolved: RuleParams, groups: NeuronGroups, dt_ms: float
    ) -> Plasticity:
        """The rule of a lifetime whose time steps take dt_ms."""
        constants, tau_P = config.constants, evolved.tau_elig_ms_P
        retention: float | Tensor = 1.0 - dt_ms / constants.tau_elig_ms
        if tau_P is not None:
            retention = (1.0 - dt_ms / tau_P)[:, None, None]
        decay: float | Tensor | Evolvable | None = evolved.baseline_decay_P
        if decay is None:
            decay = config.baseline_decay
        assert not isinstance(decay, Evolvable), "an evolved number that the genomes lack"
        table = config.table
        products = {
            term.coefficients: config.constant(term.coefficients)
            for term in table.change
            if term.coefficients not in evolved.coefficients
        }
        return cls(table, constants, products, evolved, retention, decay, groups.num_clamped)

    def advance_trace(self, trace_PNN: Tensor, activity: Activity) -> Tensor:
        """Let the eligibility trace of every connection gain and decay.

        trace' = retention * (trace + sum over credits of post_i * pre_j)

        The trace of a rule without credits stays as it is.
        """
        if not self.rule.credits:
            return trace_PNN
        for credit in self.rule.credits:
            one = trace_PNN.new_ones((1, 1, 1))
            trace_PNN = trace_PNN + _multiplied(one, credit.post, credit.pre, activity)
        return self.retention * trace_PNN

    def advance_mean(self, mean_PN: Tensor, rate_PN: Tensor) -> Tensor:
        """mean' = mean_keep * mean + (1 - mean_keep) * rate, for rules that centre rates."""
        if not self.rule.centres:
            return mean_PN
        keep = self.constants.mean_keep
        return keep * mean_PN + (1.0 - keep) * rate_PN

    def changed(
        self,
        p_PNN: Tensor,
        activity: Activity,
        trace_PNN: Tensor,
        trace_before_PNN: Tensor,
        modulation_PN: Tensor | None,
    ) -> Tensor:
        """Every plastic weight after one update.

            p' = p + clip(sum over terms of M_i * sign * coefficients * post_i * pre_j * p * trace,
                          -max_change, max_change)
            p' = clip(p', -max_p, max_p)
            p' = p' / max over connections onto neurons that are not clamped of |p'|, unless all 0

        each line where the rule has it.

        Args:
            p_PNN: plastic weights before the change.
            activity: rates and perturbations of the step.
            trace_PNN: eligibility traces after the step.
            trace_before_PNN: those before it.
            modulation_PN: M of each individual [P, 1], or of its targets [P, N]; none where nothing
                modulates, M = 1.
        """
        trace_PNN = trace_PNN if self.rule.trace_first else trace_before_PNN
        change_PNN = self._sum(True, p_PNN, activity, trace_PNN)
        if modulation_PN is not None:
            change_PNN = change_PNN * modulation_PN[:, :, None]
        if not all(term.modulated for term in self.rule.change):
            change_PNN = change_PNN + self._sum(False, p_PNN, activity, trace_PNN)
        if self.rule.clips_change:
            most = self.constants.max_change
            change_PNN = change_PNN.expand_as(p_PNN).clamp(-most, most)
        p_PNN = p_PNN + change_PNN
        if self.rule.clips_p:
            p_PNN = p_PNN.clamp(-self.constants.max_p, self.constants.max_p)
        if self.rule.normalises:
            largest_P = p_PNN[:, self.num_clamped :].abs().amax((1, 2))
            p_PNN = p_PNN / torch.where(largest_P > 0, largest_P, 1.0)[:, None, None]
        return p_PNN

    def _sum(self, modulated: bool, p_PNN: Tensor, activity: Activity, trace_PNN: Tensor) -> Tensor:
        terms = [
            self._term(term, activity, p_PNN, trace_PNN)
            for term in self.rule.change
            if term.modulated == modulated
        ]
        return sum(terms[1:], terms[0]) if terms else p_PNN.new_zeros((1, 1, 1))

    def _term(self, term: Term, activity: Activity, p_PNN: Tensor, trace_PNN: Tensor) -> Tensor:
        value = self._coefficient(term, p_PNN)
        value = _multiplied(value, term.post, term.pre, activity)
        if term.p:
            value = value * p_PNN
        if term.trace:
            value = value * trace_PNN
        return value

    def _coefficient(self, term: Term, like: Tensor) -> Tensor:
        """Sign and coefficients of every connection, [P, N, N] or broadcast to it."""
        found = self.evolved.coefficients.get(term.coefficients)
        if found is None:
            scale = term.sign * self.constant[term.coefficients]
            return like.new_full((1, 1, 1), scale)
        value = like.new_full((1, 1, 1), float(term.sign))
        if found.of_pair is not None:
            value = value * found.of_pair
        if found.of_target is not None:
            value = value * found.of_target[:, :, None]
        if found.of_source is not None:
            value = value * found.of_source[:, None, :]
        return value


def _multiplied(value: Tensor, post: Factor, pre: Factor, activity: Activity) -> Tensor:
    """Times post_i * pre_j of every connection j -> i."""
    if post != "one":
        value = value * _factor(post, activity.after_PN, activity)[:, :, None]
    if pre != "one":
        value = value * _factor(pre, activity.before_PN, activity)[:, None, :]
    return value


def _factor(name: Factor, rate_PN: Tensor, activity: Activity) -> Tensor:
    """What a neuron contributes to a product."""
    if name == "noise":
        return activity.xi_PN
    if name.startswith("centred"):
        rate_PN = rate_PN - activity.mean_PN
    powers = {"rate": 1, "rate_squared": 2, "rate_cubed": 3, "centred": 1, "centred_cubed": 3}
    value_PN = rate_PN
    for _ in range(powers[name] - 1):
        value_PN = value_PN * rate_PN
    return value_PN
