"""Held-out tasks by group for a terminal, below the table of tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.table import Table

from analysis.groups import GROUP, groups_table
from analysis.measures import MEASURES, REWARD, Measure
from analysis.tables.self_paced import MEASURE_TITLE, Show, cell, has_regret, level_columns, span

if TYPE_CHECKING:
    from analysis.store import RunRecords


def format_groups(runs: Sequence[RunRecords]) -> list[Table]:
    """A table for each measure that is judged by levels; none of a run without groups."""
    table = groups_table(runs)
    return [
        _format(measure, table, len(runs))
        for measure in MEASURES
        if table[measure.column("mean")].notna().any()
        and (measure is not REWARD or table[REWARD.chance].notna().any())
    ]


def _format(measure: Measure, table: pd.DataFrame, runs: int) -> Table:
    over = "seeds" if runs > 1 else "tasks"
    shown = Table(
        title=f"Held-out tasks by group: {MEASURE_TITLE[measure.name].lower()}",
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
    )

    def control(row: pd.Series, condition: str) -> str:
        found = table[(table[GROUP] == row[GROUP]) & (table["condition"] == condition)]
        return cell(measure, found[measure.column("mean")].iloc[0]) if len(found) else "-"

    def share(row: pd.Series) -> str:
        return cell(measure, row["regret_share"])

    columns: dict[str, Show] = {
        "\ntasks": lambda row: str(row["tasks"]),
        f"\n{measure.name}": lambda row: cell(measure, row[measure.column("mean")]),
        f"range\nof {over}": lambda row: span(
            measure, row[measure.column("low")], row[measure.column("high")]
        ),
        **level_columns(measure, table),
        **({"\nshare": share} if has_regret(measure, table) else {}),
        "plast.\noff": lambda row: control(row, "plasticity_off"),
        "random\ngenome": lambda row: control(row, "random_genome"),
    }
    shown.add_column("\ngroup", overflow="fold")
    for heading in columns:
        shown.add_column(heading, justify="right", no_wrap=True)
    for _, row in table[table["condition"] == "plastic"].iterrows():
        shown.add_row(row[GROUP], *(show(row) for show in columns.values()), style="bold")
    return shown
