"""Learning within a lifetime: share of correct trials at each trial, as a table and as a figure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, PercentFormatter

from analysis.generalization import ROLES
from analysis.store import RunRecords
from analysis.style import (
    GREY,
    ROLE_COLOUR,
    drawing,
    footer,
    lifetimes_phrase,
    save_figure,
    write_caption,
    write_csv,
)
from evoplastic.checks import require

SMOOTHING_TRIALS = 20  # width of the moving average of a learning curve
CURVE_COLUMNS = [
    "task",
    "role",
    "condition",
    "center",
    "generation",
    "trial",
    "correct",
    "moving_average",
    "lifetimes",
    "chance",
    "fixed_policy_level",
]


def learning_curves(records: RunRecords) -> pd.DataFrame:
    """Share of correct trials at each trial of a lifetime, for the first and the last center.

    Columns: task, role, condition, center ("first" or "last"), generation, trial (from 1),
    correct (mean over lifetimes), moving_average, lifetimes, chance, fixed_policy_level. Empty
    when no evaluation kept its curves.
    """
    with_curves = [
        evaluation
        for evaluation in records.evaluations
        if any(entry.curve is not None for entry in evaluation.entries)
    ]
    centers = dict(zip(("first", "last"), with_curves[:1] + with_curves[1:][-1:], strict=False))
    frames = [
        pd.DataFrame(
            {
                "task": entry.task,
                "role": entry.role,
                "condition": entry.condition,
                "center": center,
                "generation": evaluation.generation,
                "trial": np.arange(1, len(entry.curve) + 1),
                "correct": entry.curve,
                "moving_average": moving_average(entry.curve, smoothing_trials(len(entry.curve))),
                "lifetimes": len(entry.accuracy),
                "chance": entry.chance,
                "fixed_policy_level": entry.fixed_policy_level,
            }
        )
        for center, evaluation in centers.items()
        for entry in evaluation.entries
        if entry.curve is not None
    ]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=CURVE_COLUMNS)


def smoothing_trials(num_trials: int) -> int:
    """Width of the moving average over a lifetime: 20 trials, a tenth of a short lifetime."""
    return max(1, min(SMOOTHING_TRIALS, num_trials // 10))


def moving_average(values: Sequence[float], width: int) -> np.ndarray:
    """Mean over a centred window of `width` trials, fewer at both ends: [K] -> [K].

    >>> moving_average([0.0, 1.0, 0.0, 1.0], width=3).round(2).tolist()
    [0.5, 0.33, 0.67, 0.5]
    """
    total = np.concatenate([[0.0], np.cumsum(np.asarray(values, dtype=np.float64))])
    trial = np.arange(len(values))
    start = np.maximum(trial - (width - 1) // 2, 0)
    stop = np.minimum(trial + width // 2 + 1, len(values))
    return (total[stop] - total[start]) / (stop - start)


COLUMNS_OF_PANELS = 4
PANEL_INCHES = (1.85, 1.55)
LEFT, RIGHT, TOP, BOTTOM = 0.8, 0.2, 0.75, 1.3  # margins of the figure, inches
# Colour: plasticity on or off. Line: first or last center.
CURVE_LOOK: dict[tuple[str, str], dict[str, Any]] = {
    ("plasticity_off", "first"): {"color": "#999999", "lw": 0.9, "ls": (0, (1, 1))},
    ("plasticity_off", "last"): {"color": "#000000", "lw": 1.0, "ls": (0, (4, 1.5))},
    ("plastic", "first"): {"color": "#56B4E9", "lw": 1.2, "ls": "-"},
    ("plastic", "last"): {"color": "#0072B2", "lw": 1.9, "ls": "-"},
}
PLASTICITY = {"plastic": "plasticity on", "plasticity_off": "plasticity off"}


def figure_learning_curves(records: RunRecords) -> Figure:
    """One panel per task: moving average of the share of correct trials over a lifetime.

    Raises:
        UsageError: no evaluation of the run kept its learning curves.
    """
    table = learning_curves(records)
    require(
        len(table) > 0,
        f"run {records.run_id} has no learning curve on record; its first evaluation keeps them",
    )
    panels = [
        (role, task)
        for role in reversed(ROLES)
        for task in dict.fromkeys(table.loc[table["role"] == role, "task"])
    ]
    columns = min(COLUMNS_OF_PANELS, len(panels))
    rows = math.ceil(len(panels) / columns)
    width = LEFT + RIGHT + max(columns, 3) * PANEL_INCHES[0]
    height = TOP + BOTTOM + rows * PANEL_INCHES[1]
    with drawing():
        figure = Figure(figsize=(width, height))
        grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        figure.subplots_adjust(
            left=LEFT / width,
            right=1 - RIGHT / width,
            top=1 - TOP / height,
            bottom=BOTTOM / height,
            wspace=0.22,
            hspace=0.34,
        )
        for axes, (role, task) in zip(grid.flat, panels, strict=False):
            _panel(axes, table[table["task"] == task], role, records)
        for axes in grid.flat[len(panels) :]:
            axes.set_visible(False)
        _outer_labels(grid, len(panels), table)
        _legend(figure, table)
        write_caption(figure, _caption(table, records), footer([records]), BOTTOM - 0.5)
    return figure


def write_figure_learning_curves(records: RunRecords, directory: Path) -> list[Path]:
    """`learning_curves` as PNG, SVG and CSV in a directory.

    Raises:
        UsageError: no evaluation of the run kept its learning curves.
        EnvironmentFault: the directory cannot be written.
    """
    stem = directory / "learning_curves"
    numbers = learning_curves(records).assign(seed=records.seed)
    return [*save_figure(figure_learning_curves(records), stem), write_csv(numbers, stem)]


def _panel(axes: Any, of_task: pd.DataFrame, role: str, records: RunRecords) -> None:
    held_out = role == "held_out"
    axes.set_title(
        f"{of_task['task'].iloc[0]} (held out)" if held_out else of_task["task"].iloc[0],
        color=ROLE_COLOUR[role] if held_out else "black",
        fontweight="bold" if held_out else "normal",
        pad=4,
    )
    num_trials = int(of_task["trial"].max())
    axes.axvspan(num_trials - records.scored_trials + 0.5, num_trials + 0.5, color="#F0F0F0", lw=0)
    axes.axhline(of_task["chance"].iloc[0], color=GREY, lw=0.7, gid="chance")
    if held_out:
        level = of_task["fixed_policy_level"].iloc[0]
        axes.axhline(level, color=ROLE_COLOUR[role], lw=0.8, ls="--", gid="fixed-policy")
    for (condition, center), look in CURVE_LOOK.items():
        curve = of_task[(of_task["condition"] == condition) & (of_task["center"] == center)]
        if len(curve):
            axes.plot(curve["trial"], curve["moving_average"], gid=f"{condition}-{center}", **look)


def _outer_labels(grid: Any, panels: int, table: pd.DataFrame) -> None:
    columns = grid.shape[1]
    axes = grid[0, 0]
    axes.set_xlim(0, int(table["trial"].max()) + 0.5)
    axes.set_ylim(min(0.3, table["moving_average"].min() - 0.03), 1.02)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=4, integer=True, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, symbol=" %"))
    for row in grid:
        row[0].set_ylabel("correct")
    for column in range(columns):
        lowest = grid[(panels - 1 - column) // columns, column]
        lowest.set_xlabel("trial of the lifetime")
        lowest.tick_params(labelbottom=True)


def _legend(figure: Any, table: pd.DataFrame) -> None:
    centers = table.drop_duplicates("center").set_index("center")["generation"]
    drawn = set(zip(table["condition"], table["center"], strict=True))
    handles = [
        Line2D([], [], label=f"generation {centers[center]}, {PLASTICITY[condition]}", **look)
        for (condition, center), look in reversed(CURVE_LOOK.items())
        if (condition, center) in drawn
    ]
    chance = ", ".join(f"{100 * level:.3g} %" for level in sorted(set(table["chance"])))
    handles.append(Line2D([], [], color=GREY, lw=0.7, label=f"chance, {chance}"))
    held_out = table[table["role"] == "held_out"]
    if len(held_out):
        levels = sorted(set(held_out["fixed_policy_level"]))
        name = ", ".join(f"{100 * level:.3g} %" for level in levels)
        handles.append(
            Line2D(
                [],
                [],
                color=ROLE_COLOUR["held_out"],
                lw=0.8,
                ls="--",
                label=f"best fixed policy, {name}",
            )
        )
    figure.legend(handles=handles, loc="upper center", ncols=3, borderaxespad=0.3)


def _caption(table: pd.DataFrame, records: RunRecords) -> str:
    plastic = table[table["condition"] == "plastic"]
    lives = lifetimes_phrase(
        {role: plastic.loc[plastic["role"] == role, "lifetimes"] for role in reversed(ROLES)}
    )
    return (
        f"Share of lifetimes that answer correctly at each trial, in percent; n = {lives}, one "
        f"run; centred moving average over {smoothing_trials(records.num_trials)} trials, fewer "
        f"at both ends. Shaded: the last {records.scored_trials} trials, over which accuracy is "
        "scored."
    )
