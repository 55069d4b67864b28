"""A signal gives its exit code from the first moment of a command on, and from every later one."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

TIMEOUT_S = 120.0
ENDLESS = (
    *("evolution.generations=100000", "tracking.enabled=false", "engine=reference"),
    *("evaluation.controls=false", "evaluation.train_lifetimes=0"),
)


@contextmanager
def evolving(folder: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """A command that evolves without end; killed after the block, if it still runs."""
    words = [sys.executable, "-m", "evoplastic", "evolve", "smoke", *ENDLESS, *options]
    process = subprocess.Popen(words, cwd=folder, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=TIMEOUT_S)


def wait_for_handlers(pid: int, number: signal.Signals) -> None:
    """Return once a process catches a signal."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        pytest.skip("who catches which signal is in /proc alone")
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        caught = re.search(r"SigCgt:\s*(\w+)", status.read_text())
        if caught is not None and int(caught[1], 16) >> (number - 1) & 1:
            return
        time.sleep(0.001)
    pytest.fail(f"{number.name} is not caught after {TIMEOUT_S} s")


def loaded(pid: int) -> str:
    """The libraries that a process has mapped."""
    return Path(f"/proc/{pid}/maps").read_text()


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGTERM, 75),
        pytest.param(signal.SIGUSR1, 75, marks=pytest.mark.exhaustive),
        pytest.param(signal.SIGINT, 130, marks=pytest.mark.exhaustive),
    ],
)
def test_handlers_come_before_anything_that_costs(
    number: signal.Signals, code: int, tmp_path: Path
) -> None:
    with evolving(tmp_path) as process:
        wait_for_handlers(process.pid, signal.SIGTERM)  # SIGINT is caught by Python itself
        assert "numpy" not in loaded(process.pid)
        process.send_signal(number)
        _, said = process.communicate(timeout=TIMEOUT_S)
        assert process.returncode == code, said
    assert "Traceback" not in said
    assert not (tmp_path / "runs").exists()


@pytest.mark.cluster
@pytest.mark.parametrize(
    ("workers", "after_s"),
    [
        *(("0", at) for at in (0.1, 1.0, 5.0)),
        *(("2", at) for at in (0.1, 1.0, 3.0, 5.0, 8.0, 15.0)),
    ],
)
def test_a_signal_at_any_time_gives_75(workers: str, after_s: float, tmp_path: Path) -> None:
    with evolving(tmp_path, "--workers", workers, "--run-dir", "run") as process:
        began = time.monotonic()
        wait_for_handlers(process.pid, signal.SIGTERM)
        time.sleep(max(0.0, after_s - (time.monotonic() - began)))
        process.terminate()
        _, said = process.communicate(timeout=TIMEOUT_S)
        assert process.returncode == 75, said
    assert "Traceback" not in said
    status = tmp_path / "run" / "STATUS"
    if status.exists():
        assert status.read_text() == "preempted\n"
        assert "go on with: " in said


@pytest.mark.cluster
def test_a_signal_is_heeded_by_who_waits_for_a_cluster(tmp_path: Path) -> None:
    """Something listens at the address, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        mute.settimeout(TIMEOUT_S)
        address = f"127.0.0.1:{mute.getsockname()[1]}"
        with evolving(tmp_path, "--address", address, "--run-dir", "run") as process:
            connection, _ = mute.accept()  # it asks who is there
            with connection:
                process.terminate()
                _, said = process.communicate(timeout=TIMEOUT_S)
            assert process.returncode == 75, said
    assert "stopped by SIGTERM" in said
    assert not (tmp_path / "run").exists()


def test_ignored_signals_stay_ignored(tmp_path: Path) -> None:
    """As `nohup` has it."""
    words = [
        sys.executable,
        "-c",
        "import signal; from evoplastic import stopping; "
        "signal.signal(signal.SIGHUP, signal.SIG_IGN); stopping.heed(['evolve']); "
        "assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN; "
        "assert stopping.heeded() is not None",
    ]
    subprocess.run(words, check=True, timeout=TIMEOUT_S)


def test_other_verbs_are_left_alone() -> None:
    """What lists or prints may be killed as any program."""
    words = [
        sys.executable,
        "-c",
        "import signal; from evoplastic import stopping; "
        "stopping.heed(['--debug', 'tasks', 'evolve']); assert stopping.heeded() is None; "
        "assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL",
    ]
    subprocess.run(words, check=True, timeout=TIMEOUT_S)
