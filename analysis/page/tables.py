"""Final numbers as rows of words: what a page and a table for LaTeX both show."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from analysis.generalization import ROLES
from analysis.measures import (
    ACCURACY,
    CHANCE_MEANS,
    FIXED_POLICY_MEANS,
    MEASURES,
    ORACLE_MEANS,
    REGRET_MEANS,
    REWARD,
    Measure,
    is_self_paced,
)
from analysis.page.contents import CONTROLS, Contents
from analysis.tables.self_paced import MEASURE_TITLE, cell, has_regret

NO_NUMBER = "-"
CONTROL_HEADING = {"plasticity_off": "plasticity off", "random_genome": "random genome"}


class Row(NamedTuple):
    """One task of one setting."""

    setting: int
    task: str
    role: str
    cells: tuple[str, ...]


class TaskTable(NamedTuple):
    """One measure of all tasks that have it, held-out tasks first."""

    measure: Measure
    title: str
    columns: tuple[str, ...]  # of the cells
    rows: tuple[Row, ...]
    notes: tuple[str, ...]  # sentences: what a number is


def task_tables(contents: Contents) -> list[TaskTable]:
    """A table for each measure by which some task is judged."""
    roles = [(role, task) for role in reversed(ROLES) for task in contents.tasks(role)]
    found = []
    for measure in MEASURES:
        judged = [each for each in roles if measure in contents.measures(*each)]
        if judged:
            found.append(_table(contents, measure, judged))
    return found


def _table(contents: Contents, measure: Measure, tasks: list[tuple[str, str]]) -> TaskTable:
    spread = "lowest-highest seed" if contents.has_seeds else "quartiles"
    columns = ["correct" if measure is ACCURACY else "reward", spread]
    columns += ["lifetimes above fixed policy"] if measure is ACCURACY else []
    columns += ["fixed policy", "chance"] + (["oracle"] if measure is REWARD else [])
    regret = any(has_regret(measure, table) for table in contents.finals)
    columns += ["best adaptive", "regret"] if regret else []
    columns += [CONTROL_HEADING[each] for each in CONTROLS]
    rows = []
    for number, table in enumerate(contents.finals):
        of = {(row["role"], row["task"], row["condition"]): row for _, row in table.iterrows()}
        for role, task in tasks:
            if (role, task, "plastic") in of:
                rows.append(Row(number, task, role, tuple(_cells(of, role, task, measure, regret))))
    title = MEASURE_TITLE[measure.name]
    return TaskTable(measure, title, tuple(columns), tuple(rows), _notes(contents, measure))


def _cells(
    of: dict[tuple[str, str, str], pd.Series],
    role: str,
    task: str,
    measure: Measure,
    regret: bool,
) -> list[str]:
    own = of[role, task, "plastic"]
    several = "seeds" in own.index
    bounds = ("low", "high") if several else ("q25", "q75")
    low, high = (cell(measure, own[measure.column(name)]) for name in bounds)
    cells = [cell(measure, own[measure.column("mean")])]
    cells += [f"{low}{'-' if measure is ACCURACY else ' to '}{high}"]
    if several and own["seeds"] == 1:
        cells[-1] = NO_NUMBER
    cells += [cell(ACCURACY, own["above_fixed_policy"])] if measure is ACCURACY else []
    cells += [cell(measure, own[measure.fixed_policy]), cell(measure, own[measure.chance])]
    cells += [cell(measure, own[measure.oracle])] if measure.oracle else []
    if regret:
        best = own[measure.adaptive]
        cells += [cell(measure, best), cell(measure, best - own[measure.column("mean")])]
    for condition in CONTROLS:
        found = of.get((role, task, condition))
        cells.append(NO_NUMBER if found is None else cell(measure, found[measure.column("mean")]))
    return cells


def _levels(contents: Contents) -> tuple[str, ...]:
    if is_self_paced(contents.scores):
        return CHANCE_MEANS, FIXED_POLICY_MEANS
    return (
        "Chance: guessing.",
        "Fixed policy: the level that needs no learning within the lifetime; on a held-out task, "
        "that of answering as the closest training task.",
    )


def _notes(contents: Contents, measure: Measure) -> tuple[str, ...]:
    run = contents.runs[0]
    one = len({(each.scored_trials, each.num_trials) for each in contents.runs}) == 1
    over = (
        f"the last {run.scored_trials} of the {run.num_trials} trials of a lifetime"
        if one
        else "the last trials of a lifetime"
    )
    what = "Share of correct answers" if measure is ACCURACY else "Reward of a trial"
    spread = (
        "mean over lifetimes, then mean, lowest and highest over seeds"
        if contents.has_seeds
        else "mean, and quartiles over lifetimes"
    )
    unit = ", in percent" if measure is ACCURACY else ""
    return (
        f"{what} over {over}{unit}: {spread}; the last evaluation of each run counts.",
        "Held-out tasks never took part in evolution.",
        *_levels(contents),
        *([REGRET_MEANS] if any(has_regret(measure, each) for each in contents.finals) else []),
        *([ORACLE_MEANS] if measure is REWARD else ["Above: lifetimes that beat that policy."]),
        "Plasticity off: the same network with alpha = 0. Random genome: one that was never "
        "selected, with plasticity on.",
    )
