"""A grid with a panel for each task, held-out tasks first, readable for two tasks and for thirty.

Of more tasks the training tasks share a panel, and so does each large group of held-out ones.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from analysis.figures.style import ROLE_COLOUR, caption_inches, write_caption
from analysis.generalization import ROLES

Panel = tuple[str, str]  # role and task

MOST_PANELS = 30
LARGE_GROUP = 8  # of held-out tasks: a larger one has one panel where there are too many
MOST_IN_FOUR_COLUMNS = 16
PANEL_INCHES = (1.6, 1.2)
LEFT, RIGHT = 0.8, 0.2  # margins of the figure, inches
LABELS = 0.62  # under the lowest row, for its ticks and their name, inches
GAP_WIDE, GAP_WITH_TICKS, GAP_HIGH = 0.35, 0.62, 0.42  # before a panel, inches
TITLE_POINTS, SMALL_TITLE_POINTS = 10.0, 8.5
LINE_INCHES = 0.155  # a line of a title or of the legend
LEGEND_LINE_INCHES, LEGEND_CHARACTER_INCHES = 0.55, 0.061  # of an entry, at 8 points
MOST_LEGEND_COLUMNS = 4
CHARACTER = 0.62  # mean width of a character, of its height
MARK = "(held out)"


@dataclass(frozen=True)
class TaskGrid:
    """Axes by panel in the order of reading, below a legend."""

    figure: Figure
    axes: dict[Panel, Any]
    columns: int
    caption_inches: float

    def label(self, xlabel: str, ylabel: str) -> None:
        """Name the axes at the outer edges."""
        for place, axes in enumerate(self.axes.values()):
            if place % self.columns == 0:
                axes.set_ylabel(ylabel)
            if place + self.columns >= len(self.axes):
                axes.set_xlabel(xlabel)

    def write_caption(self, caption: str, footer: str) -> None:
        """Caption and footer below the panels."""
        write_caption(self.figure, caption, footer, self.caption_inches)


def panels_of(table: pd.DataFrame) -> list[Panel]:
    """Tasks of a table with columns role and task, held-out tasks first."""
    return [
        (role, task)
        for role in reversed(ROLES)
        for task in dict.fromkeys(table.loc[table["role"] == role, "task"])
    ]


def condensed(
    table: pd.DataFrame, by: Sequence[str], groups: Mapping[str, str]
) -> tuple[pd.DataFrame, str]:
    """A table of few panels, and a sentence about what they leave out; up to `MOST_PANELS` tasks
    stay as they are.

    Of more tasks, all training tasks become one, whose numbers are means over tasks,
    and so does each large group of held-out tasks. Where those that are left are still too many,
    the first ones stay.

    Args:
        table: columns role, task and numbers.
        by: columns that tell the rows of one task apart.
        groups: of held-out tasks.
    """
    panels = panels_of(table)
    if len(panels) <= MOST_PANELS:
        return table, ""
    group_of = {task: (role, groups.get(task, "")) for role, task in panels}
    large = [
        (role, group)
        for (role, group), count in Counter(group_of.values()).items()
        if role == "train" or (group and count > LARGE_GROUP)
    ]
    single = [task for task, group in group_of.items() if group not in large]
    parts = [table[table["task"].isin(single[:MOST_PANELS])]]
    for role, group in large:
        rows = table[[group_of[task] == (role, group) for task in table["task"]]]
        means = rows.groupby(list(by), sort=False, as_index=False).mean(numeric_only=True)
        name = f"{group or 'training tasks'}, mean of {rows['task'].nunique()}"
        parts.append(means.assign(role=role, task=name))
    left_out = len(single) - MOST_PANELS
    said = f" {left_out} more held-out tasks are not drawn." if left_out > 0 else ""
    return pd.concat(parts), (
        f"Panels named a mean have the mean over so many tasks of each number.{said} The CSV file "
        "has all tasks."
    )


def legend_columns(handles: Sequence[Any], width_inches: float) -> int:
    """Columns of a legend that fit a figure of this width, whatever the labels say."""
    longest = max(len(handle.get_label()) for handle in handles)
    column_inches = LEGEND_LINE_INCHES + longest * LEGEND_CHARACTER_INCHES
    return max(1, min(MOST_LEGEND_COLUMNS, int((width_inches - 0.2) / column_inches)))


def task_grid(
    panels: Sequence[Panel], handles: Sequence[Any], caption: str, *, share_y: bool
) -> TaskGrid:
    """An empty panel with its title for each task, and one legend above them.

    Args:
        panels: role and task of each panel, in order.
        handles: entries of the legend.
        caption: what will be written below, to leave space for it.
        share_y: whether all panels have one vertical scale, shown at the left alone.
    """
    columns = min(4 if len(panels) <= MOST_IN_FOUR_COLUMNS else 5, len(panels))
    gap = GAP_WIDE if share_y else GAP_WITH_TICKS
    inner = max(columns, 3) * (PANEL_INCHES[0] + gap) - gap
    panel_width = (inner - (columns - 1) * gap) / columns
    titles, points = panel_titles(panels, panel_width + 0.7 * gap)
    rows = [titles[first : first + columns] for first in range(0, len(panels), columns)]
    heads = [GAP_HIGH + LINE_INCHES * max(title.count("\n") for title in row) for row in rows]
    width = LEFT + RIGHT + inner
    legend_wide = legend_columns(handles, width)
    legend_rows = math.ceil(len(handles) / legend_wide)
    below = caption_inches(caption, width)
    top = 0.15 + legend_rows * LINE_INCHES
    height = top + sum(heads) + len(rows) * PANEL_INCHES[1] + LABELS + below
    figure = Figure(figsize=(width, height))
    figure.legend(handles=handles, loc="upper center", ncols=legend_wide, borderaxespad=0.3)
    axes: dict[Panel, Any] = {}
    first = None
    for place, panel in enumerate(panels):
        row, column = divmod(place, columns)
        bottom = height - top - sum(heads[: row + 1]) - (row + 1) * PANEL_INCHES[1]
        left = LEFT + column * (panel_width + gap)
        box = (left / width, bottom / height, panel_width / width, PANEL_INCHES[1] / height)
        axes[panel] = figure.add_axes(box, sharex=first, sharey=first if share_y else None)
        first = first or axes[panel]
        axes[panel].tick_params(
            labelbottom=place + columns >= len(panels), labelleft=column == 0 or not share_y
        )
        axes[panel].set_title(titles[place], fontsize=points, pad=4, **_title_look(panel[0]))
    return TaskGrid(figure, axes, columns, below)


def _title_look(role: str) -> dict[str, str]:
    if role == "held_out":
        return {"color": ROLE_COLOUR[role], "fontweight": "bold"}
    return {"color": "black"}


def panel_titles(panels: Sequence[Panel], inches: float) -> tuple[list[str], float]:
    """Names of tasks in lines that fit a panel of this width, and the size of all in points.

    >>> panel_titles([("held_out", "dms")], 1.8)
    (['dms (held out)'], 10.0)
    >>> panel_titles([("held_out", "yang19.ctxdlydm1"), ("train", "yang19.go")], 1.8)
    (['yang19.ctxdlydm1\\n(held out)', 'yang19.go'], 8.5)
    """
    marked = [f"{task} {MARK}" if role == "held_out" else task for role, task in panels]
    if max(map(len, marked)) <= _characters(inches, TITLE_POINTS):
        return marked, TITLE_POINTS
    most = _characters(inches, SMALL_TITLE_POINTS)
    return ["\n".join(_fold(name, most)) for name in marked], SMALL_TITLE_POINTS


def _characters(inches: float, points: float) -> int:
    return int(inches * 72 / (points * CHARACTER))


def _fold(name: str, most: int) -> list[str]:
    """Lines of at most `most` characters, broken after a mark or before a capital if possible."""
    pieces = re.findall(r"\(held out\)|[A-Z]*[^A-Z._:/\- ]*[._:/\- ]?", name)
    lines = [""]
    for piece in pieces:
        if lines[-1] and len(lines[-1]) + len(piece.rstrip()) > most:
            lines.append("")
        lines[-1] += piece
        while len(lines[-1].rstrip()) > most:
            lines[-1:] = [lines[-1][:most], lines[-1][most:]]
    return [line.rstrip() for line in lines]
