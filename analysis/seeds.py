"""Several runs that differ in their seed alone, side by side: what a claim should rest on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.figures.run import write_figures_across_seeds
from analysis.figures.style import write_csv
from analysis.generalization import final_table
from analysis.measures import ACCURACY, MEASURES
from analysis.store import RunRecords, open_run
from evoplastic.checks import require


@dataclass(frozen=True)
class SeedsReport:
    """What was read, and what was written where."""

    runs: tuple[RunRecords, ...]
    table: pd.DataFrame  # `seeds_table` of the runs
    files: tuple[Path, ...]


def compare_seeds(
    refs: Sequence[str | Path | RunRecords], out_dir: Path, tracking_uri: str | None = None
) -> SeedsReport:
    """Tabulate and draw runs of one setting and different seeds.

    Args:
        refs: run directories, MLflow run ids, the runs' own ids, or their records; at least two.
        out_dir: where the figure, its numbers and the table go.
        tracking_uri: MLflow store of runs that are given by id.

    Raises:
        UsageError: no such run, runs of different settings, or a seed that enters twice.
        EnvironmentFault: the directory cannot be written.
    """
    runs = [ref if isinstance(ref, RunRecords) else open_run(ref, tracking_uri) for ref in refs]
    _require_one_setting(runs)
    table = seeds_table(runs)
    files = [
        write_csv(table, out_dir / "final_table_across_seeds"),
        *write_figures_across_seeds(runs, out_dir),
    ]
    return SeedsReport(tuple(runs), table, tuple(files))


def seeds_table(runs: Sequence[RunRecords]) -> pd.DataFrame:
    """The last evaluation of each task and condition over seeds, training tasks first.

    Columns: task, role, condition, seeds, mean, low and high (mean accuracy over lifetimes: its
    mean, smallest and largest over seeds), above_fixed_policy (share of lifetimes, mean over
    seeds), lifetimes (per seed), chance, fixed_policy_level, reward_mean, reward_low, reward_high,
    reward_chance, reward_fixed_policy, reward_oracle.

    Raises:
        UsageError: a run has not evaluated a center yet.
    """
    rows = pd.concat(final_table(run) for run in runs)
    groups = rows.groupby(["task", "role", "condition"], sort=False)
    columns = {"seeds": groups["seed"].nunique()}
    for measure in MEASURES:
        means = groups[measure.column("mean")]
        columns |= {
            measure.column("mean"): means.mean(),
            measure.column("low"): means.min(),
            measure.column("high"): means.max(),
        }
        if measure is ACCURACY:
            columns["above_fixed_policy"] = groups["above_fixed_policy"].mean()
            columns["lifetimes"] = groups["lifetimes"].min()
        columns |= {level: groups[level].median() for level in measure.levels}
    return pd.DataFrame(columns).reset_index()


def _require_one_setting(runs: Sequence[RunRecords]) -> None:
    """Refuse runs whose configurations differ in more than seed, name and machinery."""
    require(len(runs) >= 2, f"{len(runs)} run given, expected at least two to compare")
    deciding = ("suite", "task_table", "num_neurons")
    first = runs[0]
    for run in runs[1:]:
        for key in deciding:
            require(
                run.config.get(key) == first.config.get(key),
                f"runs {first.run_id} and {run.run_id} differ in {key}; compare runs of one "
                "setting that differ in their seed",
            )
        for what, settings in (("search", _searched), ("lifetime", _simulated)):
            ours, theirs = settings(first.config), settings(run.config)
            differing = sorted(
                key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key)
            )
            require(
                not differing,
                f"runs {first.run_id} and {run.run_id} differ in {', '.join(differing)} of their "
                f"{what}; compare runs of one setting that differ in their seed",
            )


def _searched(config: dict[str, Any]) -> dict[str, Any]:
    """Settings of search, curriculum and first genome; of old runs, which had them in one section
    `evolution`, under the names of new ones."""
    evolution = {k: v for k, v in (config.get("evolution") or {}).items() if k != "generations"}
    halves = evolution.pop("alternate_halves", True)
    curriculum = {"name": "alternate_halves" if halves else "uniform"}
    return {
        "name": "es",
        **evolution,
        **(config.get("search") or {}),
        **(config.get("genome") or {}),
        "curriculum": config.get("curriculum") or curriculum,
    }


def _simulated(config: dict[str, Any]) -> dict[str, Any]:
    """Settings of lifetime and plasticity rule; of old runs, whose rule was the section
    `lifetime.plasticity`, under the names of new ones."""
    lifetime = dict(config.get("lifetime") or {})
    plasticity = dict(lifetime.pop("plasticity", None) or {})
    modulation = plasticity.pop("modulation", "external")
    rule = {"external": "node_perturbation", "internal": "node_perturbation_network"}
    chosen = {"name": rule.get(modulation, modulation), **plasticity, **(config.get("rule") or {})}
    return lifetime | {f"rule.{key}": value for key, value in chosen.items()}
