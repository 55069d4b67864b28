from __future__ import annotations

import fcntl
import logging
import os
import shlex
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from cluster.journal import Journal
from cluster.tracking import tracker as tracking
from cluster.tracking.sync import sync
from cluster.tracking.tracker import Tracker, resolve_uri
from evoplastic.checks import UsageError
from evoplastic.records.events import Event, ResumeEvent
from tests.cluster import written_runs as runs

SLOWEST_CALL_S = 8.0  # room for a busy machine; a store that does not answer takes 10 s to fail


def test_a_run_is_delivered_while_it_runs(
    empty_database: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    uri = runs.copy_of(empty_database, tmp_path)
    run_dir = runs.write(tmp_path / "run")
    tracker = Tracker(run_dir, run_dir / "journal.ndjson", uri, runs.EXPERIMENT)
    tracker.start()
    for number in range(3):
        runs.append(run_dir, runs.generation(number))
        tracker.poke()
    runs.wait_until(lambda: (run_dir / "tracking.json").exists(), 30, "generations are delivered")
    assert runs.recorded(uri)[0].info.status == "RUNNING"
    runs.append(run_dir, runs.generation(3), runs.evaluation(4), runs.end(4, "done"))
    assert tracker.close("done") == 0
    run, points = runs.recorded(uri)
    assert run.info.status == "FINISHED"
    assert sum(points.values()) == runs.expected_points(4, (4,))
    assert set(points.values()) == {1}
    assert "figures/curve.svg" in runs.artifacts(uri, run.info.run_id)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_a_journal_that_could_not_be_told_of_the_end(empty_database: Path, tmp_path: Path) -> None:
    """As on a full disk: the status that `close` is given counts."""
    uri = runs.copy_of(empty_database, tmp_path)
    run_dir = runs.write(tmp_path / "run", runs.generation(0))
    tracker = Tracker(run_dir, run_dir / "journal.ndjson", uri, runs.EXPERIMENT)
    tracker.start()
    tracker.close("failed")
    assert runs.recorded(uri)[0].info.status == "FAILED"


def test_a_run_left_running_by_a_kill_is_continued(empty_database: Path, tmp_path: Path) -> None:
    uri = runs.copy_of(empty_database, tmp_path)
    run_dir = runs.write(tmp_path / "run", runs.generation(0))
    code = (
        "import os, sys, time; from pathlib import Path\n"
        "from cluster.tracking.tracker import Tracker\n"
        f"run_dir = Path({str(run_dir)!r}); journal = run_dir / 'journal.ndjson'\n"
        f"tracker = Tracker(run_dir, journal, {uri!r}, {runs.EXPERIMENT!r})\n"
        "tracker.start(); tracker._began_at = 0; tracker.poke()\n"
        "while not (run_dir / 'tracking.json').exists(): time.sleep(0.01)\n"
        "os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", code], timeout=60, check=False)
    assert done.returncode == -9
    assert runs.recorded(uri)[0].info.status == "RUNNING"
    runs.append(run_dir, ResumeEvent(time_ms=runs.FIRST_MS + 9000, generation=1))
    tracker = Tracker(run_dir, run_dir / "journal.ndjson", uri, runs.EXPERIMENT)
    tracker.start()
    runs.append(run_dir, runs.generation(1), runs.end(2, "done"))
    assert tracker.close("done") == 0
    run, points = runs.recorded(uri)
    assert run.info.status == "FINISHED"
    assert sum(points.values()) == runs.expected_points(2)


def test_a_run_that_ends_at_the_worst_moment_is_told_to_its_end(
    empty_database: Path, tmp_path: Path
) -> None:
    """`close` comes in while the thread forgets old news, and must not be forgotten with them."""
    uri = runs.copy_of(empty_database, tmp_path)
    run_dir = runs.write(tmp_path / "run")
    tracker = Tracker(run_dir, run_dir / "journal.ndjson", uri, runs.EXPERIMENT)
    forgetting = threading.Event()

    class SlowToForget(threading.Event):
        calls = 0

        def clear(self) -> None:
            self.calls += 1
            if self.calls == 2:  # the first is that of the wait for a generation
                forgetting.set()
                runs.wait_until(lambda: tracker._closing.is_set() and self.is_set(), 20, "close")
            super().clear()

    tracker._news = SlowToForget()
    tracker.start()
    runs.append(run_dir, runs.generation(0))
    tracker.poke()
    assert forgetting.wait(20)
    runs.append(run_dir, runs.end(1, "done"))
    assert tracker.close("done", 20.0) == 0
    assert not tracker._thread.is_alive(), "the thread waits for news that never come"
    assert runs.recorded(uri)[0].info.status == "FINISHED"


def test_a_store_that_never_answers_costs_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracking, "RETRY_S", (0.05, 0.1))
    run_dir = runs.write(tmp_path / "run")
    uri = f"http://127.0.0.1:{runs.free_port()}"
    tracker = Tracker(run_dir, run_dir / "journal.ndjson", uri, runs.EXPERIMENT)
    tracker.start()
    for number in range(20):
        runs.append(run_dir, runs.generation(number))
        assert _seconds_of(tracker.poke) < SLOWEST_CALL_S
        time.sleep(0.1)
    began = time.monotonic()
    assert tracker.close("done", 3.0) == 1 + 20
    assert time.monotonic() - began < 3.0 + SLOWEST_CALL_S
    messages = [record.getMessage() for record in caplog.records if record.levelno > logging.INFO]
    assert len(messages) == 2, messages
    assert uri in messages[0]
    assert "fails" in messages[0]
    assert "(21 events); deliver them with " in messages[1]
    assert shlex.split(messages[1].split("`")[1])[1:] == ["sync", str(run_dir), "--store", uri]


