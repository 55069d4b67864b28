"""Leave one family out, for a terminal: each held-out task beside its levels, then training."""

from __future__ import annotations

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from analysis.families.table import FAMILY
from analysis.measures import ACCURACY, REWARD
from analysis.tables.self_paced import cell, span

COLUMNS = ("first", "last", "seeds", "above\nfixed", "fixed\npolicy", "chance", "plast.\noff",
           "reward", "fixed\npolicy ")  # fmt: skip


def format_families_table(table: pd.DataFrame) -> Table:
    """`families_table`: held-out tasks of each family, and the mean of its training tasks."""
    shown = Table(
        title="Leave one family out: percent correct in the first and last scored trials",
        title_justify="left",
        caption="Mean over lifetimes and seeds; seeds: smallest to largest. Above fixed: percent "
        "of lifetimes more accurate than the best policy that ignores the stimuli.",
        caption_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
    )
    shown.add_column("held out", overflow="fold")
    shown.add_column("task", overflow="fold")
    for heading in COLUMNS:
        shown.add_column(heading, justify="right", no_wrap=True)
    for family, group in table.groupby(FAMILY, sort=False):
        held_out, train = (group[group["role"] == role] for role in ("held_out", "train"))
        for place, (_, row) in enumerate(held_out.iterrows()):
            name = Text(str(family) if place == 0 else "")
            shown.add_row(name, Text(row["task"]), *_cells(row), style="bold")
        if len(train):
            shown.add_row("", f"{len(train)} training tasks", *_cells(_mean(train)))
        shown.add_section()
    return shown


def _mean(train: pd.DataFrame) -> pd.Series:
    return train.select_dtypes("number").mean()


def _cells(row: pd.Series) -> list[str]:
    return [
        cell(ACCURACY, row["accuracy_first"]),
        cell(ACCURACY, row["accuracy_last"]),
        span(ACCURACY, row["accuracy_low"], row["accuracy_high"]),
        cell(ACCURACY, row["above_fixed_policy"]),
        cell(ACCURACY, row["fixed_policy_level"]),
        cell(ACCURACY, row["chance"]),
        cell(ACCURACY, row["plasticity_off"]),
        cell(REWARD, row["reward_last"]),
        cell(REWARD, row["reward_fixed_policy"]),
    ]
