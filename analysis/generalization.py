"""How well the evolved network learns tasks it was evolved on, and tasks it never met: tables.

Accuracy is the share of correct trials among the last scored trials of a lifetime. Quartiles are
linear interpolations, over lifetimes of one task unless a function says otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.table import Table

from analysis.store import RunRecords
from evoplastic.checks import require

ROLES = ("train", "held_out")


def lifetimes_table(records: RunRecords) -> pd.DataFrame:
    """One row per evaluated lifetime: generation, task, role, condition, accuracy, levels.

    Raises:
        UsageError: the run has not evaluated a center yet.
    """
    rows = [
        {
            "generation": evaluation.generation,
            "task": entry.task,
            "role": entry.role,
            "condition": entry.condition,
            "lifetime": lifetime,
            "accuracy": accuracy,
            "chance": entry.chance,
            "fixed_policy_level": entry.fixed_policy_level,
        }
        for evaluation in records.evaluations
        for entry in evaluation.entries
        for lifetime, accuracy in enumerate(entry.accuracy)
    ]
    require(
        len(rows) > 0,
        f"run {records.run_id} has no evaluation on record yet; wait for its first one "
        "(generation 0), then analyze again",
    )
    return pd.DataFrame(rows)


def _summary(lifetimes: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Spread over lifetimes for each group of `keys`, in order of appearance."""
    above = lifetimes["accuracy"] > lifetimes["fixed_policy_level"]
    groups = lifetimes.assign(above=above).groupby(list(keys), sort=False)
    return pd.DataFrame(
        {
            "lifetimes": groups["accuracy"].size(),
            "mean": groups["accuracy"].mean(),
            "q25": groups["accuracy"].quantile(0.25),
            "median": groups["accuracy"].median(),
            "q75": groups["accuracy"].quantile(0.75),
            "above_fixed_policy": groups["above"].mean(),
            "chance": groups["chance"].mean(),
            "fixed_policy_level": groups["fixed_policy_level"].mean(),
        }
    ).reset_index()


def accuracy_by_generation(records: RunRecords) -> pd.DataFrame:
    """Accuracy of each task and condition at every evaluated generation.

    Columns: generation, task, role, condition, lifetimes, mean, q25, median, q75 (over
    lifetimes), above_fixed_policy (share of lifetimes), chance, fixed_policy_level.

    Raises:
        UsageError: the run has not evaluated a center yet.
    """
    return _summary(lifetimes_table(records), ("generation", "task", "role", "condition"))


def role_accuracy_by_generation(records: RunRecords) -> pd.DataFrame:
    """As `accuracy_by_generation`, the lifetimes of all tasks of a role taken together.

    Raises:
        UsageError: the run has not evaluated a center yet.
    """
    return _summary(lifetimes_table(records), ("generation", "role", "condition"))


def accuracy_across_seeds(runs: Sequence[RunRecords]) -> pd.DataFrame:
    """Spread over runs that differ in their seed, at every generation that all of them evaluated.

    The number of one run is the median over its lifetimes of a role (task "all") or of one task;
    q25, median and q75 are over those numbers. Columns: generation, task, role, condition, runs,
    q25, median, q75, chance, fixed_policy_level.

    Raises:
        UsageError: no run, two runs of one seed, or no generation in common.
    """
    require(len(runs) > 0, "no runs given, expected at least one")
    seeds = [run.seed for run in runs]
    require(
        len(set(seeds)) == len(seeds),
        f"the runs have seeds {seeds}; each seed may enter once, or the spread means nothing",
    )
    per_run = pd.concat(
        frame.assign(seed=run.seed)
        for run in runs
        for frame in (
            role_accuracy_by_generation(run).assign(task="all"),
            accuracy_by_generation(run),
        )
    )
    keys = ["generation", "task", "role", "condition"]
    groups = per_run.groupby(keys, sort=False)
    table = pd.DataFrame(
        {
            "runs": groups["seed"].nunique(),
            "q25": groups["median"].quantile(0.25),
            "median": groups["median"].median(),
            "q75": groups["median"].quantile(0.75),
            "chance": groups["chance"].mean(),
            "fixed_policy_level": groups["fixed_policy_level"].mean(),
        }
    ).reset_index()
    table = table[table["runs"] == len(runs)]
    require(
        len(table) > 0,
        f"the runs with seeds {seeds} have no evaluated generation in common; evaluate them at "
        "the same generations",
    )
    return table.sort_values("generation", kind="stable").reset_index(drop=True)


