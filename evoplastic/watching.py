"""What a long check is at: said on stderr once it takes longer than a moment.

    with watched("checking my_task.py:MyTask"):
        ...            # whatever is called says `at("probing trials", 7, 32)`

Nobody who computes waits for it, and without `watched` nothing is said.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE_S = 2.0  # before the first word
EVERY_S = 0.5  # on a terminal, where a line is written over
EVERY_LINE_S = 5.0  # elsewhere

_now: list[str] = []  # what is being done, one watcher at a time


def at(what: str, done: int = 0, total: int = 0) -> None:
    """Say what is being done, and how much of it is."""
    if _now:
        _now[0] = f"{what}, {done} of {total}" if total else what


@contextmanager
def watched(what: str, patience_s: float = PATIENCE_S) -> Iterator[None]:
    """Show what goes on inside of the block if it lasts.

    Args:
        what: the whole of it.
        patience_s: seconds before anything is shown.
    """
    if _now:  # somebody watches already
        yield
        return
    _now.append("")
    over = threading.Event()
    thread = threading.Thread(target=_show, args=(what, patience_s, over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        _now.clear()


def _show(what: str, patience_s: float, over: threading.Event) -> None:
    began, shown, terminal = time.monotonic(), 0, sys.stderr.isatty()
    wait_s = patience_s
    while not over.wait(wait_s):
        wait_s = EVERY_S if terminal else EVERY_LINE_S
        line = f"{what}: {_now[0] or 'loading'} ({time.monotonic() - began:.0f} s)"
        end = "" if terminal else "\n"
        start = "\r" if terminal else ""
        print(f"{start}{line:<{shown}}", end=end, file=sys.stderr, flush=True)
        shown = len(line)
    if terminal and shown:
        print(f"\r{'':<{shown}}\r", end="", file=sys.stderr, flush=True)
