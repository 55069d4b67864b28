"""A run that was killed around its end: what was still owed is brought by the next `resume`."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cluster.config.run import load_config
from cluster.journal import read_journal
from cluster.loop import RunOutcome, evolve, resume
from evoplastic.records.events import EndEvent
from tests import faults
from tests.cluster import written_runs as runs

KILLS = int(os.environ.get("EVOPLASTIC_KILLS", "6"))
WORDS = (
    "engine=reference",
    "num_neurons=16",
    "lifetime.num_trials=6",
    "lifetime.scored_trials=3",
    "evolution.popsize=4",
    "evolution.generations=3",
    "evaluation.every=2",
    "evaluation.held_out_lifetimes=1",
    "evaluation.train_lifetimes=0",
    "evaluation.controls=false",
)


def recorded(uri: str, run_id: str) -> tuple[str, Counter[tuple[str, int]]]:
    """State of the one MLflow run of an id, and how often it has each (metric, step)."""
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    experiments = [each.experiment_id for each in client.search_experiments()]
    found = client.search_runs(experiments, f"tags.`{runs.TAG_RUN_ID}` = '{run_id}'")
    assert len(found) == 1, f"{len(found)} runs carry one id"
    points = Counter(
        (metric.key, metric.step)
        for name in found[0].data.metrics
        for metric in client.get_metric_history(found[0].info.run_id, name)
    )
    return found[0].info.status, points


def small_run(folder: Path, database: Path, *words: str) -> RunOutcome:
    uri = runs.copy_of(database, folder)
    return evolve(load_config("smoke", [*WORDS, f"tracking.uri={uri}", *words]), folder / "run")


@pytest.fixture(scope="module")
def short(empty_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with one generation to go, recorded nowhere yet."""
    folder = tmp_path_factory.mktemp("short")
    small_run(folder, empty_database, "evolution.generations=2", "tracking.enabled=false")
    return folder / "run"


@pytest.fixture(scope="module")
def whole(
    short: Path, empty_database: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Counter[tuple[str, int]]]:
    """Digest and points of the run that nothing disturbs."""
    outcome, uri = last_generation(short, empty_database, tmp_path_factory.mktemp("whole"))()
    state, points = recorded(uri, outcome.run_id)
    assert state == "FINISHED"
    assert set(points.values()) == {1}
    return outcome.center_digest, points


def last_generation(
    short: Path, database: Path, folder: Path
) -> Callable[[], tuple[RunOutcome, str]]:
    """What lives the last generation of a copy of the run, and records it in a store of its own."""
    uri = runs.copy_of(database, folder)
    shutil.copytree(short, folder / "run")
    words = [f"tracking.uri={uri}", "tracking.enabled=true", "evolution.generations=3"]

    def work() -> tuple[RunOutcome, str]:
        return resume(folder / "run", words), uri

    return work


def exit_code(work: Callable[[], tuple[RunOutcome, str]]) -> int:
    return work()[0].exit_code


def require_whole(
    run_dir: Path, work: Callable[[], Any], whole: tuple[str, Counter[tuple[str, int]]]
) -> None:
    outcome, uri = work()
    assert (outcome.exit_code, outcome.center_digest) == (0, whole[0])
    assert (run_dir / "STATUS").read_text() == "done\n"
    assert recorded(uri, outcome.run_id) == ("FINISHED", whole[1])
    assert isinstance(read_journal(run_dir / "journal.ndjson")[0][-1], EndEvent)
    assert not list(run_dir.rglob("*.tmp"))


def test_killed_around_its_end_a_run_owes_nothing_after_resume(
    short: Path,
    whole: tuple[str, Counter[tuple[str, int]]],
    empty_database: Path,
    tmp_path: Path,
) -> None:
    """Half of the kills at any time of the last seconds, half at calls for files."""
    (tmp_path / "usual").mkdir()
    usual = last_generation(short, empty_database, tmp_path / "usual")
    began = time.monotonic()
    assert faults.wait(faults.forked(partial(exit_code, usual))) == 0
    usual_s = time.monotonic() - began
    killed = 0
    for number, delay in enumerate(faults.delays(KILLS, usual_s, 7)):
        folder = tmp_path / str(number)
        folder.mkdir()
        work = last_generation(short, empty_database, folder)
        if number % 2:
            ended = faults.killed_after(delay, partial(exit_code, work))
        else:
            ended = faults.killed_at_file_call(
                4 + 90 * number // KILLS, str(folder), partial(exit_code, work)
            )
        assert ended in (0, -signal.SIGKILL)
        killed += ended != 0
        require_whole(folder / "run", work, whole)
    print(f"{killed} of {KILLS} killed within {usual_s:.1f} s, 0 points missing after resume")
    assert killed >= KILLS // 2


def test_a_signal_during_delivery_is_heeded_before_the_store_answers(
    short: Path,
    whole: tuple[str, Counter[tuple[str, int]]],
    empty_database: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The store takes ten minutes for every answer; it gives the rest after the resume."""
    work = last_generation(short, empty_database, tmp_path)
    marker, answered = tmp_path / "delivering", tmp_path / "answered"

    def slow() -> int:
        from cluster.tracking.mlflow_store import MlflowStore

        def log_points(*_: Any) -> None:
            marker.touch()
            time.sleep(600)
            answered.touch()

        monkeypatch.setattr(MlflowStore, "log_points", log_points)
        return exit_code(work)

    child = faults.forked(slow)
    runs.wait_until(marker.exists, 60, "delivery begins")
    time.sleep(2.0)  # the run waits for the answer by then
    os.kill(child, signal.SIGTERM)
    assert faults.wait(child) == 75
    assert not answered.exists(), "it waited for the store"
    assert (tmp_path / "run" / "STATUS").read_text() == "preempted\n"
    require_whole(tmp_path / "run", work, whole)


@pytest.mark.parametrize("status", ["running\n", "", None])
def test_a_finished_run_says_so_again(
    short: Path,
    whole: tuple[str, Counter[tuple[str, int]]],
    empty_database: Path,
    tmp_path: Path,
    status: str | None,
) -> None:
    work = last_generation(short, empty_database, tmp_path)
    require_whole(tmp_path / "run", work, whole)
    before = (tmp_path / "run" / "journal.ndjson").read_bytes()
    (tmp_path / "run" / "STATUS").unlink()
    (tmp_path / "run" / "tracking.json").unlink()
    if status is not None:
        (tmp_path / "run" / "STATUS").write_text(status)
    assert work()[0].already_finished
    require_whole(tmp_path / "run", work, whole)
    assert (tmp_path / "run" / "journal.ndjson").read_bytes() == before
