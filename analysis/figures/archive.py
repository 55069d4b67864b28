"""The archive of a run whose search illuminates behaviour, as a map, coloured by fitness."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.figures.style import (
    caption_inches,
    drawing,
    footer,
    save_figure,
    write_caption,
    write_csv,
)
from analysis.store import RunRecords
from evoplastic.checks import UsageError
from evoplastic.reading import parse_object, read_text
from evoplastic.records.names import ARCHIVE_NAME

MAP_INCHES = (6.0, 4.2)
EMPTY = "#E5E5E5"
ALONE: dict[str, Any] = {"lower": 0.0, "upper": 1.0, "bins": 1}  # across a single descriptor


def archive_table(records: RunRecords) -> tuple[pd.DataFrame, list[dict[str, Any]], int] | None:
    """A row for each elite, the axes, and the generation; None where a run keeps no archive.

    Raises:
        UsageError: a damaged file.
    """
    path = records.directory / ARCHIVE_NAME
    if not path.is_file():
        return None
    told = parse_object(read_text(path, "archive"), str(path))
    try:
        axes = list(told["axes"])
        rows = [
            {
                **{f"cell_{at}": int(each["cell"][at]) for at in range(len(axes))},
                **{axes[at]["name"]: float(each["behaviour"][at]) for at in range(len(axes))},
                "loss": float(each["loss"]),
                "genome": str(each["genome"])[:16],
            }
            for each in told["elites"]
        ]
        columns = [f"cell_{at}" for at in range(len(axes))]
        columns += [str(axis["name"]) for axis in axes] + ["loss", "genome"]
        return pd.DataFrame(rows, columns=columns), axes, int(told["generation"])
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise UsageError(f"{path} holds no archive ({error}); restore the file") from error


def figure_archive(records: RunRecords) -> Figure | None:
    """The loss of the best elite in each cell along the first two descriptors, if there is any."""
    found = archive_table(records)
    if found is None:
        return None
    table, axes, generation = found
    x_axis = axes[0]
    y_axis = axes[1] if len(axes) > 1 else ALONE
    loss_YX = np.full((int(y_axis["bins"]), int(x_axis["bins"])), np.nan)
    for row in table.sort_values("loss", ascending=False).to_dict("records"):
        loss_YX[row["cell_1"] if len(axes) > 1 else 0, row["cell_0"]] = row["loss"]
    cells = int(np.prod([int(axis["bins"]) for axis in axes]))
    caption = (
        f"Elites of generation {generation}: {len(table)} of {cells} cells have one. Colour: loss "
        "of a cell's elite in that generation, darker is better; grey: none."
        + (" The best along all further descriptors." if len(axes) > 2 else "")
        + " What lies beyond an axis is in its outermost cells."
    )
    width, height = MAP_INCHES
    bottom = caption_inches(caption, width)
    with drawing():
        figure = Figure(figsize=(width, height + bottom))
        place = (
            0.13,
            (bottom + 0.55) / (height + bottom),
            0.8,
            (height - 0.75) / (height + bottom),
        )
        ax = figure.add_axes(place)
        ax.set_facecolor(EMPTY)
        x, y = (
            np.linspace(float(axis["lower"]), float(axis["upper"]), int(axis["bins"]) + 1)
            for axis in (x_axis, y_axis)
        )
        mesh = ax.pcolormesh(x, y, np.ma.masked_invalid(loss_YX), cmap="viridis", rasterized=False)
        mesh.set_gid("archive")
        if len(table):
            figure.colorbar(mesh, ax=ax, label="loss")
        ax.set_xlabel(_label(x_axis))
        if len(axes) > 1:
            ax.set_ylabel(_label(y_axis))
        else:
            ax.set_yticks([])
        write_caption(figure, caption, footer([records]), bottom)
    return figure


def _label(axis: dict[str, Any]) -> str:
    """What it is called, its group of tasks and its unit."""
    name, _, group = str(axis["name"]).partition("@")
    words = name.replace("_", " ") + (f" on {group.replace('_', ' ')}" if group else "")
    return f"{words} ({axis['unit']})"


def write_figures_archive(records: RunRecords, directory: Path) -> list[Path]:
    """The map and its numbers, of a run that keeps an archive."""
    figure, found = figure_archive(records), archive_table(records)
    if figure is None or found is None:
        return []
    stem = directory / "archive"
    return [*save_figure(figure, stem), write_csv(found[0], stem)]
