"""Whose descendants are kept: the share of each founder by generation."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from analysis.figures.style import (
    COLOURS,
    caption_inches,
    drawing,
    footer,
    write_caption,
)
from analysis.store import RunRecords

INCHES = (6.4, 3.6)
ABOVE = 0.75  # inches over the axes, for the legend
OTHERS = "#BBBBBB"
NAMED = len(COLOURS) - 1  # founders with a colour of their own; black is the champion's


def figure_founders(records: RunRecords, table: pd.DataFrame) -> Figure:
    """Shares of founders in those who are kept, stacked.

    Args:
        records: of the run.
        table: of `analysis.lineage.pedigree.founder_shares`.
    """
    wide, colours = _wide(table), colours_of(table)
    last = wide.iloc[-1]
    named = [founder for founder in colours if colours[founder] != OTHERS]
    others = [founder for founder in wide.columns if founder not in named]
    layers = [wide[founder].to_numpy() for founder in named]
    labels, shades = [name_of(each, colours) for each in named], [colours[each] for each in named]
    if others:
        layers.append(wide[others].sum(axis=1).to_numpy())
        labels.append(name_of(others[0], colours))
        shades.append(OTHERS)
    caption = (
        "Share of each founder in the individuals kept after a generation. Of the "
        f"{len(wide.columns)} with a share at any time {int((last > 0).sum())} have one after "
        f"generation {wide.index[-1]}. A child counts for its parents by the share of its numbers "
        "that is from each, whichever numbers these are. Founders are those without a parent that "
        "is recorded, as all of the first population."
    )
    width, height = INCHES
    below = caption_inches(caption, width)
    with drawing():
        figure = Figure(figsize=(width, height + below))
        box = (
            *(0.11, (below + 0.5) / (height + below)),
            *(0.85, (height - 0.5 - ABOVE) / (height + below)),
        )
        axes = figure.add_axes(box)
        stack = axes.stackplot(
            _edges(wide.index.to_numpy()),
            [np.repeat(layer, 2) for layer in layers],
            labels=labels,
            colors=shades,
            lw=0,
        )
        for layer, label in zip(stack, labels, strict=True):
            layer.set_gid(label.replace(" ", "-"))
        axes.set(xlabel="generation", ylabel="share of those kept", ylim=(0, 1))
        axes.set_xlim(wide.index[0] - 0.5, wide.index[-1] + 0.5)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, symbol=" %"))
        figure.legend(loc="upper center", ncols=4)
        write_caption(figure, caption, footer([records]), below)
    return figure


def colours_of(table: pd.DataFrame) -> dict[int, str]:
    """A colour for each founder, by its share at the end; beyond the named ones all are grey.

    Args:
        table: of `analysis.lineage.pedigree.founder_shares`.
    """
    wide = _wide(table)
    weight = wide.iloc[-1] + 1e-6 * wide.mean()  # those that are gone, by how much there was
    ordered = weight.sort_values(ascending=False, kind="stable").index
    return {int(who): COLOURS[at] if at < NAMED else OTHERS for at, who in enumerate(ordered)}


def _wide(table: pd.DataFrame) -> pd.DataFrame:
    """A row for each generation, a column for each founder."""
    return table.pivot_table(index="generation", columns="founder", values="share", fill_value=0.0)


def name_of(founder: int, colours: Mapping[int, str]) -> str:
    """What a founder is called in a legend."""
    if colours[founder] == OTHERS:
        number = sum(colour == OTHERS for colour in colours.values())
        return f"{number} others" if number > 1 else "another one"
    return f"founder {founder}"


def _edges(generations: np.ndarray) -> np.ndarray:
    """A generation is half a step to both sides wide."""
    return np.stack([generations - 0.5, generations + 0.5], axis=1).reshape(-1)
