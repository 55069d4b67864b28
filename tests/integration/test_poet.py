"""POET over workers and under kill -9: the state, environments included, is that of one process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import ray

from cluster.journal import read_journal
from cluster.loop import RunOutcome, evolve, resume
from cluster.workers.ray_cluster import connect
from cluster.workers.ray_executor import RayExecutor
from cluster.workers.staffing.request import WorkerRequest
from evoplastic.records.events import GenerationEvent
from evoplastic.records.names import ENVIRONMENTS_NAME, TRANSFERS_NAME
from tests.cluster.poet.test_runs import state_of
from tests.cluster.poet.worlds import OVERRIDES, smoke

pytestmark = pytest.mark.cluster
TIMEOUT_S = 240.0


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> RunOutcome:
    """In one process, undisturbed."""
    return evolve(smoke(), tmp_path_factory.mktemp("whole") / "run")


@pytest.fixture
def ray_cluster() -> Iterator[None]:
    """A Ray cluster of two CPUs."""
    assert connect(2, None)
    yield
    ray.shutdown()


def assert_same(run_dir: Path, whole: RunOutcome) -> None:
    assert state_of(run_dir) == state_of(whole.run_dir)
    for name in (ENVIRONMENTS_NAME, TRANSFERS_NAME):
        mine, other = (pd.read_parquet(each / name) for each in (run_dir, whole.run_dir))
        pd.testing.assert_frame_equal(mine, other)


def test_two_workers_equal_none(whole: RunOutcome, tmp_path: Path, ray_cluster: None) -> None:
    executor = RayExecutor(WorkerRequest(most=2, gpus_per_worker=0))
    try:
        evolve(smoke(), tmp_path / "run", executor=executor)
    finally:
        executor.close()
    assert_same(tmp_path / "run", whole)


@pytest.mark.parametrize("generation", [1, 3])
def test_a_driver_killed_at_any_moment_costs_the_generation_in_flight(
    generation: int, whole: RunOutcome, tmp_path: Path
) -> None:
    run_dir = tmp_path / "run"
    command = [sys.executable, "-m", "evoplastic", "evolve", "poet-smoke"]
    process = subprocess.Popen(
        [*command, "--run-dir", str(run_dir), *OVERRIDES], start_new_session=True
    )
    try:
        deadline = time.monotonic() + TIMEOUT_S
        while time.monotonic() < deadline and done(run_dir) < generation:
            assert process.poll() is None, "the run ended before it was killed"
            time.sleep(0.005)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    before = done(run_dir)
    assert generation <= before < 5
    resume(run_dir)
    assert_same(run_dir, whole)
    lived = [event for event in events(run_dir) if event.generation < before - 1]
    assert len(lived) == before - 1, "a generation was lived again that had its checkpoint"


def events(run_dir: Path) -> list[GenerationEvent]:
    journal = run_dir / "journal.ndjson"
    told = read_journal(journal)[0] if journal.is_file() else []
    return [event for event in told if isinstance(event, GenerationEvent)]


def done(run_dir: Path) -> int:
    return len(events(run_dir))
