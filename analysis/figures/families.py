"""Leave one family out, as a matrix: families that were held out by tasks, framed where unseen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from analysis.families.table import FAMILY, families_table, short_name, tasks_in_order
from analysis.figures.style import (
    ROLE_COLOUR,
    caption_inches,
    drawing,
    footer,
    lifetimes_phrase,
    write_caption,
)
from analysis.measures import ACCURACY, FIXED_POLICY_MEANS, REWARD, Measure
from analysis.store import RunRecords
from analysis.tables.self_paced import cell

CELL_INCHES, ROW_INCHES = 0.46, 0.5
LEFT, RIGHT, TOP, BELOW = 1.25, 0.75, 0.3, 0.95
BAR_INCHES, BAR_GAP, LEAST_WIDTH = 0.12, 0.1, 6.0
LIGHT = 0.55  # of the colour map, from which on text is black
MAP = "cividis"  # distinguishable with every common colour blindness


def figure_families(runs: Sequence[RunRecords]) -> Figure:
    """Accuracy and, where tasks pay, reward of the first and the last scored trials of a lifetime.

    Args:
        runs: of which each holds out some of the same tasks, as `is_leave_one_out` says.

    Raises:
        UsageError: a run has not evaluated a center yet.
    """
    table, tasks = families_table(runs), tasks_in_order(runs)
    measures = [ACCURACY] + [REWARD] * bool(table["reward_last"].notna().any())
    families = list(dict.fromkeys(table[FAMILY]))
    width = max(LEFT + CELL_INCHES * len(tasks) + RIGHT, LEAST_WIDTH)
    caption = _caption(table, runs, measures)
    below = caption_inches(caption, width)
    panel = TOP + ROW_INCHES * len(families) + BELOW
    height = panel * len(measures) + below
    with drawing():
        figure = Figure(figsize=(width, height))
        for place, measure in enumerate(measures):
            bottom = below + panel * (len(measures) - 1 - place) + BELOW
            size = CELL_INCHES * len(tasks), ROW_INCHES * len(families)
            bar = LEFT + size[0] + BAR_GAP, bottom, BAR_INCHES, size[1]
            matrix_axes, bar_axes = (
                figure.add_axes(tuple(np.array(box) / (width, height, width, height)))
                for box in ((LEFT, bottom, *size), bar)
            )
            shown = _draw(matrix_axes, table, measure, families, tasks)
            percent = "{x:.0%}" if measure is ACCURACY else None
            figure.colorbar(shown, cax=bar_axes, format=percent)
        write_caption(figure, caption, footer(runs), below)
    return figure


def _draw(
    axes: Any,
    table: pd.DataFrame,
    measure: Measure,
    families: list[str],
    tasks: list[str],
) -> Any:
    last = _matrix(table, f"{measure.name}_last", families, tasks)
    first = _matrix(table, f"{measure.name}_first", families, tasks)
    low, high = (0.0, 1.0) if measure is ACCURACY else (np.nanmin(last), max(1.0, np.nanmax(last)))
    shown = axes.imshow(last, cmap=MAP, vmin=low, vmax=high, aspect="auto")
    for (row, column), value in np.ndenumerate(last):
        if np.isnan(value):
            continue
        dark = (value - low) / (high - low) < LIGHT
        text = f"{cell(measure, first[row, column])}\n{cell(measure, value)}"
        axes.text(
            column, row, text, ha="center", va="center", fontsize=7,
            color="white" if dark else "black",
        )  # fmt: skip
    for _, each in table[table["role"] == "held_out"].iterrows():
        corner = tasks.index(each["task"]) - 0.47, families.index(each[FAMILY]) - 0.47
        axes.add_patch(
            Rectangle(corner, 0.94, 0.94, fill=False, lw=2.2, edgecolor=ROLE_COLOUR["held_out"])
        )
    names = [short_name(task) for task in tasks]
    axes.set_xticks(range(len(tasks)), names, rotation=60, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(families)), families)
    axes.set_ylabel("held out")
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.set_title("percent correct" if measure is ACCURACY else "reward of a trial", loc="left")
    return shown


def _matrix(
    table: pd.DataFrame, column: str, families: list[str], tasks: list[str]
) -> np.ndarray[Any, np.dtype[np.float64]]:
    wide = table.pivot(index=FAMILY, columns="task", values=column)
    return wide.reindex(index=families, columns=tasks).to_numpy(dtype=float)


def _caption(table: pd.DataFrame, runs: Sequence[RunRecords], measures: list[Measure]) -> str:
    seeds = sorted({int(number) for number in table["seeds"]})
    of_seeds = (
        f"{seeds[0]} seed{'s' * (seeds[0] > 1)}"
        if len(seeds) == 1
        else f"{seeds[0]} to {seeds[-1]} seeds"
    )
    counts = {role: table.loc[table["role"] == role, "lifetimes"] for role in ROLE_COLOUR}
    what = " and ".join(each.name for each in measures)
    low, high = int(table["generation_low"].min()), int(table["generation_high"].max())
    generations = f"generation {low}" + (f" to {high}" if high > low else "")
    return (
        f"Leave one family out: {what} of the first (above) and of the last (below, and colour) "
        f"{runs[0].scored_trials} of {runs[0].num_trials} trials of a lifetime, mean over "
        f"{lifetimes_phrase(counts)}, {of_seeds} of each row, {generations}. Framed: tasks that "
        f"evolution never saw. {FIXED_POLICY_MEANS} Held-out tasks above it in percent of "
        f"lifetimes: {_above(table)}."
    )


def _above(table: pd.DataFrame) -> str:
    held_out = table[table["role"] == "held_out"]
    return ", ".join(
        f"{short_name(row['task'])} {100 * row['above_fixed_policy']:.0f}"
        for _, row in held_out.iterrows()
    )
