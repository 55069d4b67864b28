"""Matrices of streams: accuracy on each task after each part, a panel for each stream."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from analysis.figures.style import (
    ROLE_COLOUR,
    caption_inches,
    drawing,
    footer,
    save_figure,
    write_caption,
    write_csv,
)
from analysis.store import RunRecords
from analysis.streams import matrix_table, mean_matrix, stream_entries
from evoplastic.records.events import StreamRecord

MOST_PANELS = 12
COLUMNS = 3
CELL_INCHES = (0.95, 0.3)
MOST_NUMBERS = 8  # tasks of a stream whose cells have their number written in
LEFT, RIGHT, TOP, GAP_HIGH = 1.5, 0.25, 0.15, 0.65
DARK = 0.72  # accuracy from which on numbers are white


def figure_streams(run: RunRecords) -> Figure | None:
    """The mean matrices of the plastic network at the last evaluation; None without streams."""
    entries = [pair for pair in stream_entries(run) if pair[0].condition == "plastic"]
    if not entries:
        return None
    shown = entries[:MOST_PANELS]
    columns = min(COLUMNS, len(shown))
    rows = -(-len(shown) // columns)
    wide = CELL_INCHES[0] * min(max(len(s.tasks) for _, s in shown), MOST_NUMBERS)
    high = CELL_INCHES[1] * max(len(s.parts) for _, s in shown)
    width = columns * (LEFT + wide) + RIGHT + 0.7
    caption = (
        "Share of right answers of probes, at which nothing is learnt, after each part of a stream "
        "(rows) on each of its tasks (columns); means over lifetimes, "
        f"generation {run.evaluations[-1].generation}. Framed: the task that was "
        "just taught. Orange titles: held-out streams, which took no part in evolution."
    )
    if len(entries) > len(shown):
        caption += f" The first {MOST_PANELS} of {len(entries)} streams."
    below = caption_inches(caption, width)
    height = TOP + rows * (high + GAP_HIGH) + below
    with drawing():
        figure = Figure(figsize=(width, height))
        images = []
        for place, (entry, stream) in enumerate(shown):
            row, column = divmod(place, columns)
            left = column * (LEFT + wide) + LEFT
            bottom = height - TOP - 0.3 - row * (high + GAP_HIGH) - high
            axes = figure.add_axes((left / width, bottom / height, wide / width, high / height))
            images.append(_matrix(axes, stream))
            axes.set_title(entry.task, color=ROLE_COLOUR[entry.role], fontsize=9)
        bar = figure.add_axes(
            (
                (width - 0.55) / width,
                (height - TOP - 0.3 - high) / height,
                0.12 / width,
                high / height,
            )
        )
        figure.colorbar(images[0], cax=bar, label="accuracy")
        write_caption(figure, caption, footer([run]), below)
    return figure


def _matrix(axes: Any, stream: StreamRecord) -> Any:
    matrix_RC = mean_matrix(stream)
    image = axes.imshow(matrix_RC, cmap="viridis_r", vmin=0.0, vmax=1.0, aspect="auto")
    axes.set_yticks(
        range(len(stream.parts)), [f"{n} {part}" for n, part in enumerate(stream.parts)]
    )
    axes.set_xticks(range(len(stream.tasks)), stream.tasks)
    axes.tick_params(length=0, labelsize=7)
    for row, part in enumerate(stream.parts):
        for column, task in enumerate(stream.tasks):
            value = matrix_RC[row, column]
            if len(stream.tasks) <= MOST_NUMBERS and not np.isnan(value):
                colour = "white" if value >= DARK else "black"
                axes.text(
                    column, row, f"{value:.2f}", ha="center", va="center", fontsize=7, color=colour
                )
            if part == task:
                box = (column - 0.5, row - 0.5)
                axes.add_patch(_frame(box))
    return image


def _frame(corner: tuple[float, float]) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle(corner, 1, 1, fill=False, edgecolor="black", lw=1.4, clip_on=False)


def write_figures_streams(run: RunRecords, directory: Path) -> list[Path]:
    """The matrices and their numbers, of a run that lives streams."""
    figure = figure_streams(run)
    if figure is None:
        return []
    stem = directory / "streams"
    return [*save_figure(figure, stem), write_csv(matrix_table(run), stem)]
