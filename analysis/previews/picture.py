"""What pictures of tasks have in common: heads, names of lines, scales, and files."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, MultipleLocator

from analysis.figures.style import GREY, drawing
from evoplastic.checks import require
from evoplastic.storage import write_atomically
from evoplastic.types import Interface

TARGET = "#D55E00"
MAX_NAMES = 8  # rows that are called by name each; more are called by groups, or numbered


class Words(NamedTuple):
    """What a picture calls a task and its lines; without names lines are numbered."""

    description: str = ""
    inputs: Sequence[str] = ()
    actions: Sequence[str] = ()


def head(figure: Any, task: str, description: str) -> None:
    """The task's name, and below it what it is."""
    width, height = figure.get_size_inches()
    most = int((width - 0.4) / 0.062)
    short = description if len(description) <= most else f"{description[: most - 1].rstrip()}…"
    figure.text(0.2 / width, 1 - 0.12 / height, task, va="top", fontsize=11, weight="bold")
    figure.text(0.2 / width, 1 - 0.36 / height, short, va="top", fontsize=8, color=GREY)


def write_picture(figure: Figure, path: Path) -> Path:
    """Write a picture into a file, whole or not at all; its ending says which format.

    Raises:
        UsageError: an ending that matplotlib does not know.
        EnvironmentFault: the file cannot be written.
    """
    known = figure.canvas.get_supported_filetypes()
    ending = path.suffix.removeprefix(".")
    require(
        ending in known, f"cannot draw a {path.name!r}, expected an ending such as .png or .svg"
    )
    drawn = io.BytesIO()
    with drawing():
        figure.savefig(drawn, format=ending)
    write_atomically(path, drawn.getvalue())
    return path


def sizes(interface: Interface) -> str:
    """Channels and actions in words."""
    plural = "" if interface.num_inputs == 1 else "s"
    return f"{interface.num_inputs} input{plural}, {interface.num_outputs} actions"


def name_rows(axes: Any, what: str, rows: int, names: Sequence[str]) -> None:
    """Call rows by their names, many rows by those of their groups; nameless rows are numbered."""
    labels = row_labels(rows, names)
    if labels:
        places, words = zip(*labels, strict=True)
        axes.set_yticks(places, words, fontsize=8)
        axes.set_ylabel(what)
    elif rows <= MAX_NAMES:
        axes.set_yticks(range(rows))
        axes.set_ylabel(what)
    else:
        axes.yaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.set_ylabel(f"{what} line" if what == "input" else what)


def row_labels(rows: int, names: Sequence[str]) -> list[tuple[float, str]]:
    """Where names stand: at each of a few rows, or in the middle of a group of many.

    >>> row_labels(3, ["fixation", "match", "non-match"])
    [(0.0, 'fixation'), (1.0, 'match'), (2.0, 'non-match')]
    >>> row_labels(17, ["fixation", *(f"choice {number}" for number in range(1, 17))])
    [(0.0, 'fixation'), (8.5, 'choice 1-16')]
    """
    if len(names) != rows or all(name.isdecimal() for name in names):
        return []
    if rows <= MAX_NAMES:
        return [(float(row), name) for row, name in enumerate(names)]
    groups: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        word, _, number = name.rpartition(" ")
        groups.setdefault(word if word and number.isdecimal() else name, []).append(row)
    if len(groups) > MAX_NAMES:
        return []
    return [
        (sum(where) / len(where), f"{group} 1-{len(where)}" if len(where) > 1 else group)
        for group, where in groups.items()
    ]


def time_ticks(longest_s: float) -> MultipleLocator:
    """Ticks at the same round distance on every panel, about five on the longest."""
    rough = longest_s / 5
    power = 10.0 ** np.floor(np.log10(rough))
    return MultipleLocator(float(power * next(n for n in (1, 2, 5, 10) if n * power >= rough)))


def colour_bar(figure: Any, axes: Any, image: Any, label: str) -> None:
    """A narrow scale to the right of the axes."""
    box = axes.get_position()
    width = figure.get_size_inches()[0]
    place = figure.add_axes((box.x1 + 0.1 / width, box.y0, 0.09 / width, box.height))
    bar = figure.colorbar(image, cax=place)
    bar.set_label(label, labelpad=1)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=7)
