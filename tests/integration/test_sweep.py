"""Sweeps and drivers side by side, as processes, on one store: whoever stops them, all is there."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from cluster.journal import read_journal
from cluster.lock import LOCK_NAME
from evoplastic.records.events import StartEvent
from evoplastic.records.names import TAG_RUN_ID, TAG_SWEEP
from tests.cluster import written_runs

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 900.0  # of a busy machine; each driver needs some ten seconds of a core
SHORT = ("evaluation.train_lifetimes=0", "evaluation.held_out_lifetimes=2")

pytestmark = pytest.mark.cluster


def start(folder: Path, *words: str) -> subprocess.Popen[str]:
    """A command in a process of its own."""
    kept = {name: value for name, value in os.environ.items() if "MLFLOW" not in name}
    return subprocess.Popen(
        [sys.executable, "-m", "evoplastic", *words],
        cwd=folder,
        env=kept | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(folder: Path, *words: str) -> tuple[int, str, str]:
    """Exit code and what was printed."""
    process = start(folder, *words)
    out, err = process.communicate(timeout=TIMEOUT_S)
    return process.returncode, out, err


def stored(folder: Path) -> dict[str, tuple[str, str, int]]:
    """Of each run in the store, by our id: its name, its state, and its number of points."""
    with closing(sqlite3.connect(f"file:{folder / 'mlflow.db'}?mode=ro", uri=True)) as database:
        rows = database.execute(
            "select t.value, r.name, r.status, (select count(*) from metrics m where "
            "m.run_uuid = r.run_uuid) from runs r join tags t on t.run_uuid = r.run_uuid "
            "where t.key = ?",
            (TAG_RUN_ID,),
        ).fetchall()
    assert len({run_id for run_id, *_ in rows}) == len(rows), "a run is there twice"
    return {run_id: (name, state, points) for run_id, name, state, points in rows}


def parents(folder: Path) -> tuple[list[str], set[str | None]]:
    """The runs of sweeps in the store, and whose child every other run is."""
    with closing(sqlite3.connect(f"file:{folder / 'mlflow.db'}?mode=ro", uri=True)) as database:
        sweeps = database.execute("select run_uuid from tags where key = ?", (TAG_SWEEP,))
        ids = [each for (each,) in sweeps]
        rows = database.execute(
            "select p.value from tags t left join tags p on p.run_uuid = t.run_uuid and "
            "p.key = 'mlflow.parentRunId' where t.key = ?",
            (TAG_RUN_ID,),
        )
        return ids, {parent for (parent,) in rows}


def assert_delivered(folder: Path, run_dirs: Sequence[Path]) -> None:
    """Every point of every journal is in the store, once, under a run that is over."""
    found = stored(folder)
    assert len(found) == len(run_dirs)
    for run_dir in run_dirs:
        events, _ = read_journal(run_dir / "journal.ndjson")
        assert isinstance(events[0], StartEvent)
        expected = len(written_runs.stored(run_dir))
        _, state, points = found[events[0].run_id]
        assert (state, points) == ("FINISHED", expected), run_dir.name


def digests(root: Path) -> dict[str, str]:
    """The last measured center of each run, by the name of its directory."""
    found = {}
    for journal in sorted(root.glob("*/journal.ndjson")):
        events = read_journal(journal)[0]
        measured = [event for event in events if hasattr(event, "genome_digest")]
        found[journal.parent.name] = measured[-1].genome_digest
    return found


def test_eight_drivers_at_once_lose_nothing(tmp_path: Path) -> None:
    drivers = [
        start(
            *(tmp_path, "evolve", "smoke", f"seed={seed}", "evolution.generations=20", *SHORT),
            *("--run-dir", f"runs/seed{seed}", "--no-analysis"),
        )
        for seed in range(8)
    ]
    for driver in drivers:
        _, err = driver.communicate(timeout=TIMEOUT_S)
        assert (driver.returncode, "lacks records" in err) == (0, False), err
    assert_delivered(tmp_path, [tmp_path / "runs" / f"seed{seed}" for seed in range(8)])


def test_a_sweep_that_is_stopped_goes_on_and_equals_one_that_is_not(tmp_path: Path) -> None:
    settings = ("seed=1,2", "search.sigma=0.02,0.03", *SHORT)
    longer = ("evolution.generations=40", "evaluation.every=20")
    words = ("sweep", "smoke", *settings, *longer, "--run-dir")
    code, out, err = run(tmp_path, *words, "whole")
    assert code == 0, err
    assert "[4/4]" in out
    assert "Percent correct" in out
    names = [f"seed{seed}-sigma{sigma}" for seed in (1, 2) for sigma in (0.02, 0.03)]
    assert_delivered(tmp_path, [tmp_path / "whole" / name for name in names])
    (parent,), children = parents(tmp_path)
    assert children == {parent}
    assert {name for name, *_ in stored(tmp_path).values()} == set(names)

    sweep = start(tmp_path, *words, "stopped")
    deadline = time.monotonic() + TIMEOUT_S
    while not any(
        len(read_journal(journal)[0]) > 5
        for journal in (tmp_path / "stopped").glob("*/journal.ndjson")
    ):
        assert sweep.poll() is None, sweep.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    sweep.send_signal(signal.SIGTERM)
    _, err = sweep.communicate(timeout=TIMEOUT_S)
    assert sweep.returncode == 75, err
    assert "--continue" in err
    for lock in (tmp_path / "stopped").glob(f"*/{LOCK_NAME}"):
        with pytest.raises(ProcessLookupError):
            os.kill(int(lock.read_text()), 0)
    code, out, err = run(tmp_path, *words, "stopped", "--continue", "--json")
    assert code == 0, err
    outcome = json.loads(out.splitlines()[-1])
    assert (outcome["status"], outcome["undelivered"]) == ("done", [])
    assert digests(tmp_path / "stopped") == digests(tmp_path / "whole")
    again, out, _ = run(tmp_path, *words, "stopped", "--continue")
    assert again == 0
    assert out.count("was done already") == 4


def test_runs_of_a_sweep_that_is_killed_stop_and_go_on(tmp_path: Path) -> None:
    settings = ("evolution.generations=100", "evaluation.every=100", "tracking.enabled=false")
    words = ("sweep", "smoke", "seed=1,2", *settings, *SHORT, "--run-dir", "dead")
    sweep = start(tmp_path, *words)
    journals = [tmp_path / "dead" / f"seed{seed}" / "journal.ndjson" for seed in (1, 2)]
    deadline = time.monotonic() + TIMEOUT_S
    while not all(each.exists() and len(read_journal(each)[0]) > 5 for each in journals):
        assert sweep.poll() is None, sweep.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    sweep.kill()
    sweep.communicate()
    stati = [journal.parent / "STATUS" for journal in journals]
    while [status.read_text().strip() for status in stati] != ["preempted"] * 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    code, out, err = run(tmp_path, *words, "--continue")
    assert code == 0, err
    assert "[2/2]" in out


def test_jobs_of_an_array_that_start_at_once_make_one_sweep(tmp_path: Path) -> None:
    words = ("sweep", "smoke", "seed=1..4", "evolution.generations=8", *SHORT, "--run-dir", "array")
    jobs = [start(tmp_path, *words, "--index", str(index)) for index in range(1, 5)]
    answers = [job.communicate(timeout=TIMEOUT_S) for job in jobs]
    assert [job.returncode for job in jobs] == [0] * 4, answers
    assert any("Percent correct" in out for out, _ in answers), "the last one prints the table"
    assert_delivered(tmp_path, [tmp_path / "array" / f"seed{seed}" for seed in (1, 2, 3, 4)])
    ids, children = parents(tmp_path)
    assert (len(ids), children) == (1, set(ids))
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as database:
        (state,) = database.execute("select status from runs where run_uuid = ?", ids).fetchone()
    assert state == "FINISHED"


def test_a_run_that_fails_stops_no_other_and_is_told(tmp_path: Path) -> None:
    """Rewards say nothing here for three generations in a row, which a run refuses."""
    code, out, err = run(
        *(tmp_path, "sweep", "smoke", "lifetime.fitness=reward,loss", *SHORT, "--run-dir", "mixed"),
        *("tracking.enabled=false", "--at-once", "1", "--json"),
    )
    assert code == 2, err
    assert "fitness_reward failed: 3 generations in a row told the search nothing" in err
    outcome = json.loads(out.splitlines()[-1])
    assert [(each["run"], each["status"]) for each in outcome["runs"]] == [
        ("fitness_reward", "failed"),
        ("fitness_loss", "done"),
    ]
    assert (tmp_path / "mixed" / "fitness_loss" / "STATUS").read_text().strip() == "done"
