"""What a reader, a log file or a program sees of a run while it runs.

A bar on a terminal (stderr), one line per generation elsewhere (stdout), one JSON object per line
with `--json` (stdout). Colour follows NO_COLOR.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any, Protocol, TextIO

from evoplastic.output import shown, styled


@dataclass(frozen=True, kw_only=True)
class Tick:
    """One generation, as it is shown."""

    generation: int  # generations done
    generations: int
    loss: float
    train_accuracy: float
    held_out_accuracy: float | None  # mean over held-out tasks at the last session
    seconds: float
    seconds_left: float
    failed_individuals: int = 0
    retried_shards: int = 0


class Progress(Protocol):
    """Where ticks go."""

    def start(self, name: str, generation: int, generations: int) -> None:
        """A run begins or goes on at a generation."""
        ...

    def tick(self, tick: Tick) -> None:
        """A generation is done."""
        ...

    def event(self, kind: str, **values: Any) -> None:
        """Anything else worth a line: evaluation, stop, end."""
        ...

    def stop(self) -> None:
        """Nothing more comes; may be called twice."""
        ...


class Clock:
    """Seconds left, from the pace of the generations this process has done."""

    def __init__(self, generation: int, generations: int) -> None:
        self._began = time.monotonic()
        self._first, self._generations = generation, generations

    def seconds_left(self, generation: int) -> float:
        """Remaining generations times mean seconds of one, evaluation sessions included."""
        done = generation - self._first
        if done <= 0:
            return 0.0
        return (time.monotonic() - self._began) / done * (self._generations - generation)


class SilentProgress:
    """Shows nothing."""

    def start(self, name: str, generation: int, generations: int) -> None:
        """See `Progress.start`."""

    def tick(self, tick: Tick) -> None:
        """See `Progress.tick`."""

    def event(self, kind: str, **values: Any) -> None:
        """See `Progress.event`."""

    def stop(self) -> None:
        """See `Progress.stop`."""


class LineProgress(SilentProgress):
    """One line per generation, for log files."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def start(self, name: str, generation: int, generations: int) -> None:
        """Say where the run begins."""
        self._print(f"{name}: generation {generation} of {generations}")

    def tick(self, tick: Tick) -> None:
        """One line."""
        self._print(f"generation {tick.generation}/{tick.generations}  {_figures(tick)}")

    def event(self, kind: str, **values: Any) -> None:
        """One line."""
        self._print("  ".join([kind, *(f"{key} {_short(value)}" for key, value in values.items())]))

    def _print(self, text: str) -> None:
        print(text, file=self._stream, flush=True)


class JsonProgress(SilentProgress):
    """One JSON object per line, for programs."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def start(self, name: str, generation: int, generations: int) -> None:
        """An object of event "start"."""
        self.event("start", name=name, generation=generation, generations=generations)

    def tick(self, tick: Tick) -> None:
        """An object of event "generation"."""
        self.event("generation", **asdict(tick))

    def event(self, kind: str, **values: Any) -> None:
        """An object of any other event."""
        print(json.dumps({"event": kind, **_finite(values)}), file=self._stream, flush=True)


class BarProgress(SilentProgress):
    """A bar that stays in place on a terminal."""

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        self._bar = Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[figures]}"),
            console=Console(file=styled(stream)),
        )
        self._task = self._bar.add_task("", total=None, figures="")

    def start(self, name: str, generation: int, generations: int) -> None:
        """Show the bar."""
        self._bar.update(self._task, description=name, total=generations, completed=generation)
        self._bar.start()

    def tick(self, tick: Tick) -> None:
        """Move the bar."""
        self._bar.update(self._task, completed=tick.generation, figures=_figures(tick))

    def event(self, kind: str, **values: Any) -> None:
        """Print a line above the bar, for what is not seen on the bar itself."""
        if kind != "evaluation":
            words = [kind, *(f"{key} {_short(value)}" for key, value in values.items())]
            self._bar.console.print(shown("  ".join(words)), markup=False, highlight=False)

    def stop(self) -> None:
        """Leave the bar where it is."""
        self._bar.stop()


def make_progress(*, as_json: bool = False) -> Progress:
    """JSON lines when asked for, a bar on a terminal, lines elsewhere."""
    if as_json:
        return JsonProgress(sys.stdout)
    return BarProgress(sys.stderr) if sys.stderr.isatty() else LineProgress(sys.stdout)


def _figures(tick: Tick) -> str:
    held_out = "  -  " if tick.held_out_accuracy is None else f"{tick.held_out_accuracy:.3f}"
    faults = [
        f"{count} {name}"
        for count, name in (
            (tick.failed_individuals, "failed"),
            (tick.retried_shards, "retried"),
        )
        if count
    ]
    return "  ".join(
        [
            f"loss {tick.loss:.4f}",
            f"train {tick.train_accuracy:.3f}",
            f"held-out {held_out}",
            f"{tick.seconds:.1f} s/gen",
            f"{_duration(tick.seconds_left)} left",
            *faults,
        ]
    )


def _duration(seconds: float) -> str:
    """Hours, minutes and seconds.

    >>> _duration(75.4), _duration(7322)
    ('1:15', '2:02:02')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _short(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _finite(values: dict[str, Any]) -> dict[str, Any]:
    """NaN is no JSON; a number that is none becomes null."""
    return {
        key: None if isinstance(value, float) and value - value != 0.0 else value
        for key, value in values.items()
    }
