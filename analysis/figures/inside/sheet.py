"""A sheet of panels above a caption, sized in inches so that nothing overlaps; and its files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from matplotlib.figure import Figure

from analysis.figures.style import caption_inches, save_figure, write_caption, write_csv

LEGEND_INCHES = 0.3
NARROWEST = 5.5  # of a sheet, inches: a caption has to be read


class Drawn(NamedTuple):
    """A figure and the numbers in it."""

    figure: Figure
    numbers: pd.DataFrame
    more: Mapping[str, pd.DataFrame] = {}  # other tables, by name


class Sheet(NamedTuple):
    """Panels [row][column] of a figure."""

    figure: Figure
    axes: list[list[Any]]


def sheet(
    heights: Sequence[float],
    widths: Sequence[float],
    caption: str,
    footer: str,
    *,
    gap: tuple[float, float] = (0.55, 0.75),
    left: float = 0.75,
    right: float = 0.35,
    top: float = 0.4,
    handles: Sequence[Any] = (),
) -> Sheet:
    """Empty panels in rows and columns, a legend above them, caption and footer below.

    Args:
        heights: of the rows, inches.
        widths: of the columns, inches.
        caption: sentences below.
        footer: where the numbers come from.
        gap: between columns and between rows, inches.
        left: for the labels of the leftmost panels.
        right: for colour bars and the like.
        top: for the titles of the uppermost panels.
        handles: of a legend above all.
    """
    inner = sum(widths) + gap[0] * (len(widths) - 1)
    width = max(left + inner + right, NARROWEST)
    below = caption_inches(caption, width)
    labels = 0.6
    per_row = max(1, int((width - 0.3) / (0.6 + 0.07 * _longest(handles)))) if handles else 1
    legend_rows = -(-len(handles) // per_row)
    above = top + (0.1 + 0.17 * legend_rows if handles else 0)
    height = above + sum(heights) + gap[1] * (len(heights) - 1) + labels + below
    figure = Figure(figsize=(width, height))
    if handles:
        figure.legend(handles=handles, loc="upper center", ncols=per_row, borderaxespad=0.3)
    rows = []
    y = height - above
    for row, high in enumerate(heights):
        x, panels = left, []
        for wide in widths:
            box = (x / width, (y - high) / height, wide / width, high / height)
            panels.append(figure.add_axes(box))
            x += wide + gap[0]
        rows.append(panels)
        y -= high + (gap[1] if row + 1 < len(heights) else 0)
    write_caption(figure, caption, footer, below)
    return Sheet(figure, rows)


def _longest(handles: Sequence[Any]) -> int:
    return max(len(str(handle.get_label())) for handle in handles)


def colour_bar(sheet: Sheet, axes: Any, mappable: Any, label: str) -> None:
    """A slim scale at the right edge of a panel."""
    box = axes.get_position()
    width = float(sheet.figure.get_size_inches()[0])
    place = (box.x1 + 0.08 / width, box.y0, 0.1 / width, box.height)
    bar: Any = sheet.figure.colorbar(mappable, cax=sheet.figure.add_axes(place))
    bar.set_label(label, fontsize=8)
    bar.ax.tick_params(labelsize=7)
    bar.outline.set_linewidth(0)


def plain(value: float, _: int | None = None) -> str:
    """A number at a tick, with as many digits as it needs.

    >>> plain(0.001), plain(20.0)
    ('0.001', '20')
    """
    return f"{value:g}"


def source_of(data: Any) -> str:
    """The footer of a figure of recordings or evaluations: genome, seed, engine."""
    attrs = data.attrs
    told = [f"genome {str(attrs['genome'])[:16]}"] if "genome" in attrs else []
    told += [f"{name} {attrs[name]}" for name in ("seed", "engine") if name in attrs]
    return "  |  ".join(told)


def write_drawn(drawn: Drawn, stem: Path) -> list[Path]:
    """`stem`.png, .svg and .pdf, and the numbers, `stem`.csv and `stem`_NAME.csv; each whole or
    not at all.

    Raises:
        EnvironmentFault: the directory cannot be written.
    """
    files = save_figure(drawn.figure, stem, pdf=True)
    tables = {stem.name: drawn.numbers}
    tables |= {f"{stem.name}_{name}": table for name, table in drawn.more.items()}
    return files + [write_csv(table, stem.with_name(name)) for name, table in tables.items()]
