"""Signals that ask a run to stop: noticed between shards, so that nothing is torn."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Literal, NoReturn, TypeVar

from evoplastic import stopping
from evoplastic.stopping import StopSignal

RunStatus = Literal["done", "preempted", "interrupted"]  # how a process leaves a run of itself
LOOK_S = 0.1  # between two looks of a thread that waits for another

T = TypeVar("T")


def status_of(received: signal.Signals | None) -> RunStatus:
    """What a run is called that stopped for a signal."""
    return "interrupted" if received is signal.SIGINT else "preempted"


@contextmanager
def stop_signals() -> Iterator[StopSignal]:
    """Catch SIGTERM, SIGUSR1, SIGHUP and SIGINT while the context lasts; main thread only.

    In a command that has had the signals since it began, one that came earlier counts.
    """
    stop = stopping.heeded() or StopSignal()
    at_once, stop.at_once, stop.ending = stop.at_once, False, False
    before = stop.install()
    try:
        yield stop
    finally:
        stop.at_once = at_once
        stopping.give_back(before)


def patiently(work: Callable[[], T]) -> T:
    """Do what may wait for long outside of Python, as for a cluster, and heed signals meanwhile.

    A signal handler runs when the main thread is back in Python, so another thread does the work,
    and stays for as long as the process. Who is stopped leaves it where it is: its result is
    nobody's. There, `ray.init` does not take SIGTERM for itself either.

    Args:
        work: what to do; in a thread of its own, which does not keep the process from ending.

    Raises:
        Stopped: a signal came, in a command that runs for long.
        Exception: whatever the work raises.
    """
    if threading.current_thread() is not threading.main_thread():
        return work()
    outcome: list[Callable[[], T]] = []
    done = threading.Event()

    def do() -> None:
        try:
            result = work()
            outcome.append(lambda: result)
        except BaseException as error:
            outcome.append(partial(_raise, error))
        done.set()
        # Linux ends what a thread has started, as Ray's processes, when that thread ends.
        threading.Event().wait()

    threading.Thread(target=do, name="patience", daemon=True).start()
    early = stopping.heeded()
    while not done.wait(LOOK_S):
        if early is not None and early.at_once and (missed := stopping.missed()) is not None:
            raise missed
    return outcome[0]()


def _raise(error: BaseException) -> NoReturn:
    raise error
