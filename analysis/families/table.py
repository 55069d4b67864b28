"""Leave one family out: runs that differ in which tasks evolution never saw, as one table.

Runs that hold out the same tasks are replicates, whatever their suite calls them. They are named
after the family that a suite was told to hold out, as in `suite=yang19-small/context`, or after the
tasks themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis.generalization import final_table
from analysis.settings import differing_keys, flat_setting
from analysis.store import RunRecords
from evoplastic.records.events import EvaluationEvent

FAMILY = "held_out_family"
MEANS = (
    "plasticity_off",
    "random_genome",
    "chance",
    "fixed_policy_level",
    "above_fixed_policy",
    "reward_first",
    "reward_last",
    "reward_fixed_policy",
)


def short_name(task: str) -> str:
    """A task without the collection that it is of.

    >>> short_name("yang19.dlygo"), short_name("dms")
    ('dlygo', 'dms')
    """
    return task.rpartition(".")[2]


def family_names(runs: Sequence[RunRecords]) -> list[str]:
    """What the held-out tasks of each run are called together: the same for the same tasks."""
    named: dict[frozenset[str], str] = {}
    for run in runs:
        _, slash, family = str(run.config.get("suite", "")).rpartition("/")
        if slash and family.isidentifier():
            named.setdefault(held_out_tasks(run), family)
    return [
        named.get(held_out_tasks(run), ", ".join(map(short_name, _tasks(run, "held_out"))))
        for run in runs
    ]


def held_out_tasks(run: RunRecords) -> frozenset[str]:
    """The tasks that evolution never saw, as the last evaluation has them."""
    return frozenset(_tasks(run, "held_out"))


def obstacle(runs: Sequence[RunRecords]) -> str | None:
    """Why runs that do not all hold out the same tasks make no matrix; none if they make one, or
    hold out the same."""
    if len({held_out_tasks(run) for run in runs}) < 2:
        return None
    first = runs[0]
    for run in runs[1:]:
        if _known(run) != _known(first):
            return f"{run.directory} and {first.directory} know different tasks"
    differing = differing_keys([flat_setting(run.config) for run in runs], ())
    others = [key for key in differing if key != "suite"]
    if others:
        return f"the runs differ in {', '.join(others)} besides what they hold out"
    replicates = [(name, run.seed) for name, run in zip(family_names(runs), runs, strict=True)]
    twice = next((each for each in replicates if replicates.count(each) > 1), None)
    return twice and f"seed {twice[1]} is there twice with {twice[0]} held out"


def is_leave_one_out(runs: Sequence[RunRecords]) -> bool:
    """Whether the runs know the same tasks, do not all hold out the same ones, and differ in
    nothing else but their seeds."""
    return len({held_out_tasks(run) for run in runs}) > 1 and obstacle(runs) is None


def families_table(runs: Sequence[RunRecords]) -> pd.DataFrame:
    """The last evaluation of each task in the runs of each held-out family.

    Columns: held_out_family, task, role, seeds, generation_low, generation_high, lifetimes (of a
    seed), accuracy_first and accuracy_last (share of right answers in the first and last scored
    trials of a lifetime, mean over lifetimes and seeds), accuracy_low and accuracy_high (of
    accuracy_last, over seeds), plasticity_off and random_genome (accuracy_last of the controls of
    that generation), chance, fixed_policy_level, above_fixed_policy (share of lifetimes),
    reward_first, reward_last, reward_fixed_policy. What the last evaluation did not keep, as the
    first trials and controls of a run that goes on, is NaN. Families in order of appearance, tasks
    in that of `tasks_in_order`.

    Raises:
        UsageError: a run has not evaluated a center yet.
    """
    table = over_seeds(runs_of_families(runs), [FAMILY, "task", "role"])
    place = {task: k for k, task in enumerate(tasks_in_order(runs))}
    family = {name: k for k, name in enumerate(dict.fromkeys(family_names(runs)))}
    order = np.lexsort((table["task"].map(place), table[FAMILY].map(family)))
    return table.iloc[order].reset_index(drop=True)


def training_table(runs: Sequence[RunRecords]) -> pd.DataFrame:
    """The same of all training tasks of a run taken together, a row for each family."""
    rows = runs_of_families(runs)
    train = rows[rows["role"] == "train"]
    groups = train.groupby([FAMILY, "role", "seed"], sort=False)
    means = groups.mean(numeric_only=True).assign(tasks=groups["task"].nunique()).reset_index()
    table = over_seeds(means, [FAMILY, "role"])
    tasks = means.groupby(FAMILY)["tasks"].max()
    return table.assign(tasks=table[FAMILY].map(tasks))


def over_seeds(rows: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Mean and range over seeds of the rows of `runs_of_families`, or of means of them."""
    groups = rows.groupby(keys, sort=False)
    last = groups["accuracy_last"]
    columns: dict[str, Any] = {
        "seeds": groups["seed"].nunique(),
        "generation_low": groups["generation"].min().astype(int),
        "generation_high": groups["generation"].max().astype(int),
        "lifetimes": groups["lifetimes"].min().astype(int),
        "accuracy_first": groups["accuracy_first"].mean(),
        "accuracy_last": last.mean(),
        "accuracy_low": last.min(),
        "accuracy_high": last.max(),
        **{name: groups[name].mean() for name in MEANS},
    }
    return pd.DataFrame(columns).reset_index()


