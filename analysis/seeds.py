"""Several runs that differ in their seed alone, side by side: what a claim should rest on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.table import Table

from analysis.figures import write_figure_across_seeds
from analysis.generalization import ROLES, final_table
from analysis.store import RunRecords, open_run
from analysis.style import write_csv
from evoplastic.checks import require

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class SeedsReport:
    """What was read, and what was written where."""

    runs: tuple[RunRecords, ...]
    table: pd.DataFrame  # `seeds_table` of the runs
    files: tuple[Path, ...]


def compare_seeds(
    refs: Sequence[str | Path], out_dir: Path, tracking_uri: str | None = None
) -> SeedsReport:
    """Tabulate and draw runs of one setting and different seeds.

    Args:
        refs: run directories, MLflow run ids or the runs' own ids; at least two.
        out_dir: where the figure, its numbers and the table go.
        tracking_uri: MLflow store of runs that are given by id.

    Raises:
        UsageError: no such run, runs of different settings, or a seed that enters twice.
        EnvironmentFault: the directory cannot be written.
    """
    runs = [open_run(ref, tracking_uri) for ref in refs]
    _require_one_setting(runs)
    table = seeds_table(runs)
    files = [
        write_csv(table, out_dir / "final_table_across_seeds"),
        *write_figure_across_seeds(runs, out_dir / "accuracy_across_seeds"),
    ]
    return SeedsReport(tuple(runs), table, tuple(files))


def seeds_table(runs: Sequence[RunRecords]) -> pd.DataFrame:
    """The last evaluation of each task and condition over seeds, training tasks first.

    Columns: task, role, condition, seeds, mean, low and high (mean accuracy over lifetimes: its
    mean, smallest and largest over seeds), above_fixed_policy (share of lifetimes, mean over
    seeds), lifetimes (per seed), chance, fixed_policy_level.

    Raises:
        UsageError: a run has not evaluated a center yet.
    """
    rows = pd.concat(final_table(run) for run in runs)
    groups = rows.groupby(["task", "role", "condition"], sort=False)
    return pd.DataFrame(
        {
            "seeds": groups["seed"].nunique(),
            "mean": groups["mean"].mean(),
            "low": groups["mean"].min(),
            "high": groups["mean"].max(),
            "above_fixed_policy": groups["above_fixed_policy"].mean(),
            "lifetimes": groups["lifetimes"].min(),
            "chance": groups["chance"].mean(),
            "fixed_policy_level": groups["fixed_policy_level"].mean(),
        }
    ).reset_index()


def format_seeds_table(report: SeedsReport) -> Table:
    """`seeds_table` for a terminal: one row per task, held-out tasks first and marked."""
    table = report.table
    seeds = ", ".join(str(run.seed) for run in report.runs)
    shown = Table(
        title=f"Percent correct at the end of a lifetime of learning; seeds {seeds}",
        title_justify="left",
        caption="Mean over lifetimes, then mean (smallest to largest) over seeds. Above fixed: "
        "percent of lifetimes that beat the best fixed policy. Controls: the same networks with "
        "plasticity off, and random genomes with plasticity on.",
        caption_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
    )
    columns: dict[str, Callable[[pd.Series], str]] = {
        "accuracy": lambda row: _spread(table, row["task"], "plastic"),
        "above\nfixed": lambda row: f"{100 * row['above_fixed_policy']:.0f}",
        "fixed\npolicy": lambda row: f"{100 * row['fixed_policy_level']:.0f}",
        "chance": lambda row: f"{100 * row['chance']:.0f}",
        "plasticity off": lambda row: _spread(table, row["task"], "plasticity_off"),
        "random genome": lambda row: _spread(table, row["task"], "random_genome"),
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


def _spread(table: pd.DataFrame, task: str, condition: str) -> str:
    found = table[(table["task"] == task) & (table["condition"] == condition)]
    if not len(found):
        return "-"
    row = found.iloc[0]
    return f"{100 * row['mean']:.0f} ({100 * row['low']:.0f}-{100 * row['high']:.0f})"


def _require_one_setting(runs: Sequence[RunRecords]) -> None:
    """Refuse runs whose configurations differ in more than seed, name and machinery."""
    require(len(runs) >= 2, f"{len(runs)} run given, expected at least two to compare")
    deciding = ("suite", "task_table", "num_neurons", "lifetime")
    first = runs[0]
    for run in runs[1:]:
        for key in deciding:
            require(
                run.config.get(key) == first.config.get(key),
                f"runs {first.run_id} and {run.run_id} differ in {key}; compare runs of one "
                "setting that differ in their seed",
            )
        ours, theirs = (
            {k: v for k, v in (r.config.get("evolution") or {}).items() if k != "generations"}
            for r in (first, run)
        )
        require(
            ours == theirs,
            f"runs {first.run_id} and {run.run_id} differ in evolution; compare runs of one "
            "setting that differ in their seed",
        )