def final_table(records: RunRecords) -> pd.DataFrame:
    """The last evaluation of each task and condition, training tasks first.

    Columns: task, role, condition, generation (of that evaluation), lifetimes, mean, q25, median,
    q75, iqr, above_fixed_policy, chance, fixed_policy_level, first_generation and first_mean (the
    first evaluation of the same task and condition), scored_trials, num_trials, seed.

    Raises:
        UsageError: the run has not evaluated a center yet.
    """
    table = accuracy_by_generation(records)
    by_task = table.groupby(["task", "condition"], sort=False)
    first, last = by_task.head(1), by_task.tail(1)
    first = first.rename(columns={"generation": "first_generation", "mean": "first_mean"})
    keys = ["task", "role", "condition"]
    merged = last.merge(first[[*keys, "first_generation", "first_mean"]], on=keys)
    merged.insert(merged.columns.get_loc("q75") + 1, "iqr", merged["q75"] - merged["q25"])
    order = merged["role"].map(ROLES.index)
    merged = merged.iloc[np.argsort(order.to_numpy(), kind="stable")].reset_index(drop=True)
    return merged[keys + [name for name in merged.columns if name not in keys]].assign(
        scored_trials=records.scored_trials, num_trials=records.num_trials, seed=records.seed
    )


def format_final_table(table: pd.DataFrame) -> Table:
    """`final_table` for a terminal: one row per task, held-out tasks first and marked."""
    plastic = table[table["condition"] == "plastic"]
    generation = int(plastic["generation"].max())
    start = int(plastic["first_generation"].min())
    shown = Table(
        title="Percent correct at the end of a lifetime of learning; "
        f"generation {generation}, seed {table['seed'].iloc[0]}",
        title_justify="left",
        caption=_explanation(table, plastic),
        caption_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    columns = {
        f"gen.\n{start}": lambda row: _percent(row.first_mean),
        f"gen.\n{generation}": lambda row: _percent(row.mean),
        "\nquartiles": lambda row: f"{_percent(row.q25)}-{_percent(row.q75)}",
        "above\nfixed": lambda row: _percent(row.above_fixed_policy),
        "fixed\npolicy": lambda row: _percent(row.fixed_policy_level),
        "\nchance": lambda row: _percent(row.chance),
        "plast.\noff": lambda row: _control(table, row.task, "plasticity_off"),
        "random\ngenome": lambda row: _control(table, row.task, "random_genome"),
    }
    shown.add_column("\ntask", no_wrap=True)
    for heading in columns:
        shown.add_column(heading, justify="right", no_wrap=True)
    for role in reversed(ROLES):
        of_role = plastic[plastic["role"] == role]
        for row in of_role.itertuples():
            shown.add_row(
                f"{row.task} (held out)" if role == "held_out" else row.task,
                *(show(row) for show in columns.values()),
                style="bold" if role == "held_out" else None,
            )
        shown.add_section()
    return shown


def _percent(share: float) -> str:
    return f"{100 * share:.0f}"


def _control(table: pd.DataFrame, task: str, condition: str) -> str:
    found = table[(table["task"] == task) & (table["condition"] == condition)]
    return _percent(found["mean"].iloc[0]) if len(found) else "-"


def _explanation(table: pd.DataFrame, plastic: pd.DataFrame) -> str:
    """The sentences under the table: what was measured, on how many, beside which levels."""
    counts = [
        f"{'-'.join(str(n) for n in sorted(set(of_role['lifetimes'])))} of each {name} task"
        for role, name in (("held_out", "held-out"), ("train", "training"))
        if len(of_role := plastic[plastic["role"] == role])
    ]
    chance = ", ".join(f"{100 * level:.3g} %" for level in sorted(set(plastic["chance"])))
    controls = table[table["condition"] != "plastic"]
    levels = ", ".join(
        f"{100 * level:.3g} % on {', '.join(of_level['task'])}"
        for level, of_level in plastic[plastic["role"] == "held_out"].groupby("fixed_policy_level")
    )
    sentences = [
        "Tasks marked (held out) never took part in evolution.",
        f"Share of correct answers over the last {table['scored_trials'].iloc[0]} of the "
        f"{table['num_trials'].iloc[0]} trials of a lifetime: mean, and quartiles over lifetimes "
        f"(n = {' and '.join(counts)}), one network, seed {table['seed'].iloc[0]}.",
        f"Guessing gives {chance}.",
        "Fixed policy: the level that needs no learning within the lifetime; on a held-out task, "
        "that of answering as the closest training task"
        + (f" ({levels})" if levels else "")
        + ". Above fixed: percent of lifetimes that beat it.",
    ]
    if len(controls):
        generation = int(controls["generation"].max())
        sentences.append(
            f"Controls of generation {generation}: the same network with plasticity off, and a "
            "random genome with plasticity on."
        )
    else:
        sentences.append("Controls have not been measured yet.")
    return " ".join(sentences)
