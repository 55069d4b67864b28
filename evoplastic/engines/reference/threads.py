"""How many cores one lifetime of the reference takes: one, whatever else the machine does.

Its steps are many small tensor operations. With a thread for each core, PyTorch makes every one of
them wait for the slowest thread; where another process is busy on a core, that thread waits for its
turn, and the same lifetimes take ten times as long.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

_lock = threading.Lock()
_inside = 0  # how many lifetimes are being lived, on whatever threads
_before = 1  # threads of PyTorch when the first of them began


@contextmanager
def one_thread() -> Iterator[None]:
    """Let PyTorch compute on the calling thread alone; afterwards, on as many as before.

    PyTorch has a number for each calling thread, and a thread that is new to it takes the number
    that was set last: so all that are inside at a time leave with the number from before.
    """
    global _inside, _before
    with _lock:
        if _inside == 0:
            _before = torch.get_num_threads()
        _inside += 1
        torch.set_num_threads(1)
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            torch.set_num_threads(_before)