def tasks_in_order(runs: Sequence[RunRecords]) -> list[str]:
    """All tasks, those that are held out together beside each other, those never held out last."""
    found = [task for run in runs for task in _tasks(run, "held_out")]
    return list(dict.fromkeys(found + [task for run in runs for task in _tasks(run, "train")]))


def runs_of_families(runs: Sequence[RunRecords]) -> pd.DataFrame:
    """One row for each task of each run, by `held_out_family` and `seed`.

    Raises:
        UsageError: a run has not evaluated a center yet.
    """
    named = zip(runs, family_names(runs), strict=True)
    return pd.concat([_of_run(run, name) for run, name in named], ignore_index=True)


def _known(run: RunRecords) -> frozenset[str]:
    return frozenset(_tasks(run, "train") + _tasks(run, "held_out"))


def _tasks(run: RunRecords, role: str) -> list[str]:
    entries = run.evaluations[-1].entries if run.evaluations else ()
    return list(dict.fromkeys(entry.task for entry in entries if entry.role == role))


def _of_run(run: RunRecords, family: str) -> pd.DataFrame:
    table = final_table(run)
    plastic = table[table["condition"] == "plastic"].set_index("task")
    generation = run.evaluations[-1].generation
    first = _first(run.evaluations[-1], run.scored_trials)

    def control(condition: str) -> list[float]:
        of_now = table[(table["condition"] == condition) & (table["generation"] == generation)]
        means = of_now.set_index("task")["mean"]
        return [float(means.get(task, np.nan)) for task in plastic.index]

    def column(name: str) -> Any:
        return plastic[name].to_numpy()

    return pd.DataFrame(
        {
            FAMILY: family,
            "task": plastic.index,
            "role": column("role"),
            "seed": run.seed,
            "generation": column("generation"),
            "lifetimes": column("lifetimes"),
            "accuracy_first": [first[task][0] for task in plastic.index],
            "accuracy_last": column("mean"),
            "plasticity_off": control("plasticity_off"),
            "random_genome": control("random_genome"),
            "chance": column("chance"),
            "fixed_policy_level": column("fixed_policy_level"),
            "above_fixed_policy": column("above_fixed_policy"),
            "reward_first": [first[task][1] for task in plastic.index],
            "reward_last": column("reward_mean"),
            "reward_fixed_policy": column("reward_fixed_policy"),
        }
    )


def _first(evaluation: EvaluationEvent, trials: int) -> dict[str, tuple[float, float]]:
    """Accuracy and reward of the first trials of a lifetime, by task; NaN without a curve."""

    def mean(curve: Sequence[float] | None) -> float:
        return float(np.mean(curve[:trials])) if curve else float("nan")

    return {
        entry.task: (mean(entry.curve), mean(entry.reward_curve))
        for entry in evaluation.entries
        if entry.condition == "plastic"
    }
