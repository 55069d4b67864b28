"""Leave one family out: runs that differ in which tasks evolution never saw, as one table.

A run is called after the family that its suite was told to hold out, as in
`suite=yang19-small/context`, or after its held-out tasks. Runs of one family that differ in their
seed are its replicates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis.generalization import final_table
from analysis.settings import differing_keys, flat_setting
from analysis.store import RunRecords

FAMILY = "held_out_family"


def family_of(run: RunRecords) -> str:
    """What the held-out tasks of a run are called together."""
    _, slash, family = str(run.config.get("suite", "")).rpartition("/")
    if slash and family.isidentifier():
        return family
    return ", ".join(map(short_name, _tasks(run, "held_out")))


def short_name(task: str) -> str:
    """A task without the collection that it is of.

    >>> short_name("yang19.dlygo"), short_name("dms")
    ('dlygo', 'dms')
    """
    return task.rpartition(".")[2]


def is_leave_one_out(runs: Sequence[RunRecords]) -> bool:
    """Whether the runs know the same tasks, do not all hold out the same ones, and differ in
    nothing else but their seeds."""
    differing = differing_keys([flat_setting(run.config) for run in runs], ())
    if not set(differing) <= {"suite"}:
        return False
    known = {frozenset(_tasks(run, "train") + _tasks(run, "held_out")) for run in runs}
    held_out = {frozenset(_tasks(run, "held_out")) for run in runs}
    return len(known) == 1 and len(held_out) > 1 and frozenset() not in held_out


def families_table(runs: Sequence[RunRecords]) -> pd.DataFrame:
    """The last evaluation of each task in the runs of each held-out family.

    Columns: held_out_family, task, role, seeds, lifetimes (of a seed), accuracy_first and
    accuracy_last (share of right answers in the first and last scored trials of a lifetime, mean
    over lifetimes and seeds), accuracy_low and accuracy_high (of accuracy_last, over seeds),
    plasticity_off (accuracy_last without plasticity), chance, fixed_policy_level,
    above_fixed_policy (share of lifetimes), reward_first, reward_last, reward_fixed_policy.
    Families in order of appearance, tasks in that of `tasks_in_order`.

    Raises:
        UsageError: a run has not evaluated a center yet.
    """
    rows = pd.concat([_of_run(run) for run in runs], ignore_index=True)
    groups = rows.groupby([FAMILY, "task", "role"], sort=False)
    columns: dict[str, Any] = {"seeds": groups["seed"].nunique()}
    columns |= {"lifetimes": groups["lifetimes"].min()}
    columns |= {name: groups[name].mean() for name in ("accuracy_first", "accuracy_last")}
    columns |= {
        "accuracy_low": groups["accuracy_last"].min(),
        "accuracy_high": groups["accuracy_last"].max(),
    }
    columns |= {
        name: groups[name].mean()
        for name in (
            "plasticity_off",
            "chance",
            "fixed_policy_level",
            "above_fixed_policy",
            "reward_first",
            "reward_last",
            "reward_fixed_policy",
        )
    }
    table = pd.DataFrame(columns).reset_index()
    place = {task: k for k, task in enumerate(tasks_in_order(runs))}
    family = {name: k for k, name in enumerate(dict.fromkeys(map(family_of, runs)))}
    order = np.lexsort((table["task"].map(place), table[FAMILY].map(family)))
    return table.iloc[order].reset_index(drop=True)


def tasks_in_order(runs: Sequence[RunRecords]) -> list[str]:
    """All tasks, those that are held out together beside each other, those never held out last."""
    found = [task for run in runs for task in _tasks(run, "held_out")]
    return list(dict.fromkeys(found + [task for run in runs for task in _tasks(run, "train")]))


def _tasks(run: RunRecords, role: str) -> list[str]:
    entries = run.evaluations[-1].entries if run.evaluations else ()
    return list(dict.fromkeys(entry.task for entry in entries if entry.role == role))


def _of_run(run: RunRecords) -> pd.DataFrame:
    """One row for each task of a run."""
    table = final_table(run)
    plastic = table[table["condition"] == "plastic"].set_index("task")
    off = table[table["condition"] == "plasticity_off"].set_index("task")["mean"]
    first = {entry.task: _first(entry, run.scored_trials) for entry in run.evaluations[-1].entries
             if entry.condition == "plastic"}  # fmt: skip
    unknown = (np.nan, np.nan)
    return pd.DataFrame(
        {
            FAMILY: family_of(run),
            "task": plastic.index,
            "role": plastic["role"].to_numpy(),
            "seed": run.seed,
            "lifetimes": plastic["lifetimes"].to_numpy(),
            "accuracy_first": [first.get(task, unknown)[0] for task in plastic.index],
            "accuracy_last": plastic["mean"].to_numpy(),
            "plasticity_off": [off.get(task, np.nan) for task in plastic.index],
            "chance": plastic["chance"].to_numpy(),
            "fixed_policy_level": plastic["fixed_policy_level"].to_numpy(),
            "above_fixed_policy": plastic["above_fixed_policy"].to_numpy(),
            "reward_first": [first.get(task, unknown)[1] for task in plastic.index],
            "reward_last": plastic["reward_mean"].to_numpy(),
            "reward_fixed_policy": plastic["reward_fixed_policy"].to_numpy(),
        }
    )


def _first(entry: Any, trials: int) -> tuple[float, float]:
    """Accuracy and reward of the first trials of a lifetime; NaN where no curve was kept."""
    curves = (entry.curve, entry.reward_curve)
    return tuple(float(np.mean(c[:trials])) if c else float("nan") for c in curves)  # type: ignore[return-value]
