"""Numbers of a report's figures: lines with bands, and the levels beside them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis.curves import learning_curves
from analysis.figures.style import CONDITION_LABEL, ROLE_LABEL
from analysis.generalization import ROLES
from analysis.measures import ACCURACY, MEASURES, Measure
from analysis.page.contents import CONTROLS, Contents

MOST_POINTS = 200  # of a line; more cannot be told apart on a screen
MOST_TASKS = 40  # that have figures of their own
LEVELS = {"chance": "chance", "fixed_policy": "best fixed policy", "oracle": "oracle"}


class Series(NamedTuple):
    """One line, or a row of points."""

    label: str
    look: str  # class of the style sheet
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...] = ()  # of the band; none without one
    high: tuple[float, ...] = ()
    points: bool = False


class Plot(NamedTuple):
    """What one drawing shows; a figure has one for each task that can be chosen."""

    name: str  # as it is chosen
    measure: Measure
    unit: str  # of x: generation, or trial
    series: tuple[Series, ...]
    levels: dict[str, float]  # by kind
    band: str  # what the bands are
    shaded: tuple[float, float] | None = None  # of x


def by_generation(contents: Contents) -> list[Plot]:
    """Plots over generations: all tasks of a role, held-out first, then each task."""
    plots = []
    for role in reversed(ROLES):
        tasks = contents.tasks(role)
        if len(tasks) > 1 and contents.of(role)["mean"].notna().any():
            count = contents.of(role).dropna(subset="mean")["task"].nunique()
            name = f"{ROLE_LABEL[role]}, mean of {count}"
            plots.append(_over_generations(contents, role, None, ACCURACY, name))
    for role in reversed(ROLES):
        for task in contents.tasks(role)[:MOST_TASKS]:
            for measure in contents.measures(role, task):
                name = task_name(role, task, measure, contents)
                plots.append(_over_generations(contents, role, task, measure, name))
    return plots


def task_name(role: str, task: str, measure: Measure, contents: Contents) -> str:
    """A task as it can be chosen."""
    marked = f"{task} (held out)" if role == "held_out" else task
    return marked if len(contents.measures(role, task)) == 1 else f"{marked}: {measure.name}"


def _over_generations(
    contents: Contents, role: str, task: str | None, measure: Measure, name: str
) -> Plot:
    own = contents.of(role, task)
    own = own[own[measure.column("mean")].notna()]
    alone = len(contents.settings) == 1
    series = []
    for number, label in enumerate(contents.names):
        of_setting = own[own["setting"] == number]
        if len(of_setting):
            look = role if alone else f"setting{number % 8}"
            shown = ROLE_LABEL[role] if alone and task is None else task if alone else label
            series.append(_line(of_setting, str(shown), look, measure, task is None))
    for condition in CONTROLS if alone else ():
        controls = contents.of(role, task, condition)
        means = controls.groupby("generation")[measure.column("mean")].mean().dropna()
        if len(means):
            x, y = _numbers(means.index), _numbers(means)
            series.append(Series(CONDITION_LABEL[condition], condition, x, y, points=True))
    levels = {kind: own[column].mean() for kind, column in _level_columns(measure).items()}
    known = {kind: float(level) for kind, level in levels.items() if level == level}
    return Plot(name, measure, "generation", tuple(series), known, _band(contents, task))


def _line(own: pd.DataFrame, label: str, look: str, measure: Measure, pooled: bool) -> Series:
    """Of several seeds their mean with lowest and highest; of one run a task's quartiles, or of
    several tasks the lowest and the highest."""
    column = measure.column("mean")
    seeds = own["run_id"].nunique()
    if seeds > 1:
        of_runs = own.groupby(["generation", "run_id"])[column].mean().groupby("generation")
        counts = of_runs.size()
        common = counts.index[counts == counts.max()]  # else the line follows who was measured
        table = of_runs.agg(["mean", "min", "max"]).loc[common]
    elif pooled:
        table = own.groupby("generation")[column].agg(["mean", "min", "max"])
    else:
        columns = [column, measure.column("q25"), measure.column("q75")]
        table = own.set_index("generation")[columns].set_axis(["mean", "min", "max"], axis=1)
    table = table.sort_index().iloc[thinned(len(table))]
    mean, low, high = (_numbers(table[column]) for column in ("mean", "min", "max"))
    return Series(label, look, _numbers(table.index), mean, low, high)


def _band(contents: Contents, task: str | None) -> str:
    if contents.has_seeds:
        return "Line: mean over seeds; band: lowest and highest seed."
    if task is None:
        return "Line: mean over tasks; band: from the worst task to the best."
    return "Line: mean over lifetimes; band: their quartiles."


def _level_columns(measure: Measure) -> dict[str, str]:
    found = {"chance": measure.chance, "fixed_policy": measure.fixed_policy}
    return found | ({"oracle": measure.oracle} if measure.oracle else {})


def within_a_life(contents: Contents) -> list[Plot]:
    """Plots over the trials of a lifetime, for each task whose curves were kept."""
    tables = [
        learning_curves(run).assign(setting=number, run_id=run.run_id)
        for number, setting in enumerate(contents.settings)
        for run in setting.runs
    ]
    kept = [table for table in tables if len(table)]
    if not kept:
        return []
    curves = pd.concat(kept, ignore_index=True)
    parts = dict(tuple(curves.groupby(["role", "task"], sort=False)))
    plots = []
    for role in reversed(ROLES):
        for task in contents.tasks(role)[:MOST_TASKS]:
            own = parts.get((role, task), curves[:0])
            for measure in MEASURES:
                if measure in contents.measures(role, task) and own[measure.curve].notna().any():
                    plots.append(
                        _life(contents, own, measure, task_name(role, task, measure, contents))
                    )
    return plots


def _life(contents: Contents, own: pd.DataFrame, measure: Measure, name: str) -> Plot:
    series = []
    if len(contents.settings) == 1:
        kinds = own[["condition", "center", "generation"]].drop_duplicates(["condition", "center"])
        for condition, center, generation in sorted(kinds.itertuples(index=False, name=None)):
            if condition in ("plastic", "plasticity_off"):
                chosen = own[(own["condition"] == condition) & (own["center"] == center)]
                off = ", plasticity off" if condition == "plasticity_off" else ""
                label = f"generation {generation}{off}"
                series.append(_curve(chosen, label, f"{condition}_{center}", measure))
    else:
        newest = own[(own["condition"] == "plastic")]
        last = newest.groupby("run_id")["generation"].transform("max")
        newest = newest[newest["generation"] == last]
        for number, label in enumerate(contents.names):
            chosen = newest[newest["setting"] == number]
            if len(chosen):
                series.append(_curve(chosen, label, f"setting{number % 8}", measure))
    levels = {kind: own[column].mean() for kind, column in _level_columns(measure).items()}
    known = {kind: float(level) for kind, level in levels.items() if level == level}
    run = contents.runs[0]
    shaded = (run.num_trials - run.scored_trials + 0.5, run.num_trials + 0.5)
    over = "seeds and lifetimes" if contents.has_seeds else "lifetimes"
    band = f"Moving average of the mean over {over}; shaded: the trials that are scored."
    return Plot(name, measure, "trial", tuple(series), known, band, shaded)


def _curve(own: pd.DataFrame, label: str, look: str, measure: Measure) -> Series:
    means = own.groupby("trial")[measure.smooth_curve].mean().dropna()
    means = means.iloc[thinned(len(means))]
    return Series(label, look, _numbers(means.index), _numbers(means))


def thinned(length: int) -> np.ndarray:
    """Places of at most `MOST_POINTS` evenly spread items, the first and the last among them.

    >>> thinned(3).tolist(), len(thinned(1000)), int(thinned(1000)[-1])
    ([0, 1, 2], 200, 999)
    """
    return np.unique(np.linspace(0, length - 1, min(length, MOST_POINTS)).round().astype(int))


def _numbers(values: Iterable[float] | Sequence[float]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
