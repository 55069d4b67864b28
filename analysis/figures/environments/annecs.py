"""ANNECS by generation, of a run or of several, with and without transfers beside each other."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from analysis.environments.reading import annecs_by_generation
from analysis.figures.style import COLOURS, caption_inches, drawing, footer, write_caption
from analysis.store import RunRecords

INCHES = (6.0, 3.4)
LOOK = {True: ("with transfers", COLOURS[0]), False: ("without transfers", COLOURS[1])}


def annecs_table(runs: Sequence[RunRecords]) -> pd.DataFrame:
    """A row for each run and generation; none of runs whose tasks do not evolve."""
    tables = [annecs_by_generation(run) for run in runs]
    return pd.concat(tables, ignore_index=True)


def figure_annecs(runs: Sequence[RunRecords], table: pd.DataFrame) -> Figure:
    """A thin line for each run, and a thick one for the mean of several of a kind."""
    counts = table.groupby("transfers").run.nunique().to_dict()
    told = " and ".join(
        f"{count} {LOOK[kind][0]}" for kind, count in sorted(counts.items(), reverse=True)
    )
    several = max(counts.values()) > 1
    caption = (
        "ANNECS: accumulated number of environments that were neither too easy nor too hard for "
        f"the best genome until then, when they were born, and later solved. Runs: {told}."
        + (" Thin: a run each; thick: their mean, as far as all have come." if several else "")
    )
    width, height = INCHES
    bottom = caption_inches(caption, width)
    with drawing():
        figure = Figure(figsize=(width, height + bottom))
        total = height + bottom
        ax = figure.add_axes((0.1, (bottom + 0.5) / total, 0.86, (height - 0.7) / total))
        for kind, (label, colour) in LOOK.items():
            of_kind = table[table.transfers == kind]
            wide = of_kind.pivot(index="generation", columns="run", values="annecs")
            for run in wide:
                ax.step(
                    wide.index, wide[run], where="post", color=colour, gid=str(run),
                    lw=0.8 if several else 1.6, alpha=0.6 if several else 1.0,
                    label=None if several else label,
                )  # fmt: skip
            if several and len(wide):
                mean = wide.dropna().mean(axis=1)
                ax.plot(mean.index, mean, color=colour, lw=2.2, label=label)
        ax.set_xlabel("generation")
        ax.set_ylabel("ANNECS (environments)")
        ax.set_ylim(bottom=0)
        ax.yaxis.set_major_locator(MaxNLocator(integer=True))
        ax.legend(loc="upper left")
        write_caption(figure, caption, footer(runs), bottom)
    return figure
