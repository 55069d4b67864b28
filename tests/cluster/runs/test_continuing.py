"""One command that is run again and again: three kills, and the run is as if nothing had been."""

from __future__ import annotations

import os
import signal
from contextlib import closing
from pathlib import Path

import pytest

import evoplastic as ep
from cluster.continuing import evolve_or_resume
from cluster.journal import read_journal
from cluster.loop import RunOutcome, left_behind
from cluster.rundir import RunDirectory
from evoplastic.checks import Preempted, UsageError
from evoplastic.records.events import GenerationEvent
from evoplastic.stopping import Stopped
from tests.cluster.test_loop import At, search_bytes, small
from tests.faults import forked, wait

CONFIG = small("evolution.generations=6")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> RunOutcome:
    """The run that nothing disturbs, started by the same command."""
    return evolve_or_resume(CONFIG, tmp_path_factory.mktemp("whole") / "run")


def test_three_kills_of_one_command_leave_no_trace(whole: RunOutcome, tmp_path: Path) -> None:
    run_dir = tmp_path / "run"
    for generation in (1, 3, 4):
        die = At(generation, lambda: os.kill(os.getpid(), signal.SIGKILL))
        child = forked(lambda die=die: evolve_or_resume(CONFIG, run_dir, progress=die))  # type: ignore[misc]
        assert wait(child) == -signal.SIGKILL
    last = evolve_or_resume(CONFIG, run_dir)
    assert (last.status, last.center_digest) == ("done", whole.center_digest)
    assert search_bytes(run_dir) == search_bytes(whole.run_dir)
    told = read_journal(run_dir / "journal.ndjson")[0]
    generations = [event.generation for event in told if isinstance(event, GenerationEvent)]
    assert generations == list(range(6))


def test_a_run_that_is_done_is_given_back(whole: RunOutcome) -> None:
    """Nobody is asked for workers: at that address there is nobody."""
    before = (whole.run_dir / "journal.ndjson").read_bytes()
    again = evolve_or_resume(CONFIG, whole.run_dir, workers=None, address="127.0.0.1:1")
    assert (again.already_finished, again.exit_code) == (True, 0)
    assert again.center_digest == whole.center_digest
    assert (whole.run_dir / "journal.ndjson").read_bytes() == before


def test_more_generations_are_gone_on_with(tmp_path: Path) -> None:
    run_dir = tmp_path / "run"
    for generations in (1, 2):
        outcome = evolve_or_resume(small(f"evolution.generations={generations}"), run_dir)
        assert (outcome.generation, outcome.already_finished) == (generations, False)


def test_other_settings_are_named(whole: RunOutcome) -> None:
    other = small("evolution.generations=6", "search.sigma=0.5", "rule=oja")
    with pytest.raises(UsageError, match=r"holds a run of other settings: ") as refused:
        evolve_or_resume(other, whole.run_dir)
    assert "search.sigma: there 0.03, asked 0.5" in str(refused.value)
    assert "rule.name: there 'node_perturbation', asked 'oja'" in str(refused.value)
    assert "evolution.generations: there" not in str(refused.value)


def test_the_second_of_two_is_told_who_is_at_work(whole: RunOutcome, tmp_path: Path) -> None:
    """With the exit code that lets a scheduler try again: then it is done, or free."""
    run_dir = tmp_path / "run"
    refused: list[str] = []

    def meanwhile() -> None:
        with pytest.raises(Preempted) as second:
            evolve_or_resume(CONFIG, run_dir)
        refused.append(str(second.value))

    outcome = evolve_or_resume(CONFIG, run_dir, progress=At(2, meanwhile))
    assert f"another driver (process {os.getpid()}) is at work on {run_dir}" in refused[0]
    assert outcome.center_digest == whole.center_digest


def test_two_that_start_at_once_leave_one_running(tmp_path: Path) -> None:
    run_dir = tmp_path / "run"
    made = RunDirectory.create(run_dir, "first", CONFIG.to_yaml(), "reference")
    try:
        with pytest.raises(Preempted, match="another driver"):
            evolve_or_resume(CONFIG, run_dir)
    finally:
        made.close()


@pytest.mark.parametrize(
    ("error", "status"),
    [(Preempted("full"), "preempted"), (Stopped(signal.SIGINT), "interrupted")],
)
def test_who_cannot_even_begin_takes_back_that_the_run_is_running(
    error: BaseException, status: str, tmp_path: Path
) -> None:
    """The word of a driver that was killed; other words stay."""
    with closing(RunDirectory.create(tmp_path / "run", "x", CONFIG.to_yaml(), "")) as directory:
        for before, after in (("running", status), ("failed", "failed")):
            directory.set_status(before)
            with pytest.raises(type(error)), left_behind(directory):
                raise error
            assert directory.status == after


def test_python_goes_on_with_settings_in_the_name(
    whole: RunOutcome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.symlink(whole.run_dir, tmp_path / "smoke-1")
    done = ep.evolve(CONFIG, run_dir=str(tmp_path / "{name}-{seed}"), go_on=True)
    assert done.outcome.already_finished
    assert done.genome.digest == whole.center_digest
    with pytest.raises(UsageError, match="go_on=True needs run_dir"):
        ep.evolve(CONFIG, go_on=True)
