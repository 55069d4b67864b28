"""The ways that are taken where a machine lacks what most have."""

from __future__ import annotations

import os
import re
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from evoplastic import machine
from evoplastic.engines import usable_threads
from tests.cluster.tiny import tiny_genome, tiny_problem

ROOT = Path(__file__).resolve().parents[2]
LINUX_ALONE = re.compile(
    r"sched_[gs]etaffinity|prctl|memfd_create|posix_fadvise|pidfd_|O_TMPFILE|O_DIRECT\b|O_PATH\b"
    r"|epoll|inotify|setres[ug]id|getrandom|copy_file_range|SOCK_CLOEXEC|pipe2|/proc/|/sys/"
)

PARENT = """
import os, subprocess, sys, time
subprocess.Popen([sys.executable, "-c", sys.argv[1], str(os.getpid())])
time.sleep(60)
"""
CHILD = """
import signal, sys, time
from evoplastic import machine
def stop(*_):
    print("stopped", flush=True)
    sys.exit()
signal.signal(signal.SIGTERM, stop)
LACKING
machine.stop_with(int(sys.argv[1]))
print("at work", flush=True)
time.sleep(60)
"""
NO_PRCTL = "sys.modules['ctypes'] = object()"


@pytest.fixture
def no_memory() -> Iterator[None]:
    """What was found out once is found out anew, before and after."""
    machine.caches.cache_clear()
    yield
    machine.caches.cache_clear()


def test_calls_that_only_linux_has_are_in_one_file() -> None:
    found = {
        file.relative_to(ROOT).as_posix()
        for folder in ("evoplastic", "tasks", "cluster", "analysis")
        for file in (ROOT / folder).rglob("*.py")
        if LINUX_ALONE.search(file.read_text(encoding="utf-8"))
    }
    assert found == {"evoplastic/machine.py"}


def test_without_affinity_all_cores_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """And engines, mutations and the choice of threads work with that, to the same bits."""
    from evoplastic.lifetime.shards import ReplicateShard, simulate_replicates

    problem = tiny_problem()
    center_G = tiny_genome(problem).center_G
    shard = ReplicateShard(0, 0, 0, 3, True)
    before = simulate_replicates(problem, center_G, shard)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert machine.usable_cores() == os.cpu_count()
    assert usable_threads(0) == os.cpu_count()
    assert np.array_equal(before.loss_L, simulate_replicates(problem, center_G, shard).loss_L)
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert machine.usable_cores() == 1


def test_without_proc_the_processor_still_has_a_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(machine, "CPU_INFO", tmp_path / "none")
    assert machine.processor()["model name"]
    (tmp_path / "info").write_text("model name\t: A: B\nflags\t: avx2\n\nmodel name\t: other\n")
    monkeypatch.setattr(machine, "CPU_INFO", tmp_path / "info")
    assert machine.processor() == {"model name": "A: B", "flags": "avx2"}


def test_caches_lie_where_they_may_be_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, no_memory: None
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg ä"))
    assert machine.caches() == tmp_path / "xdg ä" / "evoplastic"
    machine.caches.cache_clear()
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert machine.caches() == tmp_path / "home" / ".cache" / "evoplastic"


def test_a_home_that_is_read_only_leaves_a_folder_of_ones_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, no_memory: None
) -> None:
    (tmp_path / "file").write_text("a home in which nothing can be made, for root as well")
    monkeypatch.setenv("HOME", str(tmp_path / "file"))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    found = machine.caches()
    assert found == tmp_path / f"evoplastic-{os.getuid()}"
    assert stat.S_IMODE(found.stat().st_mode) == 0o700
    machine.caches.cache_clear()
    found.chmod(0o777)  # somebody else's, perhaps: nothing is loaded from there
    assert machine.caches().name.startswith("evoplastic-")
    assert machine.caches() != found


@pytest.mark.parametrize("lacking", ["", NO_PRCTL], ids=["here", "elsewhere"])
def test_a_process_is_told_to_stop_when_its_parent_is_killed(lacking: str) -> None:
    child = CHILD.replace("LACKING", lacking)
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, child], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert parent.stdout is not None
    with parent.stdout as said:
        assert said.readline() == "at work\n"
        parent.send_signal(signal.SIGKILL)
        assert said.readline() == "stopped\n"
    assert parent.wait() == -signal.SIGKILL
