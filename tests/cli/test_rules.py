"""rules: every rule listed with its genes, any of them shown, for people and for machines."""

from __future__ import annotations

import json

import pytest

from evoplastic.rules.catalogue import RULES
from tests.cli.conftest import Command


def test_all_rules_are_listed(command: Command) -> None:
    found = command("rules", "list")
    assert found.code == 0
    assert all(name in found.out for name in RULES)
    rows = {row["name"]: row for row in json.loads(command("rules", "list", "--json").out)}
    assert list(rows) == list(RULES)
    assert (rows["oja"]["genes"], rows["abcd"]["genes"]) == (0, 4 * 70 * 70)
    costs = {name: row["step_multiply_adds_per_connection"] for name, row in rows.items()}
    assert costs["node_perturbation"] < costs["oja"] < costs["abcd_rank_one"] < costs["abcd"]


@pytest.mark.parametrize("name", RULES)
def test_a_rule_is_shown_with_equation_source_and_schedule(command: Command, name: str) -> None:
    found = command("rules", "show", name, "--recipe", "smoke")
    assert found.code == 0
    assert all(equation in found.out for equation in RULES[name].equations)
    assert f"schedule   {RULES[name].schedule}" in found.out


def test_options_change_what_is_shown(command: Command) -> None:
    words = ("rules", "show", "oja", "rule.eta={form: target, init: 0.1}", "--json")
    shown = json.loads(command(*words).out)
    assert (shown["genes"], shown["fields"][0]["name"]) == (70, "rule.eta")
    assert "eta 0.01" in command("rules", "show", "oja").out


def test_an_unknown_rule_is_refused_with_the_nearest(command: Command) -> None:
    found = command("rules", "show", "ojaa")
    assert found.code == 2
    assert "did you mean 'oja'" in found.err
