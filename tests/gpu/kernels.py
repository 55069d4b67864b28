"""What the compiler made of a kernel that was launched, and how long it ran on the device."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from evoplastic.engines.gpu import launch


class Launched:
    """The launches of lifetimes seen meanwhile."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._marks: list[tuple[torch.cuda.Event, torch.cuda.Event]] = []

    def see(self, start: Callable[[], Any]) -> None:
        """Start a kernel between two marks in the device's queue."""
        if not torch.cuda.is_available():
            self._handle = start()
            return
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        self._handle = start()
        end.record()
        self._marks.append((begin, end))

    def take_seconds(self) -> float | None:
        """What the kernels since the last call took on the device; None without a device."""
        if not self._marks:
            return None
        torch.cuda.synchronize()
        seconds = sum(begin.elapsed_time(end) for begin, end in self._marks) / 1e3
        self._marks.clear()
        return seconds

    def resources(self) -> dict[str, int]:
        """Registers and spilled numbers of a thread, and shared memory of a program."""
        told = {
            "registers": getattr(self._handle, "n_regs", None),
            "spills": getattr(self._handle, "n_spills", None),
            "shared_bytes": getattr(getattr(self._handle, "metadata", None), "shared", None),
        }
        return {name: number for name, number in told.items() if number is not None}


@contextmanager
def watched() -> Iterator[Launched]:
    """See each launch of lifetimes by this process."""
    launched, choose = Launched(), launch._kernel

    def kernel_of(*args: Any) -> Any:
        kernel = choose(*args)

        class Watched:
            def __getitem__(self, grid: Any) -> Callable[..., None]:
                return lambda *given, **named: launched.see(lambda: kernel[grid](*given, **named))

        return Watched()

    launch._kernel = kernel_of  # type: ignore[assignment]
    try:
        yield launched
    finally:
        launch._kernel = choose
