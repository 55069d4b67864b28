"""What one run scored in one evaluation, as a comparison of runs needs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from analysis.generalization import scores_by_generation
from analysis.measures import ACCURACY, REWARD, Measure
from analysis.store import RunRecords
from evoplastic.checks import require, require_known
from tasks.suites.negations import Pair, negations_of

__all__ = [
    "Pair", "RunScores", "common_generation", "pairs_of", "require_same_tasks", "run_scores",
]  # fmt: skip


@dataclass(frozen=True)
class RunScores:
    """The tasks of a score, in one evaluation of one run."""

    generation: int
    tasks: tuple[str, ...]
    roles: dict[str, str]  # of every task of the evaluation
    measure: Measure
    of_task: dict[str, float]  # mean over lifetimes
    chance: float  # means over the tasks
    fixed: float
    pairs: tuple[Pair, ...]  # negations among the tasks

    @property
    def mean(self) -> float:
        """Over the tasks."""
        return float(np.mean(list(self.of_task.values())))

    def bias(self, pair: Pair) -> float:
        """How far the network prefers the first of two tasks that are each other's negation.

        bias = (first - second) / 2,  ability = (first + second) / 2
        """
        first, second = (self.of_task[task] for task in pair)
        return (first - second) / 2


def common_generation(
    runs: Sequence[RunRecords], at: int | str | None, left_out: list[str]
) -> int | None:
    """The generation at which runs are compared; None for the last one of each.

    Adds a sentence to `left_out` where some run has come further.

    Raises:
        UsageError: a run has not evaluated it; no run has any but the first in common.
    """
    evaluated = {run.directory: [event.generation for event in run.evaluations] for run in runs}
    for run in runs:
        require(
            bool(evaluated[run.directory]),
            f"run {run.run_id} has evaluated no center yet; leave it out, or wait for generation 0",
        )
    if at == "last":
        return None
    if isinstance(at, int):
        for run in runs:
            there = evaluated[run.directory]
            require(
                at in there,
                f"run {run.run_id} has not evaluated generation {at}, but "
                f"{', '.join(map(str, there[-8:]))}; name one of those, or leave the run out",
            )
        return at
    common = set.intersection(*map(set, evaluated.values()))
    last = {run.directory: max(evaluated[run.directory]) for run in runs}
    generation = max(common, default=-1)
    behind = min(runs, key=lambda run: last[run.directory])
    require(
        generation > 0 or (generation == 0 and last[behind.directory] == 0),
        f"the runs have {'only generation 0' if generation == 0 else 'no evaluated generation'} in "
        "common; evaluate them at the same generations (evaluation.every), or compare the last "
        "evaluation of each with --generation last",
    )
    if generation < max(last.values()):
        left_out.append(
            f"evaluations after generation {generation}, the last that all runs have "
            f"(run {behind.run_id} has come to {last[behind.directory]}); "
            "--generation last takes the last of each"
        )
    return generation


def run_scores(run: RunRecords, score: str, generation: int | None) -> RunScores:
    """The tasks of a score at a generation.

    Raises:
        UsageError: the run measured no such task.
    """
    table = scores_by_generation(run)
    at = max(table["generation"]) if generation is None else generation
    table = table[(table["generation"] == at) & (table["condition"] == "plastic")]
    roles = dict(zip(table["task"], table["role"], strict=True))
    if score in ("held_out", "train"):
        chosen = table[table["role"] == score]
        require(
            len(chosen) > 0,
            f"run {run.run_id} has no {score.replace('_', '-')} task at generation {at}; compare "
            f"{'training' if score == 'held_out' else 'held-out'} tasks with --score "
            f"{'train' if score == 'held_out' else 'held_out'}, or one by its name",
        )
    else:
        require_known("--score", score, ["held_out", "train", *roles])
        chosen = table[table["task"] == score]
    measure = ACCURACY if chosen[ACCURACY.column("mean")].notna().all() else REWARD
    return _of_tasks(run, chosen, roles, measure, int(at))


def _of_tasks(
    run: RunRecords, chosen: pd.DataFrame, roles: dict[str, str], measure: Measure, at: int
) -> RunScores:
    tasks = tuple(chosen["task"])
    means = chosen[measure.column("mean")]
    return RunScores(
        generation=at,
        tasks=tasks,
        roles=roles,
        measure=measure,
        of_task=dict(zip(tasks, map(float, means), strict=True)),
        chance=float(chosen[measure.chance].mean()),
        fixed=float(chosen[measure.fixed_policy].mean()),
        pairs=tuple(
            pair
            for pair in combinations(tasks, 2)
            if set(pair) in map(set, negations_of(run.start, run.config))
        ),
    )


def pairs_of(scored: Sequence[RunScores]) -> tuple[Pair, ...]:
    """The negations that all runs know of."""
    first, *others = scored
    return tuple(pair for pair in first.pairs if all(pair in each.pairs for each in others))


def require_same_tasks(runs: Sequence[RunRecords], scored: Sequence[RunScores]) -> None:
    """Refuse scores of other tasks, of another split, or of another measure.

    Raises:
        UsageError: two runs whose scores mean different things.
    """
    first, own = runs[0], scored[0]
    for run, other in zip(runs[1:], scored[1:], strict=True):
        both = f"runs {first.run_id} and {run.run_id}"
        require(
            set(other.tasks) == set(own.tasks),
            f"{both} were scored on other tasks ({_listed(own.tasks)}; {_listed(other.tasks)}), so "
            "their difference is none of the setting; compare runs of one suite, or name a task "
            "that both were measured on with --score TASK",
        )
        moved = [task for task in own.tasks if own.roles[task] != other.roles[task]]
        require(
            not moved,
            f"{both} differ in the split: {_listed(moved)} is held out in one and trained on in "
            "the other; compare runs that hold out the same, or name another task with --score",
        )
        require(
            own.measure is other.measure,
            f"{both} have other measures, {own.measure.name} and {other.measure.name}; name a task "
            "that has both with --score TASK",
        )
        require(
            run.start.suite_digest == first.start.suite_digest
            or run.config.get("suite") != first.config.get("suite")
            or run.config.get("task_table") != first.config.get("task_table"),
            f"{both} have tasks of the same names that ask other things: suite "
            f"{first.config.get('suite')} has changed in between (its digests are "
            f"{first.start.suite_digest} and {run.start.suite_digest}); compare runs of one "
            "version, or evaluate both genomes on the tasks of today with `evoplastic evaluate`",
        )


def _listed(tasks: Sequence[str], most: int = 6) -> str:
    more = f" and {len(tasks) - most} more" if len(tasks) > most else ""
    return ", ".join(tasks[:most]) + more
