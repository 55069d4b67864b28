"""The tree of environments: from birth to archive, who solved them, and genomes that moved."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.environments.reading import Evolved, tree_order
from analysis.figures.style import (
    COLOURS,
    GREY,
    caption_inches,
    drawing,
    footer,
    write_caption,
)
from analysis.store import RunRecords

WIDTH, ROW, LEAST = 7.0, 0.17, 1.6  # inches
MOST_NAMED = 80  # rows; more of them would be too close for names
OWN, OTHER, MOVED = COLOURS[0], COLOURS[1], COLOURS[2]


def figure_tree(records: RunRecords, evolved: Evolved) -> Figure:
    """A line for each environment, beneath its parent's."""
    table = evolved.environments.set_index("environment")
    order = tree_order(evolved.environments)
    row = {name: place for place, name in enumerate(order)}
    end = max([event.generation + 1 for event in records.generations], default=1)
    moved = evolved.transfers[evolved.transfers.accepted & (evolved.transfers.kind != "birth")]
    solved = int(table.solved.notna().sum())
    counted = int((table.counts & table.solved.notna()).sum())
    caption = (
        f"{len(table)} environments, each a line from birth to archive (or to now), below "
        f"the one it is a mutant of; {solved} were solved. Circle: when a genome first solved it, "
        "filled if the environment counts for ANNECS "
        f"({counted} do); beside it the environment whose genome that was, if not its own. Arrows: "
        f"genomes that moved ({len(moved)})."
    )
    bottom = caption_inches(caption, WIDTH)
    height = max(ROW * len(order), LEAST)
    with drawing():
        figure = Figure(figsize=(WIDTH, height + bottom + 0.75))
        total = height + bottom + 0.75
        ax = figure.add_axes((0.09, (bottom + 0.5) / total, 0.88, height / total))
        for name in order:
            _line(ax, name, table.loc[name], row, end)
        _arrows(ax, moved, row)
        ax.set_ylim(len(order) - 0.4, -0.6)
        ax.set_xlim(-0.01 * end, 1.04 * end)
        ax.set_xlabel("generation")
        named = len(order) <= MOST_NAMED
        ax.set_yticks(range(len(order)) if named else [])
        if named:
            ax.set_yticklabels(order, fontsize=6.5)
        ax.spines["left"].set_visible(False)
        ax.tick_params(axis="y", length=0)
        ax.legend(handles=_legend(), loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=4)
        write_caption(figure, caption, footer([records]), bottom)
    return figure


def _line(ax: Axes, name: str, each: Any, row: dict[str, int], end: int) -> None:
    y, stop = row[name], end if pd.isna(each.retired) else each.retired
    ax.plot([each.born, stop], [y, y], color=GREY, lw=1.2, solid_capstyle="butt", gid=name)
    if isinstance(each.parent, str):
        ax.plot([each.born, each.born], [row[each.parent], y], color=GREY, lw=0.6)
    if pd.isna(each.solved):
        return
    own = each.solver == name
    colour = OWN if own else OTHER
    ax.plot(
        each.solved, y, "o", ms=4.5, mec=colour, mfc=colour if each.counts else "white", zorder=3
    )
    if not own:
        ax.annotate(
            str(each.solver), (each.solved, y), (4, 0), textcoords="offset points",
            fontsize=5.5, color=OTHER, va="center", zorder=3,
        )  # fmt: skip


def _arrows(ax: Axes, moved: pd.DataFrame, row: dict[str, int]) -> None:
    for each in moved.itertuples():
        ax.annotate(
            "", (each.generation, row[each.target]), (each.generation, row[each.source]),
            arrowprops={"arrowstyle": "->", "color": MOVED, "lw": 0.8, "shrinkA": 0, "shrinkB": 1},
        )  # fmt: skip


def _legend() -> list[Line2D]:
    return [
        Line2D([], [], color=OWN, marker="o", ls="", ms=4.5, label="solved by its own genome"),
        Line2D([], [], color=OTHER, marker="o", ls="", ms=4.5, label="by another's"),
        Line2D([], [], color=GREY, marker="o", mfc="white", ls="", ms=4.5, label="does not count"),
        Line2D([], [], color=MOVED, marker=">", ms=4, lw=0.8, label="genome moved"),
    ]
