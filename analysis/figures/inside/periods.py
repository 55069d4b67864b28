"""The periods of a trial on a time axis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PERIOD_COLOUR = {"response": "#E8E8E8", "feedback": "#D9E8F2"}
STIMULUS_COLOUR = "#F5EBD7"
Periods = Mapping[str, tuple[float, float]]


def shade(axes: Any, periods: Periods, *, names: bool = False) -> None:
    """Shade the periods of a trial behind what is drawn, and name them above if so wanted."""
    for name, (begin, end) in periods.items():
        colour = PERIOD_COLOUR.get(name, STIMULUS_COLOUR)
        axes.axvspan(begin, end, color=colour, lw=0, zorder=0, gid=f"period-{name}")
        if names:
            axes.text(
                (begin + end) / 2, 1.02, name.replace("stimulus", "stim. "),
                transform=axes.get_xaxis_transform(), ha="center", va="bottom", fontsize=7,
            )  # fmt: skip


def mark_edges(axes: Any, periods: Periods) -> None:
    """Short lines at the edges of periods, on both axes of a matrix of times."""
    for name, edges in periods.items():
        for place, edge in enumerate(edges):
            look = {"color": "white", "lw": 0.5, "alpha": 0.55, "ls": (0, (2, 2))}
            axes.axvline(edge, gid=f"{name}-{place}", **look)
            axes.axhline(edge, **look)
