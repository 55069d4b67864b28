"""Scores of streams for a terminal, below the table of tasks."""

from __future__ import annotations

import math

from rich.box import SIMPLE_HEAD
from rich.table import Table

from analysis.store import RunRecords
from analysis.streams import SCORES, scores_table


def format_streams(run: RunRecords) -> list[Table]:
    """A row for each stream under each condition; no table of a run without streams."""
    table = scores_table(run)
    if table.empty:
        return []
    shown = Table(
        title="Streams: share of right probes, means over lifetimes, in percent",
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
        caption="Retention: of tasks taught before, after other parts. Forgetting: the best since "
        "it was taught, less that. docs/streams.md has all definitions.",
        caption_justify="left",
    )
    shown.add_column("stream", overflow="fold")
    shown.add_column("condition", overflow="fold")
    for name in SCORES:
        shown.add_column(name.replace("_", "\n"), justify="right", no_wrap=True)
    for row in table.to_dict("records"):
        held_out = " (held out)" if row["role"] == "held_out" else ""
        cells = ["-" if math.isnan(row[name]) else f"{100 * row[name]:.0f}" for name in SCORES]
        style = "bold" if row["condition"] == "plastic" else None
        name = f"{row['stream']}{held_out}"
        shown.add_row(name, row["condition"].replace("_", " "), *cells, style=style)
    return [shown]
