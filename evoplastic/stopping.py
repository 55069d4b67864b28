"""Signals that ask a command to stop, heeded from its first moment on.

A verb that runs for long has handlers before anything is imported that takes time. Until a run is
under way there is nothing to save, so a signal ends the command where it stands; from then on it is
noticed between shards (`cluster/signals.py`), so that nothing is torn. Imports next to nothing.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

from evoplastic.cli import exits

SIGNALS: Final = (signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP, signal.SIGINT)
VERBS: Final = ("evolve", "resume", "sweep")  # that run for long
STOP_WITH: Final = "EVOPLASTIC_STOP_WITH"  # variable: the parent whose end is a signal to stop


class Stopped(BaseException):
    """A signal came while nothing was under way that would have to be left whole."""

    def __init__(self, received: signal.Signals) -> None:
        super().__init__(f"stopped by {received.name}")
        self.received = received

    @property
    def exit_code(self) -> int:
        """130 after an interrupt from the keyboard, else 75."""
        return exits.INTERRUPTED if self.received is signal.SIGINT else exits.PREEMPTED


class StopSignal:
    """Calling it says whether a signal came; a second interrupt from the keyboard stops at once.

    Args:
        at_once: whether a signal raises `Stopped` where the command stands.
    """

    def __init__(self, *, at_once: bool = False) -> None:
        self.received: signal.Signals | None = None
        self.times = 0
        self.at_once = at_once
        self.ending = False  # from here on everybody looks often, and nothing need be broken off
        self.echo_s = 0.0  # the same signal within this time is the same request
        self._last: tuple[int, float] | None = None

    def __call__(self) -> bool:
        return self.received is not None

    def again(self) -> Callable[[], bool]:
        """Whether another signal has come since this call."""
        before = self.times
        return lambda: self.times > before

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Signal handler.

        Raises:
            KeyboardInterrupt: at the second SIGINT.
            Stopped: nothing is under way.
        """
        now = time.monotonic()
        last, self._last = self._last, (number, now)
        if last is not None and last[0] == number and now - last[1] < self.echo_s:
            return
        self.times += 1
        if number == signal.SIGINT and self.received is signal.SIGINT and not self.ending:
            raise KeyboardInterrupt
        self.received = signal.Signals(number)
        if self.at_once:
            raise Stopped(self.received)

    def install(self) -> dict[signal.Signals, Any]:
        """Take over the signals, and give back who had them; for the main thread only.

        One that is ignored stays so: `nohup` means that a run outlives its terminal.
        """
        before = {number: signal.getsignal(number) for number in SIGNALS}
        taken = {number: had for number, had in before.items() if had is not signal.SIG_IGN}
        for number in taken:
            signal.signal(number, self.handle)
        return taken


def give_back(before: dict[signal.Signals, Any]) -> None:
    """Let those have the signals again who had them."""
    for number, handler in before.items():
        if handler is not None:  # else it was none of Python's
            signal.signal(number, handler)


_early: StopSignal | None = None


def heed(words: list[str]) -> None:
    """Take over the signals for the rest of a process, if its command is one that runs for long.

    Args:
        words: the command line without the program.
    """
    global _early
    verb = next((word for word in words if not word.startswith("-")), None)
    if verb in VERBS and _early is None:
        _early = StopSignal(at_once=True)
        _early.install()


def heeded() -> StopSignal | None:
    """Whoever has had the signals since the command began, if anybody has."""
    return _early


def missed() -> Stopped | None:
    """What a signal raised that came to this command, if one did.

    Code that is interrupted as it imports or frees something may swallow it, or make another
    exception of it.
    """
    if _early is None or _early.received is None:
        return None
    return Stopped(_early.received)
