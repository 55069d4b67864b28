"""Figures of what is answered: learning by kind of trial, choice by target, psychometrics."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, PercentFormatter

from analysis.figures.inside.sheet import Drawn, colour_bar, sheet, source_of
from analysis.figures.style import COLOURS, GREY, drawing
from analysis.inside.behaviour import (
    PARTS,
    choice_matrix,
    curves_by_kind,
    parts_of,
    psychometric,
)

PANEL = (2.3, 1.7)  # inches
MOST_WRITTEN = 4  # actions of a matrix whose shares are written in
PART_LOOK: dict[str, dict[str, Any]] = {
    "first": {"ls": (0, (3, 1.5)), "mfc": "white", "ms": 4.5},
    "last": {"ls": "-", "ms": 4.5},
}


def figure_curves_by_kind(evaluation: Any) -> Drawn:
    """Share of correct trials along a lifetime: a panel for each task, a line for each kind of
    trial; thin and dotted with plasticity off.

    Args:
        evaluation: of `ep.evaluate(..., choices=True)`.
    """
    table = curves_by_kind(evaluation)
    labels = list(dict.fromkeys(table["label"]))
    colours = colours_of(len(labels))
    tasks = [str(task) for task in evaluation["task"].values]
    scored = int(evaluation.attrs["scored_trials"])
    caption = (
        f"Correct trials along a lifetime for each kind of trial{_shown(labels)}, "
        f"moving average over 1/16 of a lifetime, {evaluation.sizes['life']} lifetimes of each "
        f"task. Grey: the {scored} scored trials. Line across: chance."
    )
    handles = [
        Line2D([], [], color=colour, label=label)
        for label, colour in zip(labels, colours, strict=True)
    ]
    if (table["condition"] == "plasticity_off").any():
        handles.append(Line2D([], [], color=GREY, lw=0.8, ls=":", label="plasticity off"))
    with drawing():
        made = sheet(
            *_grid(len(tasks)), caption, source_of(evaluation), handles=handles, gap=(0.3, 0.7)
        )
        panels = [axes for row in made.axes for axes in row]
        for place, (axes, task) in enumerate(zip(panels, tasks, strict=False)):
            last = int(table["trial"].max())
            axes.axvspan(last - scored + 0.5, last + 0.5, color="#F0F0F0", lw=0)
            axes.axhline(float(evaluation["chance"].sel(task=task)), color=GREY, lw=0.8)
            for (condition, label), line in table[table.task == task].groupby(
                ["condition", "label"], sort=False
            ):
                off = condition == "plasticity_off"
                axes.plot(
                    line["trial"],
                    line["moving_average"],
                    color=colours[labels.index(label)],
                    lw=0.8 if off else 1.6,
                    ls=":" if off else "-",
                    gid=f"{condition}-{label}",
                )
            axes.set(title=task, xlim=(0, last + 0.5), ylim=(-0.02, 1.02), xlabel="trial")
            axes.yaxis.set_major_formatter(PercentFormatter(1.0, symbol=" %"))
            axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
            if place % len(made.axes[0]) == 0:
                axes.set_ylabel("correct")
            else:
                axes.tick_params(labelleft=False)
        for axes in panels[len(tasks) :]:
            axes.set_visible(False)
    return Drawn(made.figure, table)


def figure_choices(evaluation: Any) -> Drawn:
    """Action taken by action asked for: a row for each task, first and last trials beside.

    Args:
        evaluation: of `ep.evaluate(..., choices=True)`.
    """
    table = choice_matrix(evaluation)
    tasks = [str(task) for task in evaluation["task"].values]
    condition = str(evaluation["condition"].values[0])
    drawn = table[table["condition"] == condition]
    spans = parts_of(evaluation)
    size = 1.5 if drawn["choice"].nunique() <= MOST_WRITTEN else 2.2
    caption = (
        "Share of each action (columns) among the trials that asked for one (rows), in "
        f"{evaluation.sizes['life']} lifetimes of each task; a row adds up to 100 %. Left: the "
        f"first {spans['first'].stop} trials of a lifetime; right: the last "
        f"{spans['last'].stop - spans['last'].start}, which are scored."
        + (" none: no action was taken." if (drawn["choice"] < 0).any() else "")
    )
    with drawing():
        made = sheet(
            [size] * len(tasks), [size] * 2, caption, source_of(evaluation), right=0.8,
            gap=(0.7, 0.8),
        )  # fmt: skip
        for row, task in zip(made.axes, tasks, strict=True):
            for axes, part in zip(row, PARTS, strict=True):
                own = drawn[(drawn.task == task) & (drawn.part == part)]
                matrix = own.pivot(index="target", columns="choice", values="share")
                image = axes.imshow(matrix.to_numpy(), vmin=0, vmax=1, cmap="cividis")
                _name_actions(axes, matrix)
                axes.set(title=f"{task}, {part} trials", xlabel="action taken")
                if part == PARTS[0]:
                    axes.set_ylabel("action asked for")
            colour_bar(made, row[-1], image, "share of trials")
    return Drawn(made.figure, table)


def figure_psychometric(evaluation: Any, along: str = "kind") -> Drawn:
    """Share of each action along a property of trials, first trials (open) and last (filled).

    Of two actions the second is drawn alone.

    Args:
        evaluation: of `ep.evaluate(..., choices=True)`.
        along: `kind`, a stimulus, or a property that was assigned, as a coherence.
    """
    table = psychometric(evaluation, along)
    condition = str(evaluation["condition"].values[0])
    drawn = table[table["condition"] == condition]
    actions = sorted(drawn["choice"].unique())
    shown = actions[1:] if len(actions) == 2 else actions
    colours = colours_of(len(shown))
    tasks = [str(task) for task in evaluation["task"].values]
    by_stimuli = along == "kind" and bool(_shown(drawn["label"]))
    what = (
        "what the stimuli show, in order" if by_stimuli else along.replace("kind", "kind of trial")
    )
    caption = (
        f"Share of trials in which an action was taken, by {what}; mean and 95 % interval over "
        f"{evaluation.sizes['life']} lifetimes (Student's t). Dashed, open: first trials; solid: "
        "scored trials at the end of the lifetime."
    )
    handles = [
        Line2D([], [], color=colour, marker="o", label=f"action {action}, {part} trials",
               **PART_LOOK[part])
        for action, colour in zip(shown, colours, strict=True)
        for part in PARTS
    ]  # fmt: skip
    with drawing():
        made = sheet(
            *_grid(len(tasks)), caption, source_of(evaluation), handles=handles, gap=(0.3, 0.8)
        )
        panels = [axes for row in made.axes for axes in row]
        for place, (axes, task) in enumerate(zip(panels, tasks, strict=False)):
            own = drawn[drawn.task == task]
            for action, colour in zip(shown, colours, strict=True):
                for part in PARTS:
                    line = own[(own.choice == action) & (own.part == part)]
                    x = np.arange(len(line)) if along == "kind" else line[along]
                    spread = [line["share"] - line["low"], line["high"] - line["share"]]
                    axes.errorbar(
                        x, line["share"], yerr=np.nan_to_num(spread), color=colour, marker="o",
                        lw=1.2, **PART_LOOK[part],
                    )  # fmt: skip
                    if along == "kind":
                        axes.set_xticks(x, line["label"], rotation=0 if len(line) < 7 else 90)
            axes.set(title=task, ylim=(-0.04, 1.04), xlabel=what)
            axes.yaxis.set_major_formatter(PercentFormatter(1.0, symbol=" %"))
            if place % len(made.axes[0]) == 0:
                axes.set_ylabel("taken")
            else:
                axes.tick_params(labelleft=False)
        for axes in panels[len(tasks) :]:
            axes.set_visible(False)
    return Drawn(made.figure, table)


def _shown(labels: Iterable[str]) -> str:
    """What the names of kinds of trial mean, where they are not numbers of kinds."""
    told = not any(label.startswith("kind") for label in labels)
    return " (what its stimuli show, in order)" if told else ""


def _grid(panels: int) -> tuple[list[float], list[float]]:
    columns = min(panels, 3)
    return [PANEL[1]] * -(-panels // columns), [PANEL[0]] * columns


def colours_of(number: int) -> list[Any]:
    """As many colours: those of Okabe and Ito, a scale where they do not suffice."""
    if number <= len(COLOURS):
        return list(COLOURS[:number])
    return [colormaps["viridis"](place) for place in np.linspace(0, 0.95, number)]


def _name_actions(axes: Any, matrix: Any) -> None:
    names = ["none" if action < 0 else str(action) for action in matrix.columns]
    every = max(1, len(names) // 10)
    axes.set_xticks(range(0, len(names), every), names[::every])
    axes.set_yticks(range(0, len(matrix), every), [str(each) for each in matrix.index[::every]])
    if len(names) > MOST_WRITTEN:
        return
    for row, values in enumerate(matrix.to_numpy()):
        for column, value in enumerate(values):
            if not np.isnan(value):
                axes.text(
                    column, row, f"{value:.0%}", ha="center", va="center", fontsize=8,
                    color="black" if value > 0.5 else "white",
                )  # fmt: skip
