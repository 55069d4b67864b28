"""Runs on streams: what does not fit is refused before the first generation, the rest recorded."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.store import open_run
from tests.cli.conftest import Command

SUITE = """
name: small
train: [{stream: [and, or, and], trials: [8, 6, 4], probes: 2, name: s}]
held_out: [{stream: [dms, dnms, dms], trials: [8, 6, 4], probes: 2, name: h}]
"""
QUICK = ("suite=small.yaml", "curriculum=uniform", "tracking.enabled=false", "threads=1")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (("lifetime.num_trials=40",), "stream 's' has 34 trials, lifetimes have 40"),
        (("lifetime.num_trials=34", "rule.first_trial=12"), "shorter than its burn-in"),
    ],
)
def test_what_does_not_fit_is_refused(
    command: Command, tmp_path: Path, settings: tuple[str, ...], message: str
) -> None:
    (tmp_path / "small.yaml").write_text(SUITE)
    answer = command("evolve", "smoke", *QUICK, *settings)
    assert answer.code == 2
    assert message in answer.err
    assert not (tmp_path / "runs").exists()


@pytest.mark.exhaustive
def test_a_run_records_its_streams(command: Command, tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SUITE)
    retained = ("lifetime.num_trials=34", "lifetime.retention_weight=0.5", "rule.first_trial=5")
    answer = command("evolve", "smoke", *QUICK, *retained, "--run-dir", "run")
    assert answer.code == 0
    last = open_run(tmp_path / "run").evaluations[-1]
    assert len(last.entries) == 2 * 3  # two streams, under three conditions
    for entry in last.entries:
        assert entry.stream is not None
        assert entry.stream.parts[0] == "birth"
        assert entry.stream.scores["accuracy"] == entry.accuracy
    assert {"held_out/h/retention_mean", "train/s/savings_mean"} < set(last.metrics())
    assert (tmp_path / "run" / "figures" / "streams.png").is_file()
    told = command("evaluate", "run", "--lifetimes", "4", "--control", "iid_order", "--json").json
    (of_task,) = told["tasks"]
    assert set(of_task["stream"]) == {"plastic", "plasticity_off", "iid_order"}
