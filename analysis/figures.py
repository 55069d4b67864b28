"""Accuracy by generation: training tasks, held-out tasks, their levels and their controls.

The form is that of figure 2 of Miconi (2023), ICML (PMLR 202:24756): median and inter-quartile
band, the tasks withheld from evolution in red.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter
from matplotlib.transforms import ScaledTranslation

from analysis.generalization import (
    ROLES,
    accuracy_across_seeds,
    accuracy_by_generation,
    role_accuracy_by_generation,
)
from analysis.store import RunRecords
from analysis.style import (
    CONDITION_LABEL,
    CONDITION_MARKER,
    GREY,
    ROLE_COLOUR,
    ROLE_LABEL,
    drawing,
    footer,
    lifetimes_phrase,
    save_figure,
    write_caption,
    write_csv,
)

TASK_DASHES = ((0, (1, 1.2)), (0, (4, 1.5)), (0, (4, 1.2, 1, 1.2)), (0, (8, 2)))
CONTROLS_CAPTION = (
    "Markers beside the ends: controls at the first and the last evaluation that has them, with "
    "quartiles."
)
SHIFT_POINTS = {  # controls stand beside the line's end, not upon each other
    ("plasticity_off", "train"): 7.0,
    ("plasticity_off", "held_out"): 13.0,
    ("random_genome", "train"): 21.0,
    ("random_genome", "held_out"): 27.0,
}
SINGLE_SHIFT_POINTS = {"train": -12.0, "held_out": -4.0}  # the same for a run of one evaluation
MARGIN = 0.13  # share of the axes left free on both sides for the controls


def figure_accuracy(records: RunRecords) -> Figure:
    """Accuracy of one run by generation: median and quartiles over lifetimes.

    Raises:
        UsageError: the run has not evaluated a center yet.
    """
    tasks = accuracy_by_generation(records)
    roles = role_accuracy_by_generation(records).assign(task="all")
    plastic = tasks[tasks["condition"] == "plastic"]
    lives = lifetimes_phrase(
        {role: plastic.loc[plastic["role"] == role, "lifetimes"] for role in reversed(ROLES)}
    )
    caption = (
        f"Accuracy: correct answers among the last {records.scored_trials} of "
        f"{records.num_trials} trials of a lifetime, in percent. Line and band: median and "
        f"quartiles over lifetimes, all tasks of a kind together; n = {lives}, one run."
    )
    return _draw(pd.concat([roles, tasks]), caption, footer([records]))


def figure_across_seeds(runs: Sequence[RunRecords]) -> Figure:
    """Accuracy of several runs by generation: median and quartiles over seeds.

    Raises:
        UsageError: no run, two runs of one seed, or no generation in common.
    """
    table = accuracy_across_seeds(runs)
    caption = (
        f"Accuracy: correct answers among the last {runs[0].scored_trials} of "
        f"{runs[0].num_trials} trials of a lifetime, in percent. Line and band: median and "
        f"quartiles over n = {len(runs)} seeds; the number of a seed is the median over its "
        "lifetimes, all tasks of a kind together."
    )
    return _draw(table, caption, footer(runs))


def write_figure_accuracy(records: RunRecords, directory: Path) -> list[Path]:
    """`accuracy_by_generation` as PNG, SVG and CSV in a directory.

    Raises:
        UsageError: the run has not evaluated a center yet.
        EnvironmentFault: the directory cannot be written.
    """
    stem = directory / "accuracy_by_generation"
    roles = role_accuracy_by_generation(records).assign(task="all")
    numbers = pd.concat([roles, accuracy_by_generation(records)]).assign(seed=records.seed)
    columns = ["generation", "task"]
    numbers = numbers[columns + [name for name in numbers.columns if name not in columns]]
    return [*save_figure(figure_accuracy(records), stem), write_csv(numbers, stem)]


def write_figure_across_seeds(runs: Sequence[RunRecords], stem: Path) -> list[Path]:
    """The figure of several seeds as `stem`.png, `stem`.svg, with its numbers in `stem`.csv.

    Raises:
        UsageError: no run, two runs of one seed, or no generation in common.
        EnvironmentFault: the directory cannot be written.
    """
    return [
        *save_figure(figure_across_seeds(runs), stem),
        write_csv(accuracy_across_seeds(runs), stem),
    ]


def _draw(table: pd.DataFrame, caption: str, footer_text: str) -> Figure:
    """One axes: `table` has the columns generation, task ("all" or a name), role, condition,
    q25, median, q75, chance, fixed_policy_level."""
    with drawing():
        figure = Figure(figsize=(7.5, 4.9))
        axes = figure.add_axes((0.105, 0.285, 0.58, 0.67))
        plastic = table[table["condition"] == "plastic"]
        for role in ROLES:
            _role_line(axes, plastic[(plastic["role"] == role) & (plastic["task"] == "all")], role)
        held_out = plastic[(plastic["role"] == "held_out") & (plastic["task"] != "all")]
        _task_lines(axes, held_out)
        controls = table[(table["condition"] != "plastic") & (table["task"] == "all")]
        _controls(axes, controls)
        _levels(axes, table)
        _frame(axes, table)
        axes.legend(loc="upper left", bbox_to_anchor=(1.03, 1.03), handlelength=2.4)
        if len(controls):
            caption = f"{caption} {CONTROLS_CAPTION}"
        write_caption(figure, caption, footer_text, bottom_inches=0.87)
    return figure


def _role_line(axes: Any, line: pd.DataFrame, role: str) -> None:
    if len(line) == 1:  # a band of one generation has no width
        label = f"{ROLE_LABEL[role]}, median\nand quartiles"
        _point(axes, line, role, "o", SINGLE_SHIFT_POINTS[role], label, gid=f"{role}-median")
    elif len(line):
        colour = ROLE_COLOUR[role]
        generation = line["generation"]
        axes.fill_between(generation, line["q25"], line["q75"], color=colour, alpha=0.2, lw=0)
        axes.plot(
            generation,
            line["median"],
            color=colour,
            lw=2,
            marker="o",
            ms=2.5,
            label=f"{ROLE_LABEL[role]}, median\nand inter-quartile band",
            gid=f"{role}-median",
        )


def _point(
    axes: Any,
    row: pd.DataFrame,
    role: str,
    marker: str,
    shift_points: float,
    label: str | None,
    gid: str,
) -> None:
    """Median and quartiles of one generation, moved sideways by `shift_points`."""
    shift = ScaledTranslation(shift_points / 72, 0, axes.figure.dpi_scale_trans)
    bars = axes.errorbar(
        row["generation"],
        row["median"],
        [row["median"] - row["q25"], row["q75"] - row["median"]],
        color=ROLE_COLOUR[role],
        marker=marker,
        mfc=ROLE_COLOUR[role] if marker == "o" else "white",
        ms=5,
        lw=1,
        ls="none",
        transform=axes.transData + shift,
        label=label,
    )
    bars.lines[0].set_gid(gid)


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
    for level in sorted(set(table["chance"])):
        axes.axhline(level, color=GREY, lw=0.7, label=f"chance, {100 * level:.3g} %", gid="chance")
    held_out = table[(table["role"] == "held_out") & (table["task"] != "all")]
    for level, of_level in held_out.groupby("fixed_policy_level"):
        names = ", ".join(dict.fromkeys(of_level["task"]))
        axes.axhline(
            level,
            color=GREY,
            lw=1,
            ls="--",
            label=f"best fixed policy,\n{names}: {100 * level:.3g} %",
            gid="fixed-policy",
        )


def _controls(axes: Any, controls: pd.DataFrame) -> None:
    """Markers at the first and the last generation that has a control, beside the line's end."""
    for (condition, role), shift in SHIFT_POINTS.items():
        found = controls[(controls["condition"] == condition) & (controls["role"] == role)]
        label: str | None = f"{CONDITION_LABEL[condition]},\n{ROLE_LABEL[role]}"
        marker, gid = CONDITION_MARKER[condition], f"{role}-{condition}"
        if len(found) > 1:
            _point(axes, found.head(1), role, marker, -shift, None, gid)
        if len(found):
            _point(axes, found.tail(1), role, marker, shift, label, gid)


def _frame(axes: Any, table: pd.DataFrame) -> None:
    first, last = table["generation"].min(), table["generation"].max()
    free = max(last - first, 1) * MARGIN / (1 - 2 * MARGIN)
    axes.set_xlim(first - free, last + free)
    plastic = table["condition"] == "plastic"
    drawn = [
        table.loc[table["task"] == "all", "q25"],
        table.loc[plastic & (table["role"] == "held_out"), "median"],
        pd.Series([0.41]),  # chance in view, with room below it
    ]
    axes.set_ylim(pd.concat(drawn).min() - 0.03, 1.015)
    ticks = MaxNLocator(6, integer=True, steps=[1, 2, 2.5, 5, 10]).tick_values(first, last)
    axes.set_xticks([tick for tick in ticks if first <= tick <= last])
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, symbol=" %"))
    axes.set_xlabel("generation")
    axes.set_ylabel("accuracy within a lifetime")
