"""Plots as drawings: where in an SVG what stands, and the numbers that the page's script shows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from analysis.measures import ACCURACY
from analysis.page.series import LEVELS, Plot, Series
from analysis.page.words import number

WIDTH, HEIGHT = 520.0, 300.0  # of the view box; drawn as wide as there is room
LEFT, RIGHT, TOP, BOTTOM = 52.0, 14.0, 12.0, 40.0
TICKS = 5


class Tick(NamedTuple):
    """A mark of an axis."""

    at: float
    label: str


class Mark(NamedTuple):
    """One series, drawn."""

    look: str
    label: str
    line: str  # points of a polyline
    band: str  # points of a polygon, "" for none
    dots: tuple[tuple[float, float], ...]


class LevelLine(NamedTuple):
    """A horizontal line."""

    kind: str
    label: str
    y: float


class Drawing(NamedTuple):
    """An SVG, but for its syntax."""

    name: str
    alt: str
    x_label: str
    y_label: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    marks: tuple[Mark, ...]
    levels: tuple[LevelLine, ...]
    shaded: tuple[float, float] | None  # left and width
    note: str
    data: dict[str, Any]  # for the script


class Scale(NamedTuple):
    """Numbers to places."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The place of a number, to a tenth of a unit."""
        share = (value - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)


def draw(plot: Plot) -> Drawing:
    """Lay out one plot."""
    x = Scale(*_x_range(plot), LEFT, WIDTH - RIGHT)
    y = Scale(*_y_range(plot), HEIGHT - BOTTOM, TOP)
    whole = plot.measure is ACCURACY
    marks = tuple(_mark(each, x, y) for each in plot.series)
    levels = tuple(
        LevelLine(kind, f"{LEVELS[kind]}, {number(plot.measure, level)}", y(level))
        for kind, level in plot.levels.items()
    )
    shaded = None
    if plot.shaded is not None:
        start, end = (x(min(max(each, x.low), x.high)) for each in plot.shaded)
        shaded = (start, round(end - start, 1))
    return Drawing(
        name=plot.name,
        alt=_alt(plot),
        x_label="generation" if plot.unit == "generation" else "trial of the lifetime",
        y_label="correct, %" if whole else "reward of a trial",
        x_ticks=tuple(Tick(x(each), f"{each:g}") for each in ticks(x.low, x.high, whole=True)),
        y_ticks=tuple(
            Tick(y(each), f"{100 * each:g}" if whole else f"{each:g}")
            for each in ticks(y.low, y.high)
        ),
        marks=marks,
        levels=levels,
        shaded=shaded,
        note=plot.band,
        data={
            "unit": plot.unit,
            "percent": whole,
            "x": [x.low, x.high],
            "series": [_told(each) for each in plot.series],
        },
    )


def ticks(low: float, high: float, whole: bool = False) -> list[float]:
    """About five round numbers within a range.

    >>> ticks(0, 1), ticks(0, 120, whole=True), ticks(0, 2, whole=True)
    ([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], [0.0, 20.0, 40.0, 60.0, 80.0, 100.0, 120.0], [0.0, 1.0, 2.0])
    """
    rough = (high - low) / TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = min((each * power for each in (1, 2, 5, 10)), key=lambda each: abs(each - rough))
    step = max(step, 1.0) if whole else step
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(place * step, 10) for place in range(first, last + 1)]


def _x_range(plot: Plot) -> tuple[float, float]:
    found = [x for series in plot.series for x in (*series.x[:1], *series.x[-1:])]
    low, high = min(found, default=0.0), max(found, default=1.0)
    if low == high:  # a single generation
        return low - 1.0, high + 1.0
    return low, high


def _y_range(plot: Plot) -> tuple[float, float]:
    if plot.measure is ACCURACY:
        return 0.0, 1.0
    numbers = [y for each in plot.series for y in (*each.y, *each.low, *each.high)]
    numbers += plot.levels.values()
    low, high = min(numbers, default=0.0), max(numbers, default=1.0)
    room = 0.05 * (high - low) or 0.5
    return low - room, high + room


def _mark(series: Series, x: Scale, y: Scale) -> Mark:
    places = [(x(a), y(b)) for a, b in zip(series.x, series.y, strict=True)]
    band = ""
    if series.low and len(series.x) > 1:
        upper = [(x(a), y(b)) for a, b in zip(series.x, series.high, strict=True)]
        lower = [(x(a), y(b)) for a, b in zip(series.x, series.low, strict=True)]
        band = _points([*upper, *reversed(lower)])
    alone = series.points or len(series.x) == 1
    dots = tuple(places) if alone else ()
    return Mark(series.look, series.label, "" if alone else _points(places), band, dots)


def _points(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{a:g},{b:g}" for a, b in places)


def _told(series: Series) -> dict[str, Any]:
    """What the script says of a series at a place."""
    told: dict[str, Any] = {"label": series.label, "x": _short(series.x), "y": _short(series.y)}
    if series.low:
        told |= {"low": _short(series.low), "high": _short(series.high)}
    return told


def _short(values: Sequence[float]) -> list[float]:
    return [float(f"{value:.4g}") for value in values]


def _alt(plot: Plot) -> str:
    """The figure in words."""
    what = "Share correct" if plot.measure is ACCURACY else "Reward"
    by = "generation" if plot.unit == "generation" else "trial of a lifetime"
    parts = list(_ends(plot))
    parts += [f"{LEVELS[kind]} {number(plot.measure, y)}" for kind, y in plot.levels.items()]
    return f"{what} by {by} on {plot.name}. {'; '.join(parts)}."


def _ends(plot: Plot) -> Iterator[str]:
    for series in plot.series:
        first, last = number(plot.measure, series.y[0]), number(plot.measure, series.y[-1])
        at = f"{plot.unit} {series.x[-1]:g}"
        if len(series.x) == 1:
            yield f"{series.label}: {last} at {at}"
        else:
            yield f"{series.label}: {first} at {plot.unit} {series.x[0]:g}, {last} at {at}"
