"""Real kills of real processes: children that are forked from a process with everything imported.

A fork starts where imports would take seconds, so that hundreds of kills take minutes.
"""

from __future__ import annotations

import ctypes
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

LIMIT_S = 120.0
PR_SET_PDEATHSIG = 1  # a child does not outlive the test that forked it
FILE_CALLS = ("open", "os.rename", "os.remove", "os.mkdir", "os.truncate", "os.link")


def forked(work: Callable[[], Any]) -> int:
    """Start a child that does the work and exits with its answer, or 1; the process id.

    Its output goes nowhere but for tracebacks of what it did not expect.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        os.setsid()
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        code = int(work() or 0)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def wait(child: int, limit_s: float = LIMIT_S) -> int:
    """How a child ended: its exit code, or minus the signal that killed it.

    Raises:
        TimeoutError: it did not end in time, and was killed.
    """
    deadline = time.monotonic() + limit_s
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            raise TimeoutError(f"a child did not end within {limit_s} s")
        time.sleep(0.005)


def killed_after(seconds: float, work: Callable[[], Any]) -> int:
    """How a child ended that was killed after a time, unless it had ended before."""
    child = forked(work)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    return wait(child)


def killed_at_file_call(number: int, below: str, work: Callable[[], Any]) -> int:
    """How a child ended that was killed at its nth call for a file below a folder.

    Calls that write (fsync, replace) count beside those that Python itself reports. The kill comes
    before or after the call, as the number is even or odd.
    """

    def dying() -> Any:
        count = 0

        def step() -> None:
            nonlocal count
            count += 1
            if count == number:
                os.kill(os.getpid(), signal.SIGKILL)

        def hook(event: str, args: tuple[Any, ...]) -> None:
            if event in FILE_CALLS and str(args[0]).startswith(below):
                step()

        plain = os.fsync

        def fsync(descriptor: Any) -> None:
            if number % 2:
                plain(descriptor)
            step()
            if not number % 2:
                plain(descriptor)

        os.fsync = fsync  # type: ignore[assignment]
        sys.addaudithook(hook)
        return work()

    return wait(forked(dying))


def delays(count: int, longest_s: float, seed: int) -> list[float]:
    """Times within a span, spread evenly and shaken."""
    dice = random.Random(seed)
    return [longest_s * (k + dice.random()) / count for k in range(count)]
