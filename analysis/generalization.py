"""How well the evolved network learns tasks it was evolved on, and tasks it never met: numbers.

Accuracy is the share of correct trials among the last scored trials of a lifetime, reward the mean
over these trials of what a trial paid in all. Quartiles are linear interpolations, over lifetimes
of one task unless a function says otherwise. What a task does not have is NaN: accuracy where
nothing counts as correct, rewards in records of older runs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.measures import ACCURACY, MEASURES, Measure, number
from analysis.negations import with_negations
from analysis.store import RunRecords
from evoplastic.checks import require
from evoplastic.records.events import TaskEvaluation

ROLES = ("train", "held_out")


def lifetimes_table(records: RunRecords) -> pd.DataFrame:
    """One row per evaluated lifetime: generation, task, role, condition, lifetime, accuracy,
    reward, and the levels of both.

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
            "accuracy": _of_lifetime(entry.accuracy, lifetime),
            "reward": _of_lifetime(entry.reward, lifetime),
            **levels_of(entry),
        }
        for evaluation in records.evaluations
        for entry in evaluation.entries
        for lifetime in range(entry.lifetimes)
    ]
    require(
        len(rows) > 0,
        f"run {records.run_id} has no evaluation on record yet; wait for its first one "
        "(generation 0), then analyze again",
    )
    return pd.DataFrame(rows)


def levels_of(entry: TaskEvaluation) -> dict[str, float]:
    """The levels of an entry by their column."""
    return {level: number(getattr(entry, level)) for each in MEASURES for level in each.levels}


def _of_lifetime(values: Sequence[float], lifetime: int) -> float:
    return values[lifetime] if values else float("nan")


def _summary(
    lifetimes: pd.DataFrame, keys: Sequence[str], measures: Sequence[Measure]
) -> pd.DataFrame:
    """Spread over lifetimes for each group of `keys`, in order of appearance."""
    known = lifetimes["accuracy"].notna() & lifetimes["fixed_policy_level"].notna()
    above = (lifetimes["accuracy"] > lifetimes["fixed_policy_level"]).where(known).astype(float)
    groups = lifetimes.assign(above=above).groupby(list(keys), sort=False)
    columns = {"lifetimes": groups.size()}
    for measure in measures:
        values = groups[measure.name]
        columns |= {
            measure.column("mean"): values.mean(),
            measure.column("q25"): values.quantile(0.25),
            measure.column("median"): values.median(),
            measure.column("q75"): values.quantile(0.75),
        }
        if measure is ACCURACY:
            columns["above_fixed_policy"] = groups["above"].mean()
        columns |= {level: groups[level].median() for level in measure.levels}
    return pd.DataFrame(columns).reset_index()


def scores_by_generation(records: RunRecords) -> pd.DataFrame:
    """Accuracy and reward of each task and condition at every evaluated generation.

    Columns: generation, task, role, condition, lifetimes, mean, q25, median, q75 (of accuracy,
    over lifetimes), above_fixed_policy (share of lifetimes), chance, fixed_policy_level,
    reward_mean, reward_q25, reward_median, reward_q75, reward_chance, reward_fixed_policy,
    reward_oracle.

    Raises:
        UsageError: the run has not evaluated a center yet.
    """
    keys = ("generation", "task", "role", "condition")
    return _summary(lifetimes_table(records), keys, MEASURES)


def role_accuracy_by_generation(records: RunRecords) -> pd.DataFrame:
    """The accuracy of `scores_by_generation`, the lifetimes of all tasks of a role taken together.

    Levels are medians over the same lifetimes, so that lifetimes that reach their own task's level
    have it as their median. Tasks without accuracy do not enter. There is no such table of
    rewards: each task pays on a scale of its own.

    Raises:
        UsageError: the run has not evaluated a center yet.
    """
    answered = lifetimes_table(records).dropna(subset="accuracy")
    return _summary(answered, ("generation", "role", "condition"), (ACCURACY,))


def scores_across_seeds(runs: Sequence[RunRecords]) -> pd.DataFrame:
    """Spread over runs that differ in their seed, at every generation that all of them evaluated.

    The number of one run is the median over its lifetimes of a role (task "all", accuracy alone)
    or of one task; quartiles and median are over those numbers. Columns: generation, task, role,
    condition, runs, q25, median, q75 (of accuracy), chance, fixed_policy_level, reward_q25,
    reward_median, reward_q75, reward_chance, reward_fixed_policy, reward_oracle.

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
            scores_by_generation(run),
        )
    )
    keys = ["generation", "task", "role", "condition"]
    groups = per_run.groupby(keys, sort=False)
    columns = {"runs": groups["seed"].nunique()}
    for measure in MEASURES:
        medians = groups[measure.column("median")]
        columns |= {
            measure.column("q25"): medians.quantile(0.25),
            measure.column("median"): medians.median(),
            measure.column("q75"): medians.quantile(0.75),
        }
        columns |= {level: groups[level].median() for level in measure.levels}
    table = pd.DataFrame(columns).reset_index()
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
    q75, iqr (of accuracy), above_fixed_policy, chance, fixed_policy_level, the same of reward as in
    `scores_by_generation`, first_generation, first_mean and first_reward_mean (the first
    evaluation of the same task and condition), negation (the task of the same role that shows the
    same and wants opposite answers, or ""), scored_trials, num_trials, seed.

    Raises:
        UsageError: the run has not evaluated a center yet.
    """
    table = scores_by_generation(records)
    by_task = table.groupby(["task", "condition"], sort=False)
    first, last = by_task.head(1), by_task.tail(1)
    keys, kept = ["task", "role", "condition"], ["generation", "mean", "reward_mean"]
    first = first[keys + kept].rename(columns={name: f"first_{name}" for name in kept})
    merged = last.merge(first, on=keys)
    merged.insert(merged.columns.get_loc("q75") + 1, "iqr", merged["q75"] - merged["q25"])
    order = merged["role"].map(ROLES.index)
    merged = merged.iloc[np.argsort(order.to_numpy(), kind="stable")].reset_index(drop=True)
    merged = with_negations(merged, records)
    return merged[keys + [name for name in merged.columns if name not in keys]].assign(
        scored_trials=records.scored_trials, num_trials=records.num_trials, seed=records.seed
    )
