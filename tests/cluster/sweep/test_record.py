"""The file that says what a sweep is, written by many at once."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from cluster.sweep.plan import make_plan
from cluster.sweep.record import keep_record, membership, read_record
from evoplastic.checks import UsageError

WORDS = ["seed=1..2", "search.sigma=0.02,0.03"]


def test_a_sweep_is_kept_once_and_values_are_added(tmp_path: Path) -> None:
    root = tmp_path / "sweep"
    first = keep_record(root, make_plan("smoke", WORDS), may_go_on=False)
    assert read_record(root) == first
    assert first.runs["seed1-sigma0.02"] == ["1", "0.02"]
    more = make_plan("smoke", ["seed=1..3", "search.sigma=0.03"], first.keys)
    second = keep_record(root, more, may_go_on=True)
    assert second.sweep_id == first.sweep_id
    assert set(second.runs) == {*first.runs, "seed3-sigma0.03"}
    assert membership(root / "seed3-sigma0.03") == (second, "seed3-sigma0.03")
    assert membership(root / "seed9") is None
    assert membership(tmp_path / "alone") is None


@pytest.mark.parametrize(
    ("words", "may_go_on", "what"),
    [
        (WORDS, False, "holds a sweep of 4 runs already; go on with it by --continue"),
        (["seed=1..2", "num_neurons=16,18"], True, "is over seed, search.sigma, this command is"),
        (["search.sigma=0.02,0.03", "seed=1..2"], True, "name the same keys in the same order"),
        ([*WORDS, "search.popsize=16"], True, "has other settings: search.popsize: 8 -> 16"),
    ],
)
def test_another_sweep_is_refused_by_what_differs(
    tmp_path: Path, words: list[str], may_go_on: bool, what: str
) -> None:
    keep_record(tmp_path, make_plan("smoke", WORDS), may_go_on=False)
    with pytest.raises(UsageError, match=what):
        keep_record(tmp_path, make_plan("smoke", words), may_go_on=may_go_on)


def test_a_longer_run_is_the_same_sweep(tmp_path: Path) -> None:
    before = keep_record(tmp_path, make_plan("smoke", WORDS), may_go_on=False)
    longer = make_plan("smoke", [*WORDS, "evolution.generations=9"])
    assert keep_record(tmp_path, longer, may_go_on=True) == before


def test_what_is_no_sweep_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(UsageError, match=r"not empty \(thesis.tex\) and holds no sweep"):
        keep_record(tmp_path, make_plan("smoke", WORDS), may_go_on=True)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": "other"}', '{"schema": 1, "keys": 2}'])
def test_a_damaged_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "sweep.json").write_text(text)
    with pytest.raises(UsageError, match=r"sweep\.json"):
        read_record(tmp_path)
    assert membership(tmp_path / "seed1") is None, "a run is delivered all the same"


def test_jobs_that_start_at_once_make_one_sweep(tmp_path: Path) -> None:
    root = tmp_path / "sweep"
    plans = [make_plan("smoke", [f"seed={seed}"], ["seed"]) for seed in range(8)]
    threads = [
        threading.Thread(target=keep_record, args=(root, plan), kwargs={"may_go_on": True})
        for plan in plans
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    record = json.loads((root / "sweep.json").read_text())
    assert set(record["runs"]) == {f"seed{seed}" for seed in range(8)}
