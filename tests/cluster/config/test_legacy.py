"""Keys of earlier versions mean what they meant, in files and in overrides, and are noted once."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from cluster.config.run import load_config
from evoplastic.checks import UsageError

OLD = """
name: old
lifetime:
  num_trials: 200
  plasticity:
    modulation: internal
    eta: 0.1
    tau_elig_ms: 500
    max_change: 0.02
    first_trial: 5
    baseline: single
    baseline_decay: 0.8
    outcome: binary
    gate: feedback
"""
NEW = """
name: old
rule:
  name: node_perturbation_network
  eta: 0.1
  tau_elig_ms: 500
  max_change: 0.02
  first_trial: 5
  baseline: single
  baseline_decay: 0.8
  outcome: binary
  gate: feedback
lifetime:
  num_trials: 200
"""


def test_an_old_file_is_read_as_its_present_form_and_noted_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    old.write_text(OLD)
    new.write_text(NEW)
    expected = load_config(new)
    assert not caplog.records
    with caplog.at_level(logging.WARNING):
        assert load_config(old) == expected
    (note,) = caplog.records
    assert "lifetime.plasticity.modulation -> rule.name" in note.getMessage()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("lifetime.plasticity.modulation=internal", "rule.name=node_perturbation_network"),
        ("lifetime.plasticity.modulation=external", "rule=node_perturbation"),
        ("lifetime.plasticity.eta=0.5", "rule.eta=0.5"),
        ("lifetime.plasticity.outcome=reward", "rule.outcome=reward"),
    ],
)
def test_an_old_override_is_the_new_one(old: str, new: str) -> None:
    assert load_config("laptop", [old]) == load_config("laptop", [new])


def test_a_rule_given_by_name_keeps_its_own_numbers_until_they_are_chosen() -> None:
    config = load_config("laptop", ["rule=node_perturbation_network"])
    assert (config.rule.eta, config.rule.first_trial) == (3e-4, 11)
    assert config.lifetime.perturbation.quiet_trials == 0
    chosen = load_config("laptop", ["rule=node_perturbation_network", "rule.eta=0.1"])
    assert (chosen.rule.eta, chosen.rule.first_trial) == (0.1, 11)


def test_a_value_given_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "both.yaml"
    path.write_text("name: both\nrule: {eta: 0.1}\nlifetime: {plasticity: {eta: 0.2}}\n")
    with pytest.raises(UsageError, match=r"gives rule\.eta twice"):
        load_config(path)


def test_a_mistaken_old_key_is_told_the_present_one() -> None:
    with pytest.raises(UsageError, match=r"unknown key 'rule\.etta'; did you mean 'rule\.eta'"):
        load_config("smoke", ["lifetime.plasticity.etta=1"])
    with pytest.raises(UsageError, match="unknown plasticity rule 'inside'"):
        load_config("smoke", ["lifetime.plasticity.modulation=inside"])
