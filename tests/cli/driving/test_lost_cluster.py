"""A run whose cluster is lost leaves with 75, says so, and goes on to the same result."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from mlflow.tracking import MlflowClient

from cluster.checkpoint import load_checkpoint
from cluster.journal import read_journal
from cluster.loop import evolve, resume
from cluster.session.lost import write_lost
from cluster.tracking.sync import sync
from evoplastic.records.events import EndEvent, FaultEvent, GenerationEvent, ResumeEvent
from tests.cluster.test_loop import At, small

TIMEOUT_S = 240.0
SETTINGS = (
    *("evolution.generations=100000", "tracking.enabled=false", "engine=reference"),
    *("evaluation.every=100000", "evaluation.controls=false", "evaluation.train_lifetimes=0"),
    "evaluation.held_out_lifetimes=2",
)


@contextmanager
def command(run_dir: Path, *settings: str) -> Iterator[subprocess.Popen[str]]:
    """A run with workers of its own that can be run again; killed after the block."""
    words = [sys.executable, "-m", "evoplastic", "evolve", "smoke", *SETTINGS, *settings]
    process = subprocess.Popen(
        [*words, "--workers", "1", "--run-dir", str(run_dir), "--continue", "--no-analysis"],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "RAY_gcs_rpc_server_reconnect_timeout_s": "5"},  # instead of 60
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=TIMEOUT_S)


def wait_for_generations(run_dir: Path, count: int) -> None:
    """Return once the journal tells of so many generations."""
    deadline = time.monotonic() + TIMEOUT_S
    journal = run_dir / "journal.ndjson"
    while time.monotonic() < deadline:
        if journal.is_file():
            told = read_journal(journal)[0]
            if sum(isinstance(event, GenerationEvent) for event in told) >= count:
                return
        time.sleep(0.05)
    pytest.fail(f"{count} generations did not come within {TIMEOUT_S} s")


def below(process: subprocess.Popen[str], name: str) -> psutil.Process:
    """The process of that name among those that a command has started."""
    children = psutil.Process(process.pid).children(recursive=True)
    return next(each for each in children if name in each.name())


@pytest.mark.cluster
@pytest.mark.parametrize("server", ["gcs_server", "raylet"])
def test_a_lost_cluster_gives_75_and_the_way_to_go_on(server: str, tmp_path: Path) -> None:
    run_dir = tmp_path / "run"
    with command(run_dir) as process:
        wait_for_generations(run_dir, 3)
        below(process, server).kill()
        _, said = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 75, said
    assert f"evoplastic resume {run_dir} --workers 1" in said
    assert (run_dir / "STATUS").read_text() == "preempted\n"
    fault, end = read_journal(run_dir / "journal.ndjson")[0][-2:]
    assert isinstance(fault, FaultEvent)
    assert isinstance(end, EndEvent)
    assert end.status == "preempted"
    last = f"evolution.generations={end.generation + 3}"
    with command(run_dir, last) as process:  # the same command again
        _, said = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 0, said
    told = read_journal(run_dir / "journal.ndjson")[0]
    generations = [event.generation for event in told if isinstance(event, GenerationEvent)]
    assert generations == list(range(end.generation + 3))
    whole = evolve(small(*SETTINGS, last), tmp_path / "whole")
    assert resume(run_dir).center_digest == whole.center_digest


@pytest.mark.cluster
def test_who_kills_the_parent_leaves_nobody_at_the_run(tmp_path: Path) -> None:
    run_dir = tmp_path / "run"
    with command(run_dir) as process:
        wait_for_generations(run_dir, 2)
        driver = psutil.Process(process.pid).children()[0]
        process.kill()
        process.communicate(timeout=TIMEOUT_S)
        driver.wait(TIMEOUT_S)
    generation = load_checkpoint(run_dir / "checkpoints").meta.next_generation
    outcome = resume(run_dir, [f"evolution.generations={generation + 1}"])  # nobody holds it
    assert outcome.status == "done"


@pytest.mark.cluster
def test_a_killed_driver_is_written_down_by_its_parent(tmp_path: Path) -> None:
    """The tracking store is told as well, or the run owes it."""
    run_dir, store = tmp_path / "run", f"sqlite:///{tmp_path / 'mlflow.db'}"
    with command(run_dir, "tracking.enabled=true", f"tracking.uri={store}") as process:
        wait_for_generations(run_dir, 2)
        os.kill(int((run_dir / ".lock").read_text()), signal.SIGKILL)
        _, said = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 75
    assert "the driver was killed by SIGKILL" in said
    assert (run_dir / "STATUS").read_text() == "preempted\n"
    if "lacks records" in said:
        sync(run_dir)
    client = MlflowClient(tracking_uri=store)
    (run,) = client.search_runs([each.experiment_id for each in client.search_experiments()])
    assert run.info.status == "KILLED"


def test_what_is_written_of_a_lost_driver_is_gone_on_from(tmp_path: Path) -> None:
    """The journal stays whole: its digests, its order, and one end for each beginning."""
    config = small("evolution.generations=2")
    whole = evolve(config, tmp_path / "whole")
    run_dir = tmp_path / "run"
    evolve(config, run_dir, progress=At(1, lambda: os.kill(os.getpid(), signal.SIGTERM)))
    journal = run_dir / "journal.ndjson"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:-1]))  # it died before it wrote its end
    (run_dir / "STATUS").write_text("running\n")
    end = write_lost(run_dir, "the cluster was lost", "preempted", deliver=False)
    assert (end.generation, end.status) == (1, "preempted")
    assert (run_dir / "STATUS").read_text() == "preempted\n"
    fault = read_journal(journal)[0][-2]
    assert isinstance(fault, FaultEvent)
    assert (fault.kind, fault.message) == ("driver_lost", "the cluster was lost")
    before = journal.read_bytes()
    assert write_lost(run_dir, "again", "failed", deliver=False) == end
    assert journal.read_bytes() == before
    assert resume(run_dir).center_digest == whole.center_digest
    told = [type(event) for event in read_journal(journal)[0]]
    assert told[told.index(EndEvent) + 1] is ResumeEvent
