"""A driver killed at any moment, resumed, ends where the undisturbed run ends, bit for bit."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cluster.checkpoint import load_checkpoint
from cluster.journal import read_journal
from cluster.loop import RunOutcome, evolve, resume
from evoplastic.records.events import EvaluationEvent, GenerationEvent
from tests.integration.driver import config

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 90.0


@contextmanager
def driver(verb: str, run_dir: Path) -> Iterator[subprocess.Popen[str]]:
    """A driver process that does not outlive the context."""
    command = [sys.executable, "-m", "tests.integration.driver", verb, str(run_dir)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=TIMEOUT_S)


def wait_for_generation(process: subprocess.Popen[str], run_dir: Path, generation: int) -> None:
    """Return once the journal tells of a generation."""
    deadline = time.monotonic() + TIMEOUT_S
    journal = run_dir / "journal.ndjson"
    while time.monotonic() < deadline:
        if journal.is_file() and any(
            isinstance(event, GenerationEvent) and event.generation >= generation
            for event in read_journal(journal)[0]
        ):
            return
        assert process.poll() is None, f"the driver ended early with {process.returncode}"
        time.sleep(0.01)
    pytest.fail(f"generation {generation} did not come within {TIMEOUT_S} s")


def contents(run_dir: Path) -> tuple[list[bytes], list[object], list[object]]:
    """Search state, losses of every generation, and evaluations; what must not depend on luck."""
    tensors = load_checkpoint(run_dir / "checkpoints").tensors
    events, _ = read_journal(run_dir / "journal.ndjson")
    losses: list[object] = [
        (event.generation, event.metrics["fitness/loss_mean"])
        for event in events
        if isinstance(event, GenerationEvent)
    ]
    entries: list[object] = [
        (event.generation, event.genome_digest, event.entries)
        for event in events
        if isinstance(event, EvaluationEvent)
    ]
    state = [tensors[name].numpy().tobytes() for name in sorted(tensors)]
    return state, losses, entries


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> RunOutcome:
    """The run that nothing disturbs."""
    return evolve(config(), tmp_path_factory.mktemp("whole") / "run")


def test_a_driver_killed_twice_loses_nothing(whole: RunOutcome, tmp_path: Path) -> None:
    run_dir = tmp_path / "run"
    delays = [random.random() * 0.4 for _ in range(2)]
    for verb, generation, delay in (("evolve", 2, delays[0]), ("resume", 6, delays[1])):
        with driver(verb, run_dir) as process:
            wait_for_generation(process, run_dir, generation)
            time.sleep(delay)
            process.kill()
            assert process.wait(timeout=TIMEOUT_S) == -signal.SIGKILL
    outcome = resume(run_dir)
    assert outcome.center_digest == whole.center_digest, f"killed {delays} s after 2 and 6"
    assert contents(run_dir) == contents(whole.run_dir), f"killed {delays} s after 2 and 6"


@pytest.mark.cluster
def test_a_driver_told_to_stop_is_quick_and_resumes(whole: RunOutcome, tmp_path: Path) -> None:
    run_dir = tmp_path / "run"
    with driver("evolve", run_dir) as process:
        wait_for_generation(process, run_dir, 1)
        process.terminate()
        assert process.wait(timeout=TIMEOUT_S) == 75
    assert (run_dir / "STATUS").read_text().strip() == "preempted"
    assert resume(run_dir).center_digest == whole.center_digest
    assert contents(run_dir) == contents(whole.run_dir)
