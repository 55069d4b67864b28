"""Figures of learning within a lifetime: a panel for each task, beside the levels of that task."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from analysis.curves import learning_curves, smoothing_trials
from analysis.figures.marks import level_line, measure_axis
from analysis.figures.panels import condensed, panels_of, task_grid
from analysis.figures.style import drawing, footer, lifetimes_phrase, save_figure, write_csv
from analysis.figures.task import LEVEL_NAME, level_handles, level_kinds
from analysis.generalization import ROLES
from analysis.groups import groups_of
from analysis.measures import (
    ACCURACY,
    CHANCE_MEANS,
    FIXED_POLICY_MEANS,
    MEASURES,
    ORACLE_MEANS,
    REWARD,
    Measure,
    levels_phrase,
)
from analysis.store import RunRecords
from evoplastic.checks import require

# Colour: plasticity on or off. Line: first or last center.
CURVE_LOOK: dict[tuple[str, str], dict[str, Any]] = {
    ("plasticity_off", "first"): {"color": "#999999", "lw": 0.9, "ls": (0, (1, 1))},
    ("plasticity_off", "last"): {"color": "#000000", "lw": 1.0, "ls": (0, (4, 1.5))},
    ("plastic", "first"): {"color": "#56B4E9", "lw": 1.2, "ls": "-"},
    ("plastic", "last"): {"color": "#0072B2", "lw": 1.9, "ls": "-"},
}
PLASTICITY = {"plastic": "plasticity on", "plasticity_off": "plasticity off"}
FILE_NAME = {"accuracy": "learning_curves", "reward": "reward_learning_curves"}


def figure_learning_curves(records: RunRecords, measure: Measure = ACCURACY) -> Figure:
    """One panel per task: moving average over a lifetime of the share of correct trials, or of the
    reward of a trial.

    Raises:
        UsageError: no evaluation of the run kept its learning curves.
    """
    table = learning_curves(records)
    table = table[table[measure.curve].notna()]
    require(
        len(table) > 0,
        f"run {records.run_id} has no learning curve of {measure.name} on record; its first "
        "evaluation keeps them",
    )
    self_paced = self_paced_curves(table)
    caption = _caption(table, measure, records, self_paced)
    with drawing():
        handles = _handles(table, measure, self_paced)
        table, left_out = condensed(
            table, ("generation", "center", "condition", "trial"), groups_of(records)
        )
        caption = f"{caption} {left_out}".rstrip()
        tasks = task_grid(panels_of(table), handles, caption, share_y=measure is ACCURACY)
        for (role, task), axes in tasks.axes.items():
            of_task = table[table["task"] == task]
            _panel(axes, of_task, measure, records, with_policy=self_paced or role == "held_out")
            measure_axis(axes, measure)
        axes = next(iter(tasks.axes.values()))
        axes.set_xlim(0, int(table["trial"].max()) + 0.5)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=4, integer=True, steps=[1, 2, 5, 10]))
        if measure is ACCURACY:
            lowest = min(table["moving_average"].min(), table["chance"].min()) - 0.03
            axes.set_ylim(min(0.3, lowest), 1.02)
        tasks.label("trial of the lifetime", "correct" if measure is ACCURACY else "reward")
        tasks.write_caption(caption, footer([records]))
    return tasks.figure


def write_figures_learning_curves(records: RunRecords, directory: Path) -> list[Path]:
    """Each figure of learning curves that a run has, as PNG, SVG and CSV in a directory.

    A run of fixed timing has learning_curves, a self-paced one reward_learning_curves as well. No
    curve on record, no file.

    Raises:
        EnvironmentFault: the directory cannot be written.
    """
    table = learning_curves(records).assign(seed=records.seed)
    files = []
    for measure in MEASURES:
        drawn = table[table[measure.curve].notna()]
        if len(drawn) and (measure is ACCURACY or self_paced_curves(table)):
            stem = directory / FILE_NAME[measure.name]
            figure = figure_learning_curves(records, measure)
            files += [*save_figure(figure, stem), write_csv(drawn, stem)]
    return files


def self_paced_curves(table: pd.DataFrame) -> bool:
    """Whether learning curves come of self-paced lifetimes, as `measures.is_self_paced`."""
    return bool(table[REWARD.chance].notna().any() or table[ACCURACY.curve].isna().any())


def _panel(
    axes: Any, of_task: pd.DataFrame, measure: Measure, records: RunRecords, *, with_policy: bool
) -> None:
    num_trials = int(of_task["trial"].max())
    axes.axvspan(num_trials - records.scored_trials + 0.5, num_trials + 0.5, color="#F0F0F0", lw=0)
    for kind, level in level_kinds(of_task, measure).items():
        if kind != "fixed-policy" or with_policy:
            level_line(axes, kind, level)
    for (condition, center), look in CURVE_LOOK.items():
        curve = of_task[(of_task["condition"] == condition) & (of_task["center"] == center)]
        if len(curve):
            gid = f"{condition}-{center}"
            axes.plot(curve["trial"], curve[measure.smooth_curve], gid=gid, **look)


def _handles(table: pd.DataFrame, measure: Measure, self_paced: bool) -> list[Any]:
    centers = table.drop_duplicates("center").set_index("center")["generation"]
    drawn = set(zip(table["condition"], table["center"], strict=True))
    lines = [
        Line2D([], [], label=f"generation {centers[center]}, {PLASTICITY[condition]}", **look)
        for (condition, center), look in reversed(CURVE_LOOK.items())
        if (condition, center) in drawn
    ]
    judged = table if self_paced else table[table["role"] == "held_out"]
    levels = level_handles(table, measure)
    for handle in levels:
        name = handle.get_label()
        if name == LEVEL_NAME["chance"]:
            handle.set_label(f"{name}, {levels_phrase(measure, table[measure.chance], most=1)}")
        elif name == LEVEL_NAME["fixed-policy"]:
            handle.set_label(
                f"{name}, {levels_phrase(measure, judged[measure.fixed_policy], most=1)}"
            )
    if not self_paced and not len(judged):
        levels = [each for each in levels if not each.get_label().startswith("best fixed")]
    return lines + levels


def _caption(table: pd.DataFrame, measure: Measure, records: RunRecords, self_paced: bool) -> str:
    plastic = table[table["condition"] == "plastic"]
    lives = lifetimes_phrase(
        {role: plastic.loc[plastic["role"] == role, "lifetimes"] for role in reversed(ROLES)}
    )
    what = (
        "Share of lifetimes that answer correctly at each trial, in percent"
        if measure is ACCURACY
        else "Reward of each trial, summed over its steps, mean over lifetimes"
    )
    caption = (
        f"{what}; n = {lives}, one run; centred moving average over "
        f"{smoothing_trials(records.num_trials)} trials, fewer at both ends. Shaded: the last "
        f"{records.scored_trials} trials, over which {measure.name} is scored."
    )
    if not self_paced:
        return caption
    meanings = [CHANCE_MEANS, FIXED_POLICY_MEANS] + [ORACLE_MEANS] * (measure is REWARD)
    return f"{caption} {' '.join(meanings)}"
