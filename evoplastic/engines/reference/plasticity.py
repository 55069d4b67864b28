"""What a rule's table means, in plain PyTorch: one trace, one change, whatever the rule.

Fixed-timing and self-paced trials use the same two functions. Factors of a product are multiplied
in the order in which the table names them, so that a rule's bits are defined.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from evoplastic.rules.table import Factor, Rule, RuleConstants, Term


class Activity(NamedTuple):
    """What one time step of P networks offers to a rule."""

    before_PN: Tensor  # rates before the step: those of sources
    after_PN: Tensor  # rates after the step: those of targets
    xi_PN: Tensor  # node perturbations of the step


def advance_trace(trace_PNN: Tensor, rule: Rule, activity: Activity, retention: float) -> Tensor:
    """Let the eligibility trace of every connection gain and decay.

    trace' = retention * (trace + sum over credits of post_i * pre_j)

    retention = 1 - dt / tau_elig. The trace of a rule without credits stays as it is.
    """
    if not rule.credits:
        return trace_PNN
    for credit in rule.credits:
        one = trace_PNN.new_ones((1, 1, 1))
        trace_PNN = trace_PNN + _multiplied(one, credit.post, credit.pre, activity)
    return retention * trace_PNN


def change_of(
    rule: Rule,
    constants: RuleConstants,
    activity: Activity,
    p_PNN: Tensor,
    trace_PNN: Tensor,
    modulation_P: Tensor | None,
) -> Tensor:
    """Change of every plastic weight at one update.

        dp = clip(M * sum over terms of sign * coefficient * post_i * pre_j * p * trace,
                  -max_change, max_change)

    Args:
        rule: its terms.
        constants: their coefficients, and max_change.
        activity: rates and perturbations of the step.
        p_PNN: plastic weights before the change.
        trace_PNN: eligibility traces after the step.
        modulation_P: M of each individual; none where nothing modulates, M = 1.
    """
    terms = [_term(term, constants, activity, p_PNN, trace_PNN) for term in rule.change]
    change_PNN = sum(terms[1:], terms[0])
    if modulation_P is not None:
        change_PNN = change_PNN * modulation_P[:, None, None]
    return change_PNN.expand_as(p_PNN).clamp(-constants.max_change, constants.max_change)


def _term(
    term: Term, constants: RuleConstants, activity: Activity, p_PNN: Tensor, trace_PNN: Tensor
) -> Tensor:
    scale = term.sign * float(getattr(constants, term.coefficient))
    value = _multiplied(p_PNN.new_full((1, 1, 1), scale), term.post, term.pre, activity)
    if term.p:
        value = value * p_PNN
    if term.trace:
        value = value * trace_PNN
    return value


def _multiplied(value: Tensor, post: Factor, pre: Factor, activity: Activity) -> Tensor:
    """Times post_i * pre_j of every connection j -> i."""
    if post != "one":
        value = value * _factor(post, activity.after_PN, activity.xi_PN)[:, :, None]
    if pre != "one":
        value = value * _factor(pre, activity.before_PN, activity.xi_PN)[:, None, :]
    return value


def _factor(name: Factor, rate_PN: Tensor, xi_PN: Tensor) -> Tensor:
    """What a neuron contributes to a product."""
    if name == "noise":
        return xi_PN
    value_PN = rate_PN
    for _ in range(("rate", "rate_squared", "rate_cubed").index(name)):
        value_PN = value_PN * rate_PN
    return value_PN
