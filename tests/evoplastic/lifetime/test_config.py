"""The lifetime's options: published defaults, and every refusal names the field and the way out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import FrozenInstanceError, fields, is_dataclass, replace
from typing import Any

import pytest

from evoplastic.checks import UsageError
from evoplastic.lifetime.config import (
    DynamicsConfig,
    LifetimeConfig,
    PerturbationConfig,
)
from evoplastic.rules.config import RuleConfig


def test_defaults_are_the_published_setting() -> None:
    """Miconi 2023, ICML and its code; the last 19 of 400 trials are unperturbed."""
    config = LifetimeConfig()
    assert (config.num_trials, config.scored_trials) == (400, 100)
    assert (config.target_low, config.target_high) == (0.1, 0.9)
    assert (config.feedback, config.smoothness_penalty) == ("loss", 0.0)
    assert config.dynamics == DynamicsConfig(
        tau_ms=100.0,
        initial_activation=0.1,
        stimulus_gain=3.0,
        feedback_gain=3.0,
        action_gain=3.0,
        bias_rate=1.0,
    )
    assert config.perturbation == PerturbationConfig(
        probability=0.1,
        amplitude=0.5,
        first_step=2,
        quiet_trials=None,
        perturb_hidden=True,
        perturb_modulators=True,
        noise="pair",
    )
    assert config.quiet_trials == 19
    assert config.rule.resolved == RuleConfig(
        name="node_perturbation",
        eta=0.03,
        tau_elig_ms=1000.0,
        max_change=0.01,
        max_p=1.0,  # of rules that clip it
        mean_keep=0.9,  # of rules that centre rates
        normalises=False,
        first_trial=31,
        baseline="kind",
        baseline_decay=0.9,
        outcome="graded",
        gate="always",
    )


def test_a_rule_of_the_network_has_its_own_published_numbers() -> None:
    config = LifetimeConfig(rule=RuleConfig(name="node_perturbation_network"))
    assert config.rule.constants.eta == pytest.approx(0.1 * 0.1 * 0.03)
    assert (config.rule.constants.first_trial, config.quiet_trials) == (11, 0)
    chosen = replace(config, perturbation=PerturbationConfig(quiet_trials=3))
    assert chosen.quiet_trials == 3


REFUSED: list[tuple[Callable[[], Any], str]] = [
    (lambda: LifetimeConfig(num_trials=0, scored_trials=0), "num_trials is 0"),
    (lambda: LifetimeConfig(scored_trials=0), "scored_trials is 0"),
    (lambda: LifetimeConfig(num_trials=50), "scored_trials is 100, expected 1 to num_trials = 50"),
    (lambda: LifetimeConfig(target_low=0.9, target_high=0.1), r"targets \(0.9, 0.1\)"),
    (lambda: LifetimeConfig(target_low=-0.1), "targets"),
    (lambda: LifetimeConfig(target_high=1.1), "targets"),
    (lambda: LifetimeConfig(smoothness_penalty=0.27), "no modulatory signal"),
    (lambda: RuleConfig(gate="feedback"), "gate 'feedback'"),
    (lambda: DynamicsConfig(tau_ms=0.0), "tau_ms is 0.0"),
    (lambda: PerturbationConfig(probability=0.0), "probability is 0.0"),
    (lambda: PerturbationConfig(probability=1e-11), "probability is 1e-11"),
    (lambda: PerturbationConfig(probability=1.5), "probability is 1.5"),
    (lambda: PerturbationConfig(amplitude=-0.5), "amplitude is -0.5"),
    (lambda: PerturbationConfig(first_step=-1), "first_step is -1"),
    (lambda: PerturbationConfig(stop_step=2), "stop_step is 2, expected more than first_step"),
    (lambda: PerturbationConfig(quiet_trials=-1), "quiet_trials is -1"),
    (lambda: RuleConfig(eta=-0.03), "eta is -0.03"),
    (lambda: RuleConfig(tau_elig_ms=0.0), "tau_elig_ms is 0.0"),
    (lambda: RuleConfig(max_change=0.0), "max_change is 0.0"),
    (lambda: RuleConfig(first_trial=-1), "first_trial is -1"),
    (lambda: RuleConfig(name="node_pertubation"), "did you mean 'node_perturbation'"),
    (lambda: RuleConfig(baseline_decay=1.0), "baseline_decay is 1.0"),
    (lambda: RuleConfig(baseline_decay=-0.1), "baseline_decay is -0.1"),
]


@pytest.mark.parametrize(("build", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_impossible_choices_are_refused(build: Callable[[], Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        build()


@pytest.mark.parametrize("name", ["eta", "max_change", "tau_elig_ms", "baseline_decay"])
def test_a_value_that_is_no_number_is_refused(name: str) -> None:
    changes: dict[str, Any] = {name: float("nan")}
    with pytest.raises(UsageError, match=f"{name} is nan"):
        replace(RuleConfig(), **changes)


def test_modulation_by_the_network_may_be_gated_and_penalised() -> None:
    rule = RuleConfig(name="node_perturbation_network", gate="feedback")
    assert LifetimeConfig(rule=rule, smoothness_penalty=0.27).smoothness_penalty == 0.27


def test_configurations_are_frozen() -> None:
    config = LifetimeConfig()
    for owner in (config, config.dynamics, config.perturbation, config.rule):
        assert is_dataclass(owner)
        with pytest.raises(FrozenInstanceError):
            setattr(owner, fields(owner)[0].name, 1)
