"""Marks that figures by generation share: lines with bands, controls, levels, generations."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.ticker import MaxNLocator, PercentFormatter
from matplotlib.transforms import ScaledTranslation

from analysis.figures.style import CONDITION_LABEL, CONDITION_MARKER, LEVEL_LOOK, ROLE_COLOUR
from analysis.measures import ACCURACY, Measure

CONTROLS_CAPTION = (
    "Markers beside the ends: controls at the first and the last evaluation that has them, with "
    "quartiles."
)
MARGIN = 0.13  # share of the axes left free on both sides for the controls


def spread_line(
    axes: Any,
    line: pd.DataFrame,
    role: str,
    measure: Measure = ACCURACY,
    label: str | None = None,
    gid: str | None = None,
    width: float = 2.0,
) -> None:
    """Median by generation with its band of quartiles."""
    colour = ROLE_COLOUR[role]
    q25, median, q75 = (line[measure.column(name)] for name in ("q25", "median", "q75"))
    axes.fill_between(line["generation"], q25, q75, color=colour, alpha=0.2, lw=0)
    axes.plot(
        line["generation"],
        median,
        color=colour,
        lw=width,
        marker="o",
        ms=2.5,
        label=label,
        gid=gid,
    )


def spread_point(
    axes: Any,
    row: pd.DataFrame,
    role: str,
    marker: str,
    shift_points: float,
    label: str | None = None,
    gid: str | None = None,
    measure: Measure = ACCURACY,
    size: float = 5.0,
) -> None:
    """Median and quartiles of one generation, moved sideways by `shift_points`."""
    shift = ScaledTranslation(shift_points / 72, 0, axes.figure.dpi_scale_trans)
    q25, median, q75 = (row[measure.column(name)] for name in ("q25", "median", "q75"))
    bars = axes.errorbar(
        row["generation"],
        median,
        [median - q25, q75 - median],
        color=ROLE_COLOUR[role],
        marker=marker,
        mfc=ROLE_COLOUR[role] if marker == "o" else "white",
        ms=size,
        lw=1,
        ls="none",
        transform=axes.transData + shift,
        label=label,
    )
    bars.lines[0].set_gid(gid)


def spread(
    axes: Any,
    line: pd.DataFrame,
    role: str,
    measure: Measure,
    label: str | None,
    gid: str,
    width: float = 2.0,
) -> None:
    """A line with its band; of a single generation, whose band has no width, a point."""
    if len(line) == 1:
        spread_point(axes, line, role, "o", -4.0, label, gid, measure)
    elif len(line):
        spread_line(axes, line, role, measure, label, gid, width)


def controls_of_role(
    axes: Any,
    controls: pd.DataFrame,
    role: str,
    measure: Measure = ACCURACY,
    *,
    labels: bool = True,
    size: float = 5.0,
) -> None:
    """Markers at the first and the last generation that has a control, beside the line's end."""
    controls = controls[controls[measure.column("median")].notna()]
    for place, (condition, marker) in enumerate(CONDITION_MARKER.items(), start=1):
        found = controls[controls["condition"] == condition]
        label = CONDITION_LABEL[condition] if labels else None
        shift, gid = 1.5 * size * place, f"{role}-{condition}"
        if len(found) > 1:
            spread_point(
                axes, found.head(1), role, marker, -shift, gid=gid, measure=measure, size=size
            )
        if len(found):
            spread_point(axes, found.tail(1), role, marker, shift, label, gid, measure, size)


def level_line(axes: Any, kind: str, level: float, label: str | None = None) -> None:
    """A horizontal line at a level of kind chance, fixed-policy or oracle; none at NaN."""
    if pd.notna(level):
        axes.axhline(level, label=label, gid=kind, zorder=1.5, **LEVEL_LOOK[kind])


def generation_axis(axes: Any, generations: pd.Series, ticks: int = 6) -> None:
    """Whole generations along the axis, with space on both sides for the controls."""
    first, last = generations.min(), generations.max()
    free = max(last - first, 1) * MARGIN / (1 - 2 * MARGIN)
    axes.set_xlim(first - free, last + free)
    places = MaxNLocator(ticks, integer=True, steps=[1, 2, 2.5, 5, 10]).tick_values(first, last)
    axes.set_xticks([place for place in places if first <= place <= last])


def measure_axis(axes: Any, measure: Measure) -> None:
    """Percent for accuracy, plain numbers for reward."""
    if measure is ACCURACY:
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, symbol=" %"))
    else:
        axes.yaxis.set_major_locator(MaxNLocator(5))
