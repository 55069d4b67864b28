"""Accuracy by generation, both roles in one axes: for tasks that share one level of chance.

The form is that of figure 2 of Miconi (2023), ICML (PMLR 202:24756): median and inter-quartile
band, the tasks withheld from evolution in red.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from analysis.figures.marks import (
    CONTROLS_CAPTION,
    generation_axis,
    measure_axis,
    spread_line,
    spread_point,
)
from analysis.figures.style import (
    CAPTION_LINE_INCHES,
    CONDITION_LABEL,
    CONDITION_MARKER,
    GREY,
    ROLE_COLOUR,
    ROLE_LABEL,
    caption_lines,
    drawing,
    write_caption,
)
from analysis.generalization import ROLES
from analysis.measures import ACCURACY

TASK_DASHES = ((0, (1, 1.2)), (0, (4, 1.5)), (0, (4, 1.2, 1, 1.2)), (0, (8, 2)))
SHIFT_POINTS = {  # controls stand beside the line's end, not upon each other
    ("plasticity_off", "train"): 7.0,
    ("plasticity_off", "held_out"): 13.0,
    ("random_genome", "train"): 21.0,
    ("random_genome", "held_out"): 27.0,
}
SINGLE_SHIFT_POINTS = {"train": -12.0, "held_out": -4.0}  # the same for a run of one evaluation
WIDTH, HEIGHT = 7.5, 4.9  # inches
CAPTION_LINES = 5  # of a caption in that height; more make it higher
MOST_LEVELS = 3  # levels of a kind that one axes and its legend can show


def can_pool(table: pd.DataFrame) -> bool:
    """Whether one axes says enough: one level of chance, few best fixed policies."""
    return table["chance"].nunique() <= 1 and table["fixed_policy_level"].nunique() <= MOST_LEVELS


def draw_pooled(table: pd.DataFrame, caption: str, footer_text: str) -> Figure:
    """Both roles in one axes: `table` has the columns generation, task ("all" or a name), role,
    condition, q25, median, q75, chance, fixed_policy_level."""
    controls = table[(table["condition"] != "plastic") & (table["task"] == "all")]
    if len(controls):
        caption = f"{caption} {CONTROLS_CAPTION}"
    longer = CAPTION_LINE_INCHES * max(0, len(caption_lines(caption, WIDTH)) - CAPTION_LINES)
    height = HEIGHT + longer
    with drawing():
        figure = Figure(figsize=(WIDTH, height))
        box = (0.105, (0.285 * HEIGHT + longer) / height, 0.58, 0.67 * HEIGHT / height)
        axes = figure.add_axes(box)
        plastic = table[table["condition"] == "plastic"]
        for role in ROLES:
            _role_line(axes, plastic[(plastic["role"] == role) & (plastic["task"] == "all")], role)
        held_out = plastic[(plastic["role"] == "held_out") & (plastic["task"] != "all")]
        _task_lines(axes, held_out)
        _controls(axes, controls)
        _levels(axes, table)
        _frame(axes, table)
        axes.legend(loc="upper left", bbox_to_anchor=(1.03, 1.03), handlelength=2.4)
        write_caption(figure, caption, footer_text, bottom_inches=0.87 + longer)
    return figure


def _task_lines(axes: Any, held_out: pd.DataFrame) -> None:
    names = list(dict.fromkeys(held_out["task"]))
    if not 2 <= len(names) <= len(TASK_DASHES) or held_out["generation"].nunique() < 2:
        return  # a single task is the role's own line; more than a few would hide it
    for name, dashes in zip(names, TASK_DASHES, strict=False):
        line = held_out[held_out["task"] == name]
        axes.plot(
            line["generation"],
            line["median"],
            color=ROLE_COLOUR["held_out"],
            lw=1,
            ls=dashes,
            label=f"{name} alone, median",
            gid=f"{name}-median",
        )


def _levels(axes: Any, table: pd.DataFrame) -> None:
    """Horizontal lines at chance and at the best fixed policy of the held-out tasks."""
    for level in table["chance"].dropna().unique():
        axes.axhline(level, color=GREY, lw=0.7, label=f"chance, {100 * level:.3g} %", gid="chance")
    held_out = table[(table["role"] == "held_out") & (table["task"] != "all")]
    for level, of_level in held_out.groupby("fixed_policy_level"):
        tasks = list(dict.fromkeys(of_level["task"]))
        few = len(tasks) <= len(TASK_DASHES)
        names = ", ".join(tasks) if few else f"{len(tasks)} held-out tasks"
        axes.axhline(
            level,
            color=GREY,
            lw=1,
            ls="--",
            label=f"best fixed policy,\n{names}: {100 * level:.3g} %",
            gid="fixed-policy",
        )


def _role_line(axes: Any, line: pd.DataFrame, role: str) -> None:
    gid = f"{role}-median"
    if len(line) == 1:  # a band of one generation has no width
        label = f"{ROLE_LABEL[role]}, median\nand quartiles"
        spread_point(axes, line, role, "o", SINGLE_SHIFT_POINTS[role], label, gid)
    elif len(line):
        label = f"{ROLE_LABEL[role]}, median\nand inter-quartile band"
        spread_line(axes, line, role, label=label, gid=gid)


def _controls(axes: Any, controls: pd.DataFrame) -> None:
    """Markers at the first and the last generation that has a control, beside the line's end."""
    for (condition, role), shift in SHIFT_POINTS.items():
        found = controls[(controls["condition"] == condition) & (controls["role"] == role)]
        label = f"{CONDITION_LABEL[condition]},\n{ROLE_LABEL[role]}"
        marker, gid = CONDITION_MARKER[condition], f"{role}-{condition}"
        if len(found) > 1:
            spread_point(axes, found.head(1), role, marker, -shift, gid=gid)
        if len(found):
            spread_point(axes, found.tail(1), role, marker, shift, label, gid)


def _frame(axes: Any, table: pd.DataFrame) -> None:
    generation_axis(axes, table["generation"])
    plastic = table["condition"] == "plastic"
    drawn = [
        table.loc[table["task"] == "all", "q25"],
        table.loc[plastic & (table["role"] == "held_out"), "median"],
        pd.Series([0.41]),  # chance in view, with space below it
    ]
    axes.set_ylim(pd.concat(drawn).min() - 0.03, 1.015)
    measure_axis(axes, ACCURACY)
    axes.set_xlabel("generation")
    axes.set_ylabel("accuracy within a lifetime")
