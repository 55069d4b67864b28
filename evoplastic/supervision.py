"""A parent that outlives the driver, and says how it ended where the driver itself cannot.

Ray ends a process that has lost its cluster from C++: no exception, no `finally`. So the command
forks before it has imported anything that costs. The child drives the run. The parent passes
signals on, waits, and is told by the child what it is at; a child that ended without having said
so was lost, and the parent writes it down. If the parent is killed, the child dies with it, so that
nobody unwatched holds a run.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from evoplastic import machine, stopping
from evoplastic.cli import exits
from evoplastic.stopping import Stopped

LEAVE_S = 15.0  # a driver that was told to stop and has not by then is stuck outside of Python
OVER_S = 5.0  # and one that is over, yet does not end: Ray may wait for a cluster that is gone
ECHO_S = 0.5  # a terminal tells child and parent, and the parent passes it on
BROKEN = (signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGFPE, signal.SIGABRT)

_to_parent: int | None = None


def report(word: str, value: str | int) -> None:
    """Tell the parent, if there is one, what this process is at."""
    if _to_parent is not None:
        with suppress(OSError):
            os.write(_to_parent, json.dumps([word, value]).encode() + b"\n")


@dataclass(frozen=True)
class Lost:
    """A driver that ended without a word."""

    ended: int  # its exit code, or minus the number of the signal that ended it
    received: signal.Signals | None  # what the parent was told, if anything
    run_dir: Path | None  # where it was at work; None = it had not got that far

    @property
    def broken(self) -> bool:
        """Whether a fault in machine code ended it, which would come again."""
        return self.received is None and -self.ended in BROKEN

    @property
    def exit_code(self) -> int:
        """What the command leaves with."""
        if self.received is not None:
            return Stopped(self.received).exit_code
        if self.broken or self.run_dir is None:
            return exits.ENVIRONMENT
        return exits.PREEMPTED

    def __str__(self) -> str:
        if self.received is not None:
            return f"the driver did not heed {self.received.name} within {LEAVE_S:.0f} s"
        if self.ended < 0:
            hint = " (out of memory?)" if self.ended == -signal.SIGKILL else ""
            return f"the driver was killed by {signal.Signals(-self.ended).name}{hint}"
        return (
            f"the driver ended without a word (exit code {self.ended}); Ray does that to those "
            "whose cluster is lost"
        )


def supervised(work: Callable[[], int], write_down: Callable[[Lost], int]) -> int:
    """Do something in a child; the exit code. It returns in the child, too.

    Args:
        work: what to do.
        write_down: called in the parent when the child was lost; the exit code.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    reports, to_parent = os.pipe()
    lifeline, held = os.pipe()  # its other end is nobody's but the parent's
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, stopping.SIGNALS)
    parent, child = os.getpid(), os.fork()
    if child:
        os.close(to_parent)
        os.close(lifeline)
        watch = _Watch(child, reports)
        before = watch.take_signals()
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        try:
            return watch.until_over(write_down)
        finally:
            stopping.give_back(before)
            os.close(held)
    os.close(reports)
    os.close(held)
    machine.die_with(parent, lifeline)
    return _in_child(work, to_parent, mask)


def _in_child(work: Callable[[], int], to_parent: int, mask: set[int | signal.Signals]) -> int:
    global _to_parent
    _to_parent = to_parent
    stop = stopping.heeded()
    if stop is not None:
        stop.echo_s = ECHO_S
    code = 1  # of an exception that nobody caught
    try:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        code = work()
    except Stopped as stopped:
        code = stopped.exit_code
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        report("over", code)
    return code


@dataclass
class _Watch:
    """The parent's view of the child."""

    child: int
    reports: int
    received: signal.Signals | None = None
    deadline: float | None = None  # of the child, once it has reason to end
    over: int | None = None
    run_dir: Path | None = None
    _wake: tuple[int, int] = field(default_factory=os.pipe)
    _text: bytes = b""

    def take_signals(self) -> dict[signal.Signals, Any]:
        """From here on, signals are the child's, and its end wakes us."""
        for descriptor in (*self._wake, self.reports):
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(self._wake[1], warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        asked = [each for each in stopping.SIGNALS if signal.getsignal(each) is not signal.SIG_IGN]
        return {number: signal.signal(number, self._pass_on) for number in asked}

    def until_over(self, write_down: Callable[[Lost], int]) -> int:
        """Wait for the end of the child; the exit code that the command has."""
        ended = self._ended()
        while ended is None:
            left = None if self.deadline is None else self.deadline - time.monotonic()
            if left is not None and left <= 0:
                os.kill(self.child, signal.SIGKILL)
                left = None
            select.select([self.reports, self._wake[0]], [], [], left)
            self._drain()
            ended = self._ended()
        signal.set_wakeup_fd(-1)
        self._drain()
        if self.over is not None:
            return self.over
        return write_down(Lost(ended, self.received, self.run_dir))

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        if self.received is None:
            self.received = signal.Signals(number)
            self.deadline = self.deadline or time.monotonic() + LEAVE_S
        with suppress(ProcessLookupError):
            os.kill(self.child, number)

    def _ended(self) -> int | None:
        pid, status = os.waitpid(self.child, os.WNOHANG)
        return os.waitstatus_to_exitcode(status) if pid else None

    def _drain(self) -> None:
        """Take in what the child says, and empty what woke us."""
        for descriptor in (self._wake[0], self.reports):
            with suppress(BlockingIOError):
                while read := os.read(descriptor, 4096):
                    if descriptor == self.reports:
                        self._text += read
        *lines, self._text = self._text.split(b"\n")
        for line in lines:
            word, value = json.loads(line)
            if word == "directory":
                self.run_dir = Path(value)
            elif word == "over":
                self.over = int(value)
                self.deadline = time.monotonic() + OVER_S
