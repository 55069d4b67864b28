"""A comparison by a setting, for a terminal: what each value reaches, and every difference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from analysis.measures import ACCURACY, Measure
from analysis.negations import is_one_pair, negations_phrase
from analysis.tables.self_paced import below, cell, span

if TYPE_CHECKING:
    from analysis.effects.groups import Compared
    from analysis.effects.report import EffectsReport

LEVEL = 0.05  # below which a p is commonly asked to lie


def format_effects(report: EffectsReport) -> RenderableType:
    """Both tables, and the sentences without which they would mislead."""
    return Group(_settings(report), _differences(report), below(sentences(report)))


def _settings(report: EffectsReport) -> Table:
    compared = report.compared
    measure = compared.measure
    shown = _table(
        f"{_unit(measure)} on {', '.join(compared.tasks[:6])}"
        + (f" and {len(compared.tasks) - 6} more" if len(compared.tasks) > 6 else "")
        + f", {_when(compared)}"
    )
    ability = is_one_pair(compared.tasks, compared.pairs)
    shown.add_column("setting", overflow="fold")
    bias = [name for name in report.groups.columns if name.startswith("bias_size ")]
    headings = ["seeds", "ability" if ability else "mean", f"{report.confidence:.0%}", "range"]
    for name in [*headings, *map(_heading, bias), "fixed\npolicy", "chance"]:
        shown.add_column(Text(name), justify="right")
    for _, row in report.groups.iterrows():
        shown.add_row(
            Text(str(row["setting"])),
            str(row["seeds"]),
            _fine(measure, row["mean"]),
            f"{_fine(measure, row['low'])} to {_fine(measure, row['high'])}",
            span(measure, row["smallest"], row["largest"]),
            *(_fine(measure, row[name]) for name in bias),
            cell(measure, row["fixed_policy"]),
            cell(measure, row["chance"]),
        )
    return shown


def _differences(report: EffectsReport) -> Table:
    measure = report.compared.measure
    shown = _table(
        "Differences, second minus first" + (", percent points" if measure is ACCURACY else "")
    )
    shown.add_column("first", overflow="fold")
    shown.add_column("second", overflow="fold")
    bias = [name for name in report.effects.columns if name.startswith("bias_size ")]
    headings = ["seeds", "difference", f"{report.confidence:.0%}", "p", "p (Holm)"]
    for name in [*headings, *map(_heading, bias)]:
        shown.add_column(Text(name), justify="right")
    for _, row in report.effects.iterrows():
        shown.add_row(
            Text(str(row["first"])),
            Text(str(row["second"])),
            f"{row['seeds']} {'pairs' if row['paired'] else 'unpaired'}",
            _signed(measure, row["difference"]),
            f"{_signed(measure, row['low'])} to {_signed(measure, row['high'])}",
            f"{row['p']:.2g}",
            f"{row['p_holm']:.2g}",
            *(_signed(measure, row[name]) for name in bias),
        )
    return shown


def sentences(report: EffectsReport) -> list[str]:
    """How to read the tables, and what they cannot say."""
    compared, effects = report.compared, report.effects
    found = [
        "Seeds are the replicates; intervals are bootstraps over them, p is two-sided, of "
        + ("sign flips of the pairs" if effects["paired"].all() else "permutations")
        + (
            f", and corrected for {len(effects)} comparisons."
            if len(effects) > 1
            else "; one comparison needs no correction."
        )
    ]
    smallest = effects["smallest_p"].max()
    if smallest * len(effects) > LEVEL:
        found.append(
            f"So few seeds cannot give a p below {smallest:.2g}"
            + (f", or {min(1.0, smallest * len(effects)):.2g} corrected" * (len(effects) > 1))
            + ": read the intervals and the points, or evolve more seeds."
        )
    if compared.averaged_over:
        found.append(f"Averaged within each seed over {', '.join(compared.averaged_over)}.")
    if compared.pairs:
        found.append(f"{negations_phrase(compared.pairs)} |bias|: its size, mean over seeds.")
    return found


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False,
                 padding=(0, 1, 0, 0))  # fmt: skip


def _heading(column: str) -> str:
    return f"|bias|\n{column.removeprefix('bias_size ')}"


def _unit(measure: Measure) -> str:
    return "Percent correct" if measure is ACCURACY else "Reward of a trial"


def _when(compared: Compared) -> str:
    if compared.generation is None:
        return "last evaluation of each run"
    return f"generation {compared.generation}"


def _fine(measure: Measure, value: float) -> str:
    if pd.isna(value):
        return "-"
    return f"{100 * value:.1f}" if measure is ACCURACY else f"{value:.3f}"


def _signed(measure: Measure, value: float) -> str:
    """A difference with its sign; none for one that rounds to nothing."""
    text = _fine(measure, value)
    if text.strip("-0.") == "":
        return text.lstrip("-") or "-"
    return text if text.startswith("-") else f"+{text}"
