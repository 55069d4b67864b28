"""What each of several settings reaches, for a terminal: a line for each, seeds as replicates."""

from __future__ import annotations

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from analysis.generalization import ROLES
from analysis.measures import ACCURACY, MEASURES, REWARD, Measure
from analysis.tables.self_paced import cell, span

COLUMNS = {  # role and condition by heading
    "held-out": ("held_out", "plastic"),
    "training": ("train", "plastic"),
    "held-out,\nplasticity off": ("held_out", "plasticity_off"),
    "held-out,\nrandom genome": ("held_out", "random_genome"),
}
KEPT = (
    "setting", "role", "condition", "seeds", "generation_low", "generation_high", "bias_mean",
)  # fmt: skip
BIAS_MEANS = (
    "|bias|: half of what two held-out tasks differ by that show the same and want opposite "
    "answers, without its sign; a network that only prefers one answer has 50 and a bias of 50."
)


def format_settings_table(summary: pd.DataFrame) -> Table:
    """`settings_summary` for a terminal."""
    measure = _measure(summary)
    what = "Percent correct" if measure is ACCURACY else "Reward of a trial"
    shown = Table(
        title=f"{what} at the end of a lifetime of learning, by setting",
        title_justify="left",
        caption="Mean over lifetimes and tasks of a role, then mean (smallest to largest) over "
        "seeds. The last evaluation of each run counts.",
        caption_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
    )
    keys = [name for name in summary.columns if _is_key(name)]
    for key in keys:
        shown.add_column(Text(key), overflow="fold")
    headings = [name for name, which in COLUMNS.items() if len(_rows(summary, *which))]
    known = _rows(summary, "held_out", "plastic")["bias_mean"].notna()
    biased = measure is ACCURACY and bool(known.any())
    if biased:
        shown.caption = f"{shown.caption} {BIAS_MEANS}"
    for name in ("seeds", "generation", *headings, *(["held-out,\n|bias|"] * biased)):
        shown.add_column(name, justify="right", no_wrap=True)
    for _, group in summary.groupby("setting", sort=False):
        first = group.iloc[0]
        shown.add_row(
            *(Text(str(first[key])) for key in keys),
            str(int(first["seeds"])),
            _between(group["generation_low"].min(), group["generation_high"].max()),
            *(_spread(_rows(group, *COLUMNS[name]), measure) for name in headings),
            *([cell(measure, _rows(group, "held_out", "plastic")["bias_mean"].mean())] * biased),
        )
    return shown


def _measure(summary: pd.DataFrame) -> Measure:
    """Accuracy, unless no task has any."""
    plastic = summary[(summary["condition"] == "plastic") & summary["role"].isin(ROLES)]
    return ACCURACY if plastic["accuracy_mean"].notna().any() else REWARD


def _rows(table: pd.DataFrame, role: str, condition: str) -> pd.DataFrame:
    return table[(table["role"] == role) & (table["condition"] == condition)]


def _spread(rows: pd.DataFrame, measure: Measure) -> str:
    if not len(rows) or pd.isna(rows[f"{measure.name}_mean"].iloc[0]):
        return "-"
    mean, low, high = (rows[f"{measure.name}_{each}"].iloc[0] for each in ("mean", "low", "high"))
    several = int(rows["seeds"].iloc[0]) > 1
    return cell(measure, mean) + (f" ({span(measure, low, high)})" if several else "")


def _between(low: float, high: float) -> str:
    return f"{low:.0f}" if low == high else f"{low:.0f}-{high:.0f}"


def _is_key(name: str) -> bool:
    statistics = ("mean", "std", "low", "high")
    measured = [f"{measure.name}_{each}" for measure in MEASURES for each in statistics]
    return name not in KEPT and name not in measured
