"""Leave one family out, for a terminal: each held-out task beside its levels, then training."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from analysis.families.table import FAMILY, families_table, training_table
from analysis.measures import ACCURACY, REWARD
from analysis.store import RunRecords
from analysis.tables.self_paced import cell, span

COLUMNS = ("seeds", "gen.", "first", "last", "over\nseeds", "above\nfixed", "fixed\npolicy",
           "\nchance", "plast.\noff", "random\ngenome", "\nreward", "of fixed\npolicy")  # fmt: skip


def format_families_table(runs: Sequence[RunRecords]) -> Table:
    """`families_table`: held-out tasks of each family, and the mean of its training tasks."""
    scored, trials = runs[0].scored_trials, runs[0].num_trials
    shown = Table(
        title="Leave one family out: percent correct in the first and last "
        f"{scored} of {trials} trials",
        title_justify="left",
        caption="Mean over lifetimes and seeds; over seeds: smallest to largest. Above fixed: "
        "percent of lifetimes more accurate than the best policy that ignores the stimuli. The "
        "last evaluation of each run; first trials and controls are kept by a run's very last one.",
        caption_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    shown.add_column("\nheld out", overflow="fold")
    shown.add_column("\ntask", overflow="fold")
    for heading in COLUMNS:
        shown.add_column(heading, justify="right", no_wrap=True)
    table, training = families_table(runs), training_table(runs).set_index(FAMILY)
    for family, group in table.groupby(FAMILY, sort=False):
        held_out = group[group["role"] == "held_out"]
        for place, (_, row) in enumerate(held_out.iterrows()):
            name = Text(str(family) if place == 0 else "")
            shown.add_row(name, Text(row["task"]), *_cells(row), style="bold")
        if family in training.index:
            row = training.loc[family]
            tasks = int(row["tasks"])
            shown.add_row("", f"{tasks} training task{'s' * (tasks > 1)}", *_cells(row))
        shown.add_section()
    return shown


def _cells(row: pd.Series) -> list[str]:
    generations = sorted({int(row["generation_low"]), int(row["generation_high"])})
    several = int(row["seeds"]) > 1
    return [
        str(int(row["seeds"])),
        "-".join(map(str, generations)),
        cell(ACCURACY, row["accuracy_first"]),
        cell(ACCURACY, row["accuracy_last"]),
        span(ACCURACY, row["accuracy_low"], row["accuracy_high"]) if several else "-",
        cell(ACCURACY, row["above_fixed_policy"]),
        cell(ACCURACY, row["fixed_policy_level"]),
        cell(ACCURACY, row["chance"]),
        cell(ACCURACY, row["plasticity_off"]),
        cell(ACCURACY, row["random_genome"]),
        cell(REWARD, row["reward_last"]),
        cell(REWARD, row["reward_fixed_policy"]),
    ]
