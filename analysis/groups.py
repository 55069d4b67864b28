"""Held-out tasks by group: by family, or by how many levels of a combination are new together.

What a run wrote down of each held-out task is its group. A number of a group is the mean over its
tasks of the mean over their lifetimes; its spread is that of tasks, or of seeds.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from analysis.generalization import final_table
from analysis.measures import MEASURES, REWARD
from analysis.store import RunRecords

GROUP = "group"  # column of a table of tasks, "" for none


def groups_of(run: RunRecords) -> dict[str, str]:
    """The group of each held-out task that has one."""
    entries = (entry for event in run.evaluations for entry in event.entries)
    return {entry.task: entry.group for entry in entries if entry.group is not None}


def groups_table(runs: Sequence[RunRecords]) -> pd.DataFrame:
    """The last evaluation of each group and condition, groups in order of their names.

    Columns: group, condition, tasks, seeds, and of accuracy (mean, low, high) and reward
    (reward_mean, reward_low, reward_high): the mean over tasks and runs, the smallest and the
    largest, of runs where there are several, else of tasks; then the levels, means over tasks, and
    regret_share = (best adaptive - reward) / (best adaptive - chance), of means over tasks: 0 for
    whoever knows the meta-tasks and finds out the rest, 1 for chance.
    Without groups the table has no row.

    Args:
        runs: of one setting.
    """
    rows = pd.concat(
        final_table(run).assign(**{GROUP: lambda table, run=run: table["task"].map(groups_of(run))})
        for run in runs
    ).dropna(subset=GROUP)
    unit = "seed" if len(runs) > 1 else "task"
    keys = [GROUP, "condition"]
    columns = {
        "tasks": rows.groupby(keys)["task"].nunique(),
        "seeds": rows.groupby(keys)["seed"].nunique(),
    }
    for measure in MEASURES:
        of_unit = rows.groupby([*keys, unit])[measure.column("mean")].mean().groupby(keys)
        columns |= {
            measure.column("mean"): of_unit.mean(),
            measure.column("low"): of_unit.min(),
            measure.column("high"): of_unit.max(),
        }
        columns |= {level: rows.groupby(keys)[level].mean() for level in measure.levels}
    adaptive = rows.groupby(keys)[str(REWARD.adaptive)].agg(lambda level: level.mean(skipna=False))
    columns[str(REWARD.adaptive)] = adaptive  # none for a group where one has none
    regret = adaptive - columns[REWARD.column("mean")]
    columns["regret_share"] = regret / (adaptive - columns[REWARD.chance])
    return pd.DataFrame(columns).reset_index()
