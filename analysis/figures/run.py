"""Figures by generation: which a run or several seeds have, with captions and the numbers drawn.

Runs of fixed timing and one chance level have one axes for both roles. Where each task has levels
of its own there is an axes for each role, and for self-paced runs a panel for each task besides.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from analysis.figures.groups import figure_groups
from analysis.figures.pooled import can_pool, draw_pooled
from analysis.figures.role import draw_roles
from analysis.figures.style import footer, lifetimes_phrase, save_figure, write_csv
from analysis.figures.task import draw_tasks
from analysis.generalization import (
    ROLES,
    role_accuracy_by_generation,
    scores_across_seeds,
    scores_by_generation,
)
from analysis.groups import groups_of, groups_table
from analysis.measures import (
    ACCURACY,
    CHANCE_MEANS,
    FIXED_POLICY_MEANS,
    MEASURES,
    ORACLE_MEANS,
    REWARD,
    Measure,
    is_self_paced,
)
from analysis.negations import held_out_pairs, negations_phrase
from analysis.store import RunRecords


def figure_accuracy(records: RunRecords) -> Figure:
    """Accuracy of one run by generation: median and quartiles over lifetimes.

    Raises:
        UsageError: the run has not evaluated a center yet.
    """
    table = _with_roles(records)
    caption = (
        f"{_accuracy(records)} Line and band: median and quartiles over lifetimes, all tasks of a "
        f"kind together; n = {_lives(table)}, one run. {negations_phrase(held_out_pairs(records))}"
    ).rstrip()
    return _draw_accuracy(table, caption, footer([records]))


def figure_across_seeds(runs: Sequence[RunRecords]) -> Figure:
    """Accuracy of several runs by generation: median and quartiles over seeds.

    Raises:
        UsageError: no run, two runs of one seed, or no generation in common.
    """
    table = scores_across_seeds(runs)
    caption = (
        f"{_accuracy(runs[0])} Line and band: median and quartiles over n = {len(runs)} seeds; the "
        "number of a seed is the median over its lifetimes, all tasks of a kind together. "
        f"{negations_phrase(held_out_pairs(runs[0]))}"
    ).rstrip()
    return _draw_accuracy(table, caption, footer(runs))


def figure_tasks(runs: Sequence[RunRecords], measure: Measure) -> Figure:
    """A measure by generation with a panel for each task, of one run or of several seeds.

    Raises:
        UsageError: no run, two runs of one seed, or nothing evaluated yet.
    """
    table = _task_table(runs)
    if len(runs) == 1:
        spread = f"over lifetimes; n = {_lives(table)}, one run"
    else:
        spread = f"over n = {len(runs)} seeds, each with the median over its lifetimes"
    what = (
        _accuracy(runs[0])
        if measure is ACCURACY
        else f"Reward of a trial, summed over its steps, mean of the last {runs[0].scored_trials} "
        f"of {runs[0].num_trials} trials of a lifetime."
    )
    meanings = [CHANCE_MEANS, FIXED_POLICY_MEANS]
    if measure is REWARD:
        meanings.append(ORACLE_MEANS)
    caption = f"{what} Line and band: median and quartiles {spread}. {' '.join(meanings)}"
    return draw_tasks(table, measure, caption, footer(runs), groups_of(runs[0]))


def write_figures_by_generation(records: RunRecords, directory: Path) -> list[Path]:
    """Each figure by generation that a run has, as PNG, SVG and CSV in a directory.

    Files are accuracy_by_generation, of a self-paced run accuracy_by_task and reward_by_task, and
    where families of meta-tasks are held out reward_by_group. Tasks of which nothing counts as
    correct have no part in the first two.

    Raises:
        UsageError: the run has not evaluated a center yet.
        EnvironmentFault: the directory cannot be written.
    """
    table = _with_roles(records).assign(seed=records.seed)
    files = []
    if table["median"].notna().any():
        stem = directory / "accuracy_by_generation"
        files += [*save_figure(figure_accuracy(records), stem), write_csv(table, stem)]
    return (
        files + _write_tasks([records], directory, "by_task") + _write_groups([records], directory)
    )


def write_figures_across_seeds(runs: Sequence[RunRecords], directory: Path) -> list[Path]:
    """The same of several seeds: accuracy_across_seeds, and with a panel for each task
    accuracy_by_task_across_seeds and reward_by_task_across_seeds.

    Raises:
        UsageError: no run, two runs of one seed, or no generation in common.
        EnvironmentFault: the directory cannot be written.
    """
    table = scores_across_seeds(runs)
    files = []
    if table["median"].notna().any():
        stem = directory / "accuracy_across_seeds"
        files += [*save_figure(figure_across_seeds(runs), stem), write_csv(table, stem)]
    files += _write_tasks(runs, directory, "by_task_across_seeds")
    return files + _write_groups(runs, directory)


def _write_groups(runs: Sequence[RunRecords], directory: Path) -> list[Path]:
    """reward_by_group, of held-out families of meta-tasks."""
    figure = figure_groups(runs)
    if figure is None:
        return []
    stem = directory / "reward_by_group"
    return [*save_figure(figure, stem), write_csv(groups_table(runs), stem)]


def _write_tasks(runs: Sequence[RunRecords], directory: Path, name: str) -> list[Path]:
    if not any(is_self_paced(scores_by_generation(run)) for run in runs):
        return []
    table = _task_table(runs)
    files = []
    for measure in MEASURES:
        drawn = table[table[measure.column("median")].notna()]
        if len(drawn):
            stem = directory / f"{measure.name}_{name}"
            others = [
                column
                for other in MEASURES
                if other is not measure
                for column in [*map(other.column, ("mean", "q25", "median", "q75")), *other.levels]
            ]
            numbers = drawn.drop(columns=others, errors="ignore")
            files += [*save_figure(figure_tasks(runs, measure), stem), write_csv(numbers, stem)]
    return files


def _draw_accuracy(table: pd.DataFrame, caption: str, footer_text: str) -> Figure:
    tasks = table[table["task"] != "all"]
    self_paced = is_self_paced(tasks.assign(mean=tasks["median"]))  # of seeds there are no means
    if can_pool(tasks) and not self_paced:
        return draw_pooled(table, caption, footer_text)
    return draw_roles(
        table, f"{caption} {FIXED_POLICY_MEANS}" if self_paced else caption, footer_text
    )


def _with_roles(records: RunRecords) -> pd.DataFrame:
    """Rows of all tasks of a role together (task "all"), then rows of each task."""
    roles = role_accuracy_by_generation(records).assign(task="all")
    tasks = scores_by_generation(records)
    table = pd.concat([roles, tasks]) if len(roles) else tasks
    columns = ["generation", "task"]
    others = [name for name in tasks.columns if name not in columns]
    return table[columns + others]


def _task_table(runs: Sequence[RunRecords]) -> pd.DataFrame:
    if len(runs) == 1:
        return scores_by_generation(runs[0]).assign(seed=runs[0].seed)
    table = scores_across_seeds(runs)
    return table[table["task"] != "all"]


def _accuracy(records: RunRecords) -> str:
    return (
        f"Accuracy: correct answers among the last {records.scored_trials} of "
        f"{records.num_trials} trials of a lifetime, in percent."
    )


def _lives(table: pd.DataFrame) -> str:
    """Lifetimes of a task under plasticity, in words."""
    tasks = table[(table["condition"] == "plastic") & (table["task"] != "all")]
    return lifetimes_phrase(
        {role: tasks.loc[tasks["role"] == role, "lifetimes"] for role in reversed(ROLES)}
    )
