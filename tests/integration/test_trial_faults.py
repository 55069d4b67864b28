"""Runs on tasks of which one trial in some hundred raises: done, counted, the first one kept."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from cluster.config.run import RunConfig
from cluster.journal import read_journal
from cluster.loop import RunOutcome, evolve, resume
from evoplastic.__main__ import main
from evoplastic.records.events import FaultEvent, GenerationEvent
from evoplastic.records.names import JOURNAL_NAME, RAISED_TRIALS
from evoplastic.trials import faults
from tests.cluster.free import free_config

BANK = ('small_envs.py:Echo", name: echo', 'small_envs.py:RaisesAtTimes", name: echo')
STEPPED = ('small_envs.py:Staircase", name', 'small_envs.py:RandomAndRaising", name')


def raising(folder: Path, *overrides: str) -> RunConfig:
    """The smallest run, on a bank and an environment that raise at times."""
    folder.mkdir(exist_ok=True)
    config = free_config(
        folder,
        "lifetime.num_trials=60",
        "banks.trials=300",
        "evolution.generations=2",
        "evaluation.every=2",
        "evaluation.controls=false",
        "evaluation.train_lifetimes=0",
        "search.popsize=16",
        *overrides,
    )
    suite = Path(config.suite)
    text = suite.read_text()
    for before, after in (BANK, STEPPED):
        assert before in text
        text = text.replace(before, after)
    suite.write_text(text)
    return config


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> RunOutcome:
    """A whole run."""
    faults.drain()
    folder = tmp_path_factory.mktemp("raising")
    return evolve(raising(folder / "suite"), folder / "run")


def raised(outcome: RunOutcome) -> list[float]:
    """Trials that raised, by generation."""
    return [
        event.metrics[RAISED_TRIALS]
        for event in read_journal(outcome.run_dir / JOURNAL_NAME)[0]
        if isinstance(event, GenerationEvent)
    ]


def test_a_run_goes_on_and_counts(done: RunOutcome) -> None:
    assert done.status == "done"
    assert sum(raised(done)) > 2
    told = [
        event.message
        for event in read_journal(done.run_dir / JOURNAL_NAME)[0]
        if isinstance(event, FaultEvent)
    ]
    assert len(told) == 2
    assert all("out of luck" in message for message in told)


def test_the_first_of_each_task_is_kept_and_shown_again(
    done: RunOutcome, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = sorted(path.name for path in (done.run_dir / "faults").iterdir())
    assert kept == ["RaisesAtTimes.txt", "RandomAndRaising.actions", "RandomAndRaising.txt"]
    for file in (done.run_dir / "faults").glob("*.txt"):
        text = file.read_text()
        assert "Traceback (most recent call last)" in text
        line = next(line for line in text.splitlines() if "tasks check" in line)
        assert main(shlex.split(line)[1:]) == 2
        told = capsys.readouterr().err
        assert "raises in new_trial(): RuntimeError: out of luck" in told
        assert "small_envs.py" in told


@pytest.mark.exhaustive
def test_the_same_run_has_the_same_faults_and_center(done: RunOutcome, tmp_path: Path) -> None:
    faults.drain()
    again = evolve(raising(tmp_path / "suite", "pairs_per_shard=1"), tmp_path / "run")
    assert again.center_digest == done.center_digest
    assert raised(again)[1:] == raised(done)[1:]  # before the first, tasks are examined once
    assert resume(again.run_dir).already_finished


@pytest.mark.cluster
def test_workers_count_what_raises_there(done: RunOutcome, tmp_path: Path) -> None:
    from cluster.workers.ray_executor import RayExecutor

    faults.drain()
    again = evolve(raising(tmp_path / "alone"), tmp_path / "alone_run")
    faults.drain()
    executor = RayExecutor(2)
    try:
        outcome = evolve(raising(tmp_path / "suite"), tmp_path / "run", executor=executor)
    finally:
        executor.close()
    assert outcome.center_digest == done.center_digest == again.center_digest
    assert raised(outcome) == raised(again)  # tasks were examined before, in the first run
    assert (outcome.run_dir / "faults" / "RandomAndRaising.txt").is_file()
