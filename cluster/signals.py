"""Signals that ask a run to stop: noticed between shards, so that nothing is torn."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Literal

RunStatus = Literal["done", "preempted", "interrupted"]  # how a process leaves a run of itself
SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP, signal.SIGINT)


class StopSignal:
    """Calling it says whether a signal came; a second interrupt from the keyboard stops at once."""

    def __init__(self) -> None:
        self.received: signal.Signals | None = None
        self.times = 0
        self.ending = False  # from here on everybody looks often, and nothing need be broken off

    def __call__(self) -> bool:
        return self.received is not None

    @property
    def status(self) -> RunStatus:
        """What a run is called that stopped for the signal."""
        return "interrupted" if self.received is signal.SIGINT else "preempted"

    def again(self) -> Callable[[], bool]:
        """Whether another signal has come since this call."""
        before = self.times
        return lambda: self.times > before

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Signal handler.

        Raises:
            KeyboardInterrupt: at the second SIGINT.
        """
        self.times += 1
        if number == signal.SIGINT and self.received is signal.SIGINT and not self.ending:
            raise KeyboardInterrupt
        self.received = signal.Signals(number)


@contextmanager
def stop_signals() -> Iterator[StopSignal]:
    """Catch SIGTERM, SIGUSR1, SIGHUP and SIGINT while the context lasts; main thread only.

    A signal that is ignored stays so: `nohup` means that a run outlives its terminal.
    """
    stop = StopSignal()
    before = {
        number: signal.signal(number, stop.handle)
        for number in SIGNALS
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
