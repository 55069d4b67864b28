from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from tests.cli.conftest import Command


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def listens_at(port: int) -> set[str]:
    """Local addresses, in /proc's hexadecimal, that listen at a port."""
    lines = [
        line.split()
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        for line in Path(table).read_text().splitlines()[1:]
    ]
    found = [line[1].split(":") for line in lines if line[3] == "0A"]
    return {address for address, number in found if int(number, 16) == port}


def test_sync_delivers_once_and_ui_shows_it_on_this_machine_only(
    command: Command, tmp_path: Path
) -> None:
    run = ("evolve", "smoke", "evolution.generations=1", "--run-dir", "run", "--no-analysis")
    assert command(*run, "tracking.enabled=false").code == 0
    assert not (tmp_path / "mlflow.db").exists()
    first = command("sync", "run", "--json").json
    assert first["points"] > 0
    assert "delivered 0 events, 0 points" in command("sync", "run").out
    assert command("ui", "--store", "http://127.0.0.1:1").code == 0

    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "evoplastic", "ui", "--port", str(port)],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        assert answers(f"http://127.0.0.1:{port}/health", process)
        assert listens_at(port) == {"0100007F"}  # 127.0.0.1
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=30)


def answers(url: str, process: subprocess.Popen[bytes], timeout_s: float = 240.0) -> bool:
    """Whether a server answers before the timeout, and before its process ends."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2.0):
                return True
        except OSError:
            time.sleep(0.3)
    return False
