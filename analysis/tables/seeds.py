"""The final table of several seeds for a terminal."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table

from analysis.generalization import ROLES
from analysis.measures import ACCURACY, Measure, is_self_paced
from analysis.tables.pairs import pair_sentences_of_seeds
from analysis.tables.self_paced import (
    Show,
    below,
    cell,
    level_columns,
    level_sentences,
    measure_table,
    shown_measures,
    span,
)

if TYPE_CHECKING:
    from analysis.seeds import SeedsReport

CONTROLS_MEAN = (
    "Controls: the same networks with plasticity off, and random genomes with plasticity on."
)


def format_seeds_table(report: SeedsReport) -> RenderableType:
    """`seeds_table` for a terminal: held-out tasks first and marked."""
    seeds = f"seeds {', '.join(str(run.seed) for run in report.runs)}"
    shown: RenderableType
    if is_self_paced(report.table):
        shown = _format_self_paced(report.table, seeds)
    else:
        shown = _format_fixed_timing(report.table, seeds)
    pairs = pair_sentences_of_seeds(report.runs)
    return Group(shown, below(pairs)) if pairs else shown


def _format_self_paced(table: pd.DataFrame, seeds: str) -> Group:
    """Accuracy and reward, a table each."""
    plastic = table[table["condition"] == "plastic"]
    parts = [
        measure_table(measure, plastic, seeds, _self_paced_columns(measure, table))
        for measure in shown_measures(plastic)
    ]
    sentences = [
        "Mean over lifetimes, then mean (smallest to largest) over seeds; rewards summed within a "
        "trial.",
        *level_sentences(plastic),
        f"{CONTROLS_MEAN} Their numbers are means over seeds.",
    ]
    return Group(*parts, below(sentences))


def _self_paced_columns(measure: Measure, table: pd.DataFrame) -> dict[str, Show]:
    columns: dict[str, Show] = {
        f"\n{measure.name}": lambda row: _spread(measure, table, row["task"], "plastic")
    }
    if measure is ACCURACY:
        columns["above\nfixed"] = lambda row: cell(ACCURACY, row["above_fixed_policy"])
    return columns | {
        **level_columns(measure, table),
        "plast.\noff": lambda row: _mean(measure, table, row["task"], "plasticity_off"),
        "random\ngenome": lambda row: _mean(measure, table, row["task"], "random_genome"),
    }


def _format_fixed_timing(table: pd.DataFrame, seeds: str) -> Table:
    shown = Table(
        title=f"Percent correct at the end of a lifetime of learning; {seeds}",
        title_justify="left",
        caption="Mean over lifetimes, then mean (smallest to largest) over seeds. Above fixed: "
        f"percent of lifetimes that beat the best fixed policy. {CONTROLS_MEAN}",
        caption_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
    )
    columns: dict[str, Callable[[pd.Series], str]] = {
        "accuracy": lambda row: _spread(ACCURACY, table, row["task"], "plastic"),
        "above\nfixed": lambda row: cell(ACCURACY, row["above_fixed_policy"]),
        "fixed\npolicy": lambda row: cell(ACCURACY, row["fixed_policy_level"]),
        "chance": lambda row: cell(ACCURACY, row["chance"]),
        "plasticity off": lambda row: _spread(ACCURACY, table, row["task"], "plasticity_off"),
        "random genome": lambda row: _spread(ACCURACY, table, row["task"], "random_genome"),
    }
    shown.add_column("task", no_wrap=True)
    for heading in columns:
        shown.add_column(heading, justify="right", no_wrap=True)
    plastic = table[table["condition"] == "plastic"]
    for role in reversed(ROLES):
        for _, row in plastic[plastic["role"] == role].iterrows():
            name = f"{row['task']} (held out)" if role == "held_out" else row["task"]
            shown.add_row(
                name,
                *(show(row) for show in columns.values()),
                style="bold" if role == "held_out" else None,
            )
        shown.add_section()
    return shown


def _spread(measure: Measure, table: pd.DataFrame, task: str, condition: str) -> str:
    found = table[(table["task"] == task) & (table["condition"] == condition)]
    if not len(found):
        return "-"
    low, high = (found[measure.column(name)].iloc[0] for name in ("low", "high"))
    return f"{_mean(measure, table, task, condition)} ({span(measure, low, high)})"


def _mean(measure: Measure, table: pd.DataFrame, task: str, condition: str) -> str:
    found = table[(table["task"] == task) & (table["condition"] == condition)]
    return cell(measure, found[measure.column("mean")].iloc[0]) if len(found) else "-"
