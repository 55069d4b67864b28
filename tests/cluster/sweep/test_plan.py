"""All runs of a sweep, named and checked before anything starts."""

from __future__ import annotations

import re

import pytest

from cluster.sweep.names import apart, run_name
from cluster.sweep.plan import make_plan, settings_apart
from evoplastic.checks import UsageError


def test_runs_are_every_combination_under_names_of_what_differs() -> None:
    plan = make_plan("smoke", ["seed=1..2", "search.sigma=0.02,0.03", "num_neurons=18"])
    assert [run.name for run in plan.runs] == [
        "seed1-sigma0.02",
        "seed1-sigma0.03",
        "seed2-sigma0.02",
        "seed2-sigma0.03",
    ]
    assert [run.index for run in plan.runs] == [1, 2, 3, 4]
    assert plan.keys == ("seed", "search.sigma")
    last = plan.runs[-1]
    assert (last.config.seed, last.config.search.sigma, last.config.num_neurons) == (2, 0.03, 18)
    assert last.overrides == ("seed=2", "search.sigma=0.03", "num_neurons=18")
    assert plan.base["num_neurons"] == 18
    assert not {"seed", "search.sigma", "threads"} & set(plan.base)
    assert len(settings_apart(plan)) == 1, "seed and sigma change nothing that tasks say"


def test_a_key_that_was_swept_names_runs_though_it_has_one_value() -> None:
    assert make_plan("smoke", ["seed=1", "search.sigma=0.1,0.2"], ["seed", "search.sigma"]).runs[
        0
    ].name == ("seed1-sigma0.1")
    assert make_plan("smoke", ["seed=7"]).runs[0].name == "seed7"


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ([], "a sweep needs values"),
        (["sed=1..3"], "unknown key 'sed'; did you mean 'seed'"),
        (["seed=1..3", "search.sigm=1,2"], "did you mean 'search.sigma'"),
        (["seed=0..5000"], "make 5,001 runs, expected at most 2,000"),
        (["seed=1,2", "search.sigma=0.1,-1"], "2 of 4 combinations do not hold, and none was"),
        (["search.sigma=0.1,0.2", "search=es"], "have the same settings"),
    ],
)
def test_a_sweep_that_does_not_hold_is_refused_as_a_whole(words: list[str], what: str) -> None:
    with pytest.raises(UsageError, match=what):
        make_plan("smoke", words)


def test_the_combinations_that_do_not_hold_are_named() -> None:
    with pytest.raises(UsageError) as refused:
        make_plan("smoke", ["lifetime.scored_trials=3,9", "seed=1..2"])
    assert "scored_trials9-seed1: recipe smoke: " in str(refused.value)
    assert "scored_trials3" not in str(refused.value)


def test_names_are_safe_and_apart() -> None:
    keys = ["suite", "search.sigma", "genome.sigma"]
    assert run_name(keys[:1], ["yang19-small"]).startswith("suite_yang19_small_")
    assert run_name(keys, ["a", "1e-3", "2"]) == "suite_a-search.sigma1e-3-genome.sigma2"
    for text in ("../../etc/passwd", "[a, b]", "a b\nc", "ü" * 90, "-", "con:/*?", "x" * 300):
        name = run_name(["rule.coefficients"], [text])
        assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.+_-]{0,130}", name), name
    assert run_name(["a"], ["x/y"]) != run_name(["a"], ["x_y"])
    assert len(run_name([f"k{n}.long_key_{n}" for n in range(40)], ["0.125"] * 40)) < 140
    names = apart(["rule_A", "rule_a", "rule_b"], [["A"], ["a"], ["b"]])
    assert len({name.casefold() for name in names}) == 3
    assert names[2] == "rule_b"
