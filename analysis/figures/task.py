"""A measure by generation, a panel for each task beside the levels of that task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.figures.marks import (
    CONTROLS_CAPTION,
    controls_of_role,
    generation_axis,
    level_line,
    measure_axis,
    spread,
)
from analysis.figures.panels import condensed, panels_of, task_grid
from analysis.figures.style import (
    CONDITION_LABEL,
    CONDITION_MARKER,
    LEVEL_LOOK,
    ROLE_COLOUR,
    ROLE_LABEL,
    drawing,
)
from analysis.measures import ACCURACY, Measure

LEVEL_NAME = {
    "chance": "chance",
    "fixed-policy": "best fixed policy",
    "oracle": "oracle: always the target action",
}


def draw_tasks(
    table: pd.DataFrame,
    measure: Measure,
    caption: str,
    footer_text: str,
    groups: Mapping[str, str],
) -> Figure:
    """`table` has the columns generation, task, role, condition, quartiles, median and levels;
    `groups` are those of held-out tasks."""
    table = table[table[measure.column("median")].notna()]
    if (table["condition"] != "plastic").any():
        caption = f"{caption} {CONTROLS_CAPTION}"
    with drawing():
        handles = _handles(table, measure)
        table, left_out = condensed(table, ("generation", "condition"), groups)
        caption = f"{caption} {left_out}".rstrip()
        tasks = task_grid(panels_of(table), handles, caption, share_y=measure is ACCURACY)
        for (role, task), axes in tasks.axes.items():
            of_task = table[table["task"] == task]
            for kind, level in level_kinds(of_task, measure).items():
                level_line(axes, kind, level)
            plastic = of_task["condition"] == "plastic"
            spread(axes, of_task[plastic], role, measure, None, "median", width=1.5)
            controls_of_role(axes, of_task[~plastic], role, measure, labels=False, size=3.0)
            generation_axis(axes, table["generation"], ticks=3)
            measure_axis(axes, measure)
        if measure is ACCURACY:
            columns = [measure.column("q25"), *measure.levels]
            next(iter(tasks.axes.values())).set_ylim(min(0.0, table[columns].min().min()), 1.02)
        tasks.label("generation", measure.name)
        tasks.write_caption(caption, footer_text)
    return tasks.figure


def level_kinds(of_task: pd.DataFrame, measure: Measure) -> dict[str, float]:
    """Levels of a task that are known, by kind."""
    columns = {"chance": measure.chance, "fixed-policy": measure.fixed_policy}
    if measure.oracle is not None:
        columns["oracle"] = measure.oracle
    found = {kind: of_task[column].dropna() for kind, column in columns.items()}
    return {kind: float(level.iloc[0]) for kind, level in found.items() if len(level)}


def level_handles(table: pd.DataFrame, measure: Measure) -> list[Any]:
    """Legend entries of the levels that some task has."""
    return [
        Line2D([], [], label=LEVEL_NAME[kind], **LEVEL_LOOK[kind])
        for kind in level_kinds(table, measure)
    ]


def _handles(table: pd.DataFrame, measure: Measure) -> list[Any]:
    roles = [role for role in ("held_out", "train") if (table["role"] == role).any()]
    lines = [
        Line2D([], [], color=ROLE_COLOUR[role], lw=1.5, marker="o", ms=2.5, label=ROLE_LABEL[role])
        for role in roles
    ]
    markers = [
        Line2D([], [], color="black", marker=marker, mfc="white", ms=4, ls="none", label=name)
        for condition, marker in CONDITION_MARKER.items()
        for name in [CONDITION_LABEL[condition]]
        if (table["condition"] == condition).any()
    ]
    return [*lines, *level_handles(table, measure), *markers]