def test_a_store_in_a_file_that_others_use_is_waited_for(
    empty_database: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A run that ends beside seven others must not give up a store for being slow."""
    uri = runs.copy_of(empty_database, tmp_path)
    run_dir = runs.write(tmp_path / "run", runs.generation(0), runs.end(1, "done"))
    tracker = Tracker(run_dir, run_dir / "journal.ndjson", uri, runs.EXPERIMENT)
    folder = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)  # as another driver that makes or opens the database
    release = threading.Timer(2.0, os.close, (folder,))
    release.start()
    tracker.start()
    assert tracker.close("done", 0.5) == 0
    assert runs.recorded(uri)[0].info.status == "FINISHED"
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.cluster
def test_a_database_that_another_process_locks_is_asked_again(
    empty_database: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """SQLite gives up after 20 s, the way MLflow opens it; the last delivery of a run does not."""
    uri = runs.copy_of(empty_database, tmp_path)
    run_dir = runs.write(tmp_path / "run", runs.generation(0))
    sync(run_dir, uri)
    runs.append(run_dir, runs.generation(1), runs.end(2, "done"))
    tracker = Tracker(run_dir, run_dir / "journal.ndjson", uri, runs.EXPERIMENT)
    file = uri.removeprefix("sqlite:///")
    writer = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    with closing(writer):
        writer.execute("begin immediate")
        release = threading.Timer(30.0, writer.execute, ("rollback",))
        release.start()
        tracker.start()
        assert tracker.close("done", 0.5) == 0
        release.join()
    assert runs.recorded(uri)[0].info.status == "FINISHED"
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.cluster
def test_a_server_killed_in_the_middle_harms_no_run_and_loses_no_point(
    empty_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracking, "PERIOD_S", 0.05)
    monkeypatch.setattr(tracking, "RETRY_S", (0.1, 0.5))
    database = runs.copy_of(empty_database, tmp_path)
    port = runs.free_port()
    uri = f"http://127.0.0.1:{port}"
    run_dir = runs.write(tmp_path / "run")
    slowest = 0.0
    with (
        Journal.open(run_dir / "journal.ndjson") as journal,
        runs.mlflow_server(tmp_path, port) as server,
    ):
        tracker = Tracker(run_dir, journal.path, uri, runs.EXPERIMENT)
        tracker.start()

        def live(event: Event) -> None:
            journal.append(event)
            tracker.poke()

        for number in range(60):
            slowest = max(slowest, _seconds_of(partial(live, runs.generation(number))))
            if number == 20:
                runs.wait_until((run_dir / "tracking.json").exists, 30, "a batch was delivered")
                runs.kill(server)  # the rest meets a dead server
            time.sleep(0.02)
        live(runs.end(60, "done"))
        closing_s = _seconds_of(lambda: tracker.close("done", 3.0))
    assert slowest < SLOWEST_CALL_S, f"a generation waited {slowest:.2f} s for a dead server"
    assert closing_s < 3.0 + SLOWEST_CALL_S
    before = runs.recorded(database)[1]
    assert 0 < sum(before.values()) < runs.expected_points(60), "the server died too early or late"
    with runs.mlflow_server(tmp_path, port):
        report = sync(run_dir, uri)
        assert report.points > 0
        assert sync(run_dir, uri).points == 0
    run, points = runs.recorded(database)
    assert run.info.status == "FINISHED"
    assert sum(points.values()) == runs.expected_points(60)
    assert set(points.values()) == {1}


def test_starting_imports_no_mlflow_and_says_nothing(tmp_path: Path) -> None:
    """MLflow, its tables included, is heard neither on stdout nor on stderr."""
    run_dir = runs.write(tmp_path / "run", runs.generation(0))
    code = (
        "import logging, sys, time; from pathlib import Path\n"
        "logging.basicConfig(level=logging.INFO)\n"
        "from cluster.tracking.tracker import Tracker\n"
        f"run_dir = Path({str(run_dir)!r})\n"
        "tracker = Tracker(run_dir, run_dir / 'journal.ndjson', None, 'study')\n"
        "tracker.start(); tracker.poke(); time.sleep(0.2)\n"
        "assert 'mlflow' not in sys.modules, 'imported before the first generation'\n"
        "assert tracker.close('done', 60) == 0\n"
        "assert 'mlflow' in sys.modules"
    )
    root = Path(tracking.__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(root), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    run, points = runs.recorded(f"sqlite:///{tmp_path / 'mlflow.db'}")
    assert sum(points.values()) == runs.expected_points(1)
    assert Path(run.info.artifact_uri.removeprefix("file://")).is_relative_to(tmp_path)


def test_which_store_is_used(
    empty_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    uri = runs.copy_of(empty_database, tmp_path)
    run_dir = runs.write(tmp_path / "run")
    assert resolve_uri("sqlite:///a.db", run_dir) == f"sqlite:///{tmp_path}/a.db"
    assert resolve_uri(None, run_dir) == uri
    sync(run_dir, uri)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert resolve_uri(None, run_dir) == uri, "resumed elsewhere, a run keeps its store"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://store.example")
    assert resolve_uri(None, run_dir) == "http://store.example"
    with pytest.raises(UsageError, match="holds a password"):
        Tracker(run_dir, run_dir / "journal.ndjson", "http://me:secret@store.example", "study")
    with pytest.raises(UsageError, match="is no tracking URI"):
        resolve_uri("http://[half", run_dir)


def _seconds_of(call: Callable[[], object]) -> float:
    began = time.monotonic()
    call()
    return time.monotonic() - began
