"""A parent says how its child ended, whatever ended it; real processes, without anything heavy."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil
import pytest

TIMEOUT_S = 60.0
PROGRAM = """
import ctypes, os, signal, sys, time
from evoplastic import stopping, supervision
from evoplastic.supervision import report, supervised

stopping.heed(["evolve"])
supervision.LEAVE_S = 0.5
supervision.OVER_S = 0.5

def said(*words):
    print(*words, flush=True)

def patient():
    stop = stopping.heeded()
    stop.at_once = False
    said("child", os.getpid())
    while not stop():
        time.sleep(0.02)
    time.sleep(0.3)
    said("times", stop.times)
    return 75

def deaf():
    signal.pthread_sigmask(signal.SIG_BLOCK, stopping.SIGNALS)  # before it says that it is there
    said("child", os.getpid())
    time.sleep(60)
    return 0

def undying():
    import atexit
    atexit.register(time.sleep, 60)
    return 7

def lost(how):
    report("directory", "somewhere")
    said("child", os.getpid())
    how()

def down(found):
    said("lost", found.ended, found.received, found.run_dir, found)
    return found.exit_code

BEFORE
sys.exit(supervised(lambda: WORK, down))
"""


@contextmanager
def program(work: str, before: str = "pass") -> Iterator[subprocess.Popen[str]]:
    """A supervised program in a group of its own, of which nothing is left after the block."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.replace("BEFORE", before).replace("WORK", work)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=TIMEOUT_S)


def child_of(process: subprocess.Popen[str]) -> int:
    """The process id that the child says."""
    assert process.stdout is not None
    word, pid = process.stdout.readline().split()
    assert word == "child"
    return int(pid)


def is_gone(pid: int) -> bool:
    """Whether a process ends; it need not be a child of ours."""
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        if not psutil.pid_exists(pid):
            return True
        with suppress(psutil.NoSuchProcess):
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        time.sleep(0.01)
    return False


def test_a_result_is_passed_through() -> None:
    with program("print('worked') or 3") as process:
        assert process.communicate(timeout=TIMEOUT_S) == ("worked\n", "")
        assert process.returncode == 3


def test_an_error_is_shown_by_the_child_alone() -> None:
    with program("1 // 0") as process:
        out, said = process.communicate(timeout=TIMEOUT_S)
    assert (process.returncode, out, said.count("ZeroDivisionError")) == (1, "", 1)


@pytest.mark.parametrize(
    ("how", "ended", "code", "words"),
    [
        ("os._exit(1)", "1", 75, "ended without a word (exit code 1)"),
        ("os.kill(os.getpid(), 9)", "-9", 75, "was killed by SIGKILL (out of memory?)"),
        ("os.kill(os.getpid(), 11)", "-11", 3, "was killed by SIGSEGV"),
    ],
)
def test_a_child_that_ends_without_a_word_is_written_down(
    how: str, ended: str, code: int, words: str
) -> None:
    with program(f"lost(lambda: {how})") as process:
        out, _ = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == code
    assert f"lost {ended} None somewhere the driver {words}" in out


def test_signals_are_passed_on() -> None:
    with program("patient()") as process:
        child_of(process)
        process.terminate()
        out, _ = process.communicate(timeout=TIMEOUT_S)
    assert (process.returncode, out) == (75, "times 1\n")


def test_a_signal_in_the_last_moment_counts() -> None:
    """As the result is on its way out."""
    with program("stopping.heeded().handle(signal.SIGTERM, None)") as process:
        process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 75


def test_a_signal_to_the_whole_group_counts_once() -> None:
    """As of Ctrl-C in a terminal, which tells parent and child."""
    with program("patient()") as process:
        child_of(process)
        os.killpg(process.pid, signal.SIGINT)
        out, _ = process.communicate(timeout=TIMEOUT_S)
    assert (process.returncode, out) == (75, "times 1\n")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 75), (signal.SIGINT, 130)])
def test_a_child_that_is_deaf_is_ended(number: signal.Signals, code: int) -> None:
    with program("deaf()") as process:
        child_of(process)
        process.send_signal(number)
        out, _ = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == code
    assert f"the driver did not heed {number.name}" in out


def test_a_child_that_is_over_and_stays_is_ended() -> None:
    with program("undying()") as process:
        process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 7


@pytest.mark.parametrize("system", ["this", "another"])
def test_a_child_does_not_outlive_its_parent(system: str) -> None:
    """Nobody unwatched goes on; by a signal of Linux, elsewhere by the end of a pipe."""
    without = "ctypes.CDLL = lambda *_: os.stat('/nowhere')" if system == "another" else "pass"
    with program("patient()", without) as process:
        pid = child_of(process)
        process.kill()
        assert is_gone(pid)
