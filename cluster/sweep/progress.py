"""What is seen of all runs of a sweep at once: bars, lines, or lines of JSON; see `progress`."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from typing import Any, Protocol, TextIO

from cluster.sweep.children import RunResult
from evoplastic.output import shown, styled


class SweepProgress(Protocol):
    """Where the news of the runs go."""

    def begin(self, name: str, runs: int, at_once: int) -> None:
        """The sweep starts or goes on."""
        ...

    def started(self, run: str, threads: int) -> None:
        """A run has its process."""
        ...

    def told(self, run: str, values: Mapping[str, Any]) -> None:
        """A run said something: an event of `evolve --json`."""
        ...

    def ended(self, result: RunResult, *, was_done: bool = False) -> None:
        """A run is over, or was over before."""
        ...

    def stop(self) -> None:
        """Nothing more comes; may be called twice."""
        ...


class JsonSweep:
    """One JSON object per line; those of the runs as they are, each with the name of its run."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def begin(self, name: str, runs: int, at_once: int) -> None:
        """See `SweepProgress.begin`."""
        self._print({"event": "sweep", "name": name, "runs": runs, "at_once": at_once})

    def started(self, run: str, threads: int) -> None:
        """See `SweepProgress.started`."""
        self._print({"event": "run_started", "run": run, "threads": threads})

    def told(self, run: str, values: Mapping[str, Any]) -> None:
        """See `SweepProgress.told`."""
        self._print({**values, "run": run})

    def ended(self, result: RunResult, *, was_done: bool = False) -> None:
        """See `SweepProgress.ended`."""
        said: dict[str, Any] = {"event": "run_ended", "run": result.name, "status": result.status}
        said |= {"already_finished": True} if was_done else {}
        self._print(
            said | ({"code": result.code, "reason": result.reason} if result.reason else {})
        )

    def stop(self) -> None:
        """See `SweepProgress.stop`."""

    def _print(self, values: Mapping[str, Any]) -> None:
        print(json.dumps(values), file=self._stream, flush=True)


class LineSweep:
    """For log files: a line where a run starts, measures its center, ends, and each minute."""

    PERIOD_S = 60.0

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._runs = self._over = 0
        self._spoke_at: dict[str, float] = {}

    def begin(self, name: str, runs: int, at_once: int) -> None:
        """See `SweepProgress.begin`."""
        self._runs = runs
        self._print(f"{name}: {runs} run{'s' * (runs > 1)}, {at_once} at once")

    def started(self, run: str, threads: int) -> None:
        """See `SweepProgress.started`."""
        self._spoke_at[run] = time.monotonic()
        self._print(f"{run}: started, {threads} thread{'s' if threads > 1 else ''}")

    def told(self, run: str, values: Mapping[str, Any]) -> None:
        """See `SweepProgress.told`."""
        kind = values.get("event")
        if kind == "evaluation":
            self._print(f"{run}: generation {values.get('generation')}, {_held_out(values)}")
        elif kind == "generation" and self._is_due(run):
            self._print(
                f"{run}: generation {values.get('generation')}/{values.get('generations')}, "
                f"loss {_number(values.get('loss'), 4)}"
            )
        else:
            return
        self._spoke_at[run] = time.monotonic()

    def ended(self, result: RunResult, *, was_done: bool = False) -> None:
        """See `SweepProgress.ended`."""
        self._over += 1
        self._print(f"[{self._over}/{self._runs}] {_ending(result, was_done)}")

    def stop(self) -> None:
        """See `SweepProgress.stop`."""

    def _is_due(self, run: str) -> bool:
        return time.monotonic() - self._spoke_at.get(run, 0.0) > self.PERIOD_S

    def _print(self, text: str) -> None:
        print(text, file=self._stream, flush=True)


class BarSweep:
    """A bar for each run at work and one for all, in place on a terminal."""

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[figures]}", markup=False),
            console=Console(file=styled(stream)),
        )
        self._tasks: dict[str, TaskID] = {}
        self._held_out: dict[str, str] = {}
        self._all: TaskID | None = None

    def begin(self, name: str, runs: int, at_once: int) -> None:
        """See `SweepProgress.begin`."""
        self._all = self._bars.add_task(f"{name}, all runs", total=runs, figures="")
        self._bars.start()

    def started(self, run: str, threads: int) -> None:
        """See `SweepProgress.started`."""
        self._tasks[run] = self._bars.add_task(shown(run), total=None, figures="starting")

    def told(self, run: str, values: Mapping[str, Any]) -> None:
        """See `SweepProgress.told`."""
        kind, task = values.get("event"), self._tasks.get(run)
        if task is None:
            return
        if kind == "evaluation":
            self._held_out[run] = _held_out(values)
        elif kind in ("start", "generation"):
            figures = [f"loss {_number(values.get('loss'), 4)}"] if "loss" in values else []
            figures += [self._held_out[run]] if run in self._held_out else []
            self._bars.update(
                task,
                total=values.get("generations"),
                completed=values.get("generation", 0),
                figures="  ".join(figures),
            )

    def ended(self, result: RunResult, *, was_done: bool = False) -> None:
        """See `SweepProgress.ended`."""
        task = self._tasks.pop(result.name, None)
        if task is not None:
            self._bars.remove_task(task)
        if not was_done:
            text = shown(_ending(result, was_done))
            self._bars.console.print(text, markup=False, highlight=False)
        if self._all is not None:
            self._bars.advance(self._all)

    def stop(self) -> None:
        """See `SweepProgress.stop`."""
        self._bars.stop()


def make_sweep_progress(*, as_json: bool = False) -> SweepProgress:
    """JSON lines when asked for, bars on a terminal, lines elsewhere."""
    if as_json:
        return JsonSweep(sys.stdout)
    return BarSweep(sys.stderr) if sys.stderr.isatty() else LineSweep(sys.stdout)


def _ending(result: RunResult, was_done: bool) -> str:
    if was_done:
        return f"{result.name}: was done already"
    return f"{result.name}: {result.status}" + (f": {result.reason}" if result.reason else "")


def _held_out(values: Mapping[str, Any]) -> str:
    return f"held-out {_number(values.get('held_out'), 3)}"


def _number(value: Any, digits: int) -> str:
    return f"{value:.{digits}f}" if isinstance(value, int | float) else "-"
