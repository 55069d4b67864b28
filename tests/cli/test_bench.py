from __future__ import annotations

from evoplastic.rules.catalogue import RULES
from tests.cli.conftest import Command

SMALL = ("--population", 3, "--neurons", 14, "--trials", 3, "--repeats", 2)


def test_bench_measures_every_combination(command: Command) -> None:
    answer = command("bench", *SMALL, "--engine", "reference", "--threads", 1, 2, "--json")
    assert answer.code == 0
    measurements = answer.json["measurements"]
    assert [m["threads"] for m in measurements] == [1, 2]
    for m in measurements:
        assert (m["engine"], m["population"], m["neurons"], m["trials"]) == ("reference", 3, 14, 3)
        assert len(m["seconds"]) == 2
        assert min(m["seconds"]) > 0.0
    assert {"processor", "cores", "numba", "torch"} <= set(answer.json["hardware"])


def test_bench_shows_the_engine_that_runs(command: Command) -> None:
    answer = command("bench", *SMALL)
    assert answer.code == 0
    assert "ms per life" in answer.out
    assert "cpu" in answer.out or "gpu" in answer.out
    assert "auto" not in answer.out


def test_bench_measures_every_rule(command: Command) -> None:
    short = ("--population", 2, "--neurons", 14, "--trials", 1, "--repeats", 1)
    answer = command("bench", *short, "--engine", "reference", "--rule", *RULES, "--json")
    assert answer.code == 0
    assert [m["rule"] for m in answer.json["measurements"]] == list(RULES)


def test_an_unknown_engine_is_a_usage_error(command: Command) -> None:
    answer = command("bench", "--engine", "cup")
    assert answer.code == 2
    assert "unknown engine 'cup'" in answer.err


def test_bench_measures_self_paced_trials_beside_fixed_timing(command: Command) -> None:
    lines = ("--inputs", 3, "--outputs", 3, "--neurons", 20)
    answer = command("bench", *SMALL, *lines, "--trials-kind", "paced", "self_paced", "--json")
    assert answer.code == 0
    assert (answer.json["suite"], answer.json["inputs"], answer.json["outputs"]) == (None, 3, 3)
    fixed, own = answer.json["measurements"]
    assert (fixed["trials_kind"], own["trials_kind"]) == ("fixed_timing", "self_paced")
    assert fixed["steps"] == 3 * 3 * 50
    assert 3 * 3 * 30 <= own["steps"] <= 3 * 3 * 60
