"""Whoever waits outside of Python is told of signals all the same."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress

import pytest

from cluster.signals import patiently, status_of, stop_signals
from evoplastic import stopping
from evoplastic.__main__ import main
from evoplastic.stopping import Stopped, StopSignal


@pytest.fixture
def early(monkeypatch: pytest.MonkeyPatch) -> StopSignal:
    """The handlers of a command that runs for long, for one test."""
    stop = StopSignal(at_once=True)
    monkeypatch.setattr(stopping, "_early", stop)
    return stop


def send(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


def test_patience_ends_with_a_signal(early: StopSignal) -> None:
    before = early.install()
    never = threading.Event()
    threading.Timer(0.2, send, [signal.SIGTERM]).start()
    try:
        with pytest.raises(Stopped, match="SIGTERM"):
            patiently(never.wait)
    finally:
        stopping.give_back(before)
        never.set()


def test_a_signal_that_was_swallowed_counts_all_the_same(early: StopSignal) -> None:
    with suppress(Stopped):  # as what frees an object does
        early.handle(signal.SIGTERM, None)
    with pytest.raises(Stopped, match="SIGTERM"):
        patiently(threading.Event().wait)
    assert main(["evolve", "no-such-recipe"]) == 75


def test_patience_brings_results_and_errors() -> None:
    assert patiently(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        patiently(lambda: 1 // 0)


def test_a_run_hears_of_a_signal_that_came_before_it(early: StopSignal) -> None:
    before = early.install()
    try:
        with pytest.raises(Stopped):
            send(signal.SIGUSR1)
        with stop_signals() as stop:
            assert stop is early
            assert stop()
            assert not stop.again()()
            send(signal.SIGTERM)  # noticed later, where nothing is torn
        assert status_of(stop.received) == "preempted"
        with pytest.raises(Stopped):
            send(signal.SIGTERM)
    finally:
        stopping.give_back(before)


def test_an_echo_is_the_same_request() -> None:
    """A terminal tells the whole group of processes, and so does whoever passes a signal on."""
    stop = StopSignal()
    stop.echo_s = 60.0
    for _ in range(3):
        stop.handle(signal.SIGINT, None)
    assert stop.times == 1
    stop.handle(signal.SIGTERM, None)
    assert stop.times == 2
    stop.echo_s = 0.0
    stop.handle(signal.SIGINT, None)
    with pytest.raises(KeyboardInterrupt):
        stop.handle(signal.SIGINT, None)
