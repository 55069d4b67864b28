"""Accuracy by generation, held-out and training tasks side by side, where each task has levels of
its own."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from analysis.figures.marks import (
    CONTROLS_CAPTION,
    controls_of_role,
    generation_axis,
    level_line,
    measure_axis,
    spread,
)
from analysis.figures.style import ROLE_COLOUR, ROLE_LABEL, caption_inches, drawing, write_caption
from analysis.generalization import ROLES
from analysis.measures import ACCURACY, levels_phrase

WIDTH, PANEL_INCHES = 8.4, (3.55, 2.85)  # inches, as all below
LEFT, GAP, TOP = 0.75, 0.35, 0.4
LEGEND = 1.6  # between an axes and the caption
LEVELS_CAPTION = "A level is the median over tasks, as each task has its own; range in brackets."
MOST_DISTINCT_LINES = 6  # thin lines of more tasks are drawn fainter


def draw_roles(table: pd.DataFrame, caption: str, footer_text: str) -> Figure:
    """An axes for each role: `table` has the columns generation, task ("all" or a name), role,
    condition, q25, median, q75, chance, fixed_policy_level."""
    table = table[table["median"].notna()]
    roles = [role for role in reversed(ROLES) if (table["role"] == role).any()]
    caption = f"{caption} {LEVELS_CAPTION}"
    if (table["condition"] != "plastic").any():
        caption = f"{caption} {CONTROLS_CAPTION}"
    below = caption_inches(caption, WIDTH)
    height = TOP + PANEL_INCHES[1] + LEGEND + below
    lowest = min(0.0, table["q25"].min()) - 0.02
    with drawing():
        figure = Figure(figsize=(WIDTH, height))
        for place, role in enumerate(roles):
            left, bottom = LEFT + place * (PANEL_INCHES[0] + GAP), below + LEGEND
            axes = figure.add_axes(
                (
                    left / WIDTH,
                    bottom / height,
                    PANEL_INCHES[0] / WIDTH,
                    PANEL_INCHES[1] / height,
                )
            )
            _panel(axes, table[table["role"] == role], role)
            generation_axis(axes, table["generation"])
            axes.set_ylim(lowest, 1.015)
            measure_axis(axes, ACCURACY)
            axes.set_xlabel("generation")
            if place:
                axes.tick_params(labelleft=False)
            else:
                axes.set_ylabel("accuracy within a lifetime")
        write_caption(figure, caption, footer_text, below)
    return figure


def _panel(axes: Any, of_role: pd.DataFrame, role: str) -> None:
    plastic = of_role[of_role["condition"] == "plastic"]
    pooled, tasks = plastic[plastic["task"] == "all"], plastic[plastic["task"] != "all"]
    count = tasks["task"].nunique()
    axes.set_title(
        f"{ROLE_LABEL[role]} ({count})" if count > 1 else f"{ROLE_LABEL[role][:-1]}",
        color=ROLE_COLOUR[role],
        fontweight="bold",
    )
    label = "all tasks, median and quartiles" if count > 1 else "median and quartiles"
    spread(axes, pooled, role, ACCURACY, label, f"{role}-median")
    if count > 1:
        for place, (task, line) in enumerate(tasks.groupby("task", sort=False)):
            axes.plot(
                line["generation"],
                line["median"],
                color=ROLE_COLOUR[role],
                lw=0.7,
                alpha=0.7 if count <= MOST_DISTINCT_LINES else 0.35,
                gid=f"{task}-median",
                label="median of one task" if place == 0 else None,
            )
    for kind, name, column in (
        ("chance", "chance", "chance"),
        ("fixed-policy", "fixed policy", "fixed_policy_level"),
    ):
        level = pooled[column].median()
        phrase = levels_phrase(ACCURACY, tasks[column], most=1).removesuffix(", by task")
        many = tasks[column].nunique() > 1
        text = f"{name}, {ACCURACY.text(level)} ({phrase})" if many else f"{name}, {phrase}"
        level_line(axes, kind, level, text)
    controls_of_role(
        axes, of_role[(of_role["condition"] != "plastic") & (of_role["task"] == "all")], role
    )
    axes.legend(
        loc="upper left",
        bbox_to_anchor=(0, -0.19),
        borderaxespad=0,
        handlelength=2.6,
        labelspacing=0.3,
    )
