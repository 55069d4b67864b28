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
        ("evolution.alternate_halves=false", "curriculum=uniform"),
        ("evolution.alternate_halves=true", "curriculum.name=alternate_halves"),
        ("evolution.popsize=64", "search.popsize=64"),
        ("evolution.sigma=0.1", "search.sigma=0.1"),
        ("evolution.learning_rate=0.1", "search.learning_rate=0.1"),
        ("evolution.beta1=0.5", "search.beta1=0.5"),
        ("evolution.beta2=0.5", "search.beta2=0.5"),
        ("evolution.epsilon=0.1", "search.epsilon=0.1"),
        ("evolution.weight_decay=0.1", "search.weight_decay=0.1"),
        ("evolution.shaping=centered", "search.shaping=centered"),
        ("evolution.unmutated_pair=false", "search.unmutated_pair=false"),
        ("evolution.init_gain=1", "genome.init_gain=1"),
        ("evolution.init_alpha=0.1", "genome.init_alpha=0.1"),
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
    with pytest.raises(UsageError, match=r"alternate_halves is 'no.', expected true or false"):
        load_config("smoke", ["evolution.alternate_halves=no."])


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ("curriculum: uniform\nevolution: {alternate_halves: false}\n", "curriculum"),
        ("curriculum: {name: uniform}\nevolution: {alternate_halves: false}\n", "curriculum"),
        ("evolution: {alternate_halves: false}\ncurriculum: {name: uniform}\n", "curriculum"),
        ("search: {sigma: 0.1}\nevolution: {sigma: 0.1}\n", r"search\.sigma"),
    ],
)
def test_an_old_setting_beside_its_present_form_is_refused(
    tmp_path: Path, settings: str, key: str
) -> None:
    path = tmp_path / "both.yaml"
    path.write_text(f"name: both\n{settings}")
    with pytest.raises(UsageError, match=rf"gives {key}\S* twice"):
        load_config(path)


def test_a_name_alone_and_a_section_mean_the_same(tmp_path: Path) -> None:
    path = tmp_path / "named.yaml"
    path.write_text("name: named\nsearch: es\ncurriculum: uniform\n")
    assert load_config(path, ["search.popsize=8"]).search.popsize == 8
    assert load_config(path, ["curriculum.name=uniform"]) == load_config(path)
