"""What a report tells of its runs: their scores by setting, task and generation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from analysis.generalization import ROLES, final_table, scores_by_generation
from analysis.measures import ACCURACY, MEASURES, REWARD, Measure
from analysis.page.words import setting_word
from analysis.seeds import seeds_table
from analysis.settings import Setting, group_by_setting, spoken
from analysis.store import RunRecords
from evoplastic.checks import require

CONTROLS = ("plasticity_off", "random_genome")


@dataclass(frozen=True)
class Contents:
    """Runs that a report tells of, with their numbers."""

    settings: tuple[Setting, ...]
    scores: pd.DataFrame  # `scores_by_generation` of all, with the columns setting (number), run_id
    finals: tuple[
        pd.DataFrame, ...
    ]  # by setting: `final_table`, or `seeds_table` where any has seeds

    @property
    def runs(self) -> list[RunRecords]:
        """All runs, setting by setting."""
        return [run for setting in self.settings for run in setting.runs]

    @property
    def has_seeds(self) -> bool:
        """Whether some setting has several runs, so that spread is over seeds."""
        return any(len(setting.runs) > 1 for setting in self.settings)

    @property
    def names(self) -> list[str]:
        """What each setting is called."""
        return [
            spoken(setting.values, setting_word) or setting.runs[0].start.name
            for setting in self.settings
        ]

    @cached_property
    def _parts(self) -> dict[tuple[str, str, str], pd.DataFrame]:
        """The scores by condition, role and task."""
        groups = self.scores.groupby(["condition", "role", "task"], sort=False)
        return {(str(c), str(r), str(t)): own for (c, r, t), own in groups}

    def tasks(self, role: str) -> list[str]:
        """Tasks of a role that some run has measured."""
        return [task for condition, of, task in self._parts if (condition, of) == ("plastic", role)]

    @cached_property
    def _measures(self) -> dict[tuple[str, str], list[Measure]]:
        return {
            (role, task): _measures_of(own)
            for (condition, role, task), own in self._parts.items()
            if condition == "plastic"
        }

    def measures(self, role: str, task: str) -> list[Measure]:
        """What a task is judged by: accuracy if it has any; reward if that says something else."""
        return self._measures[role, task]

    def of(self, role: str, task: str | None = None, condition: str = "plastic") -> pd.DataFrame:
        """The scores of one task, or of all tasks of a role."""
        if task is not None:
            return self._parts.get((condition, role, task), self.scores[:0])
        table = self.scores
        return table[(table["role"] == role) & (table["condition"] == condition)]


def _measures_of(own: pd.DataFrame) -> list[Measure]:
    found = [ACCURACY] if own["mean"].notna().any() else []
    tells = own["reward_chance"].notna() & (own["reward_chance"] != own["chance"])
    if own["reward_mean"].notna().any() and (tells.any() or not found):
        found.append(REWARD)
    return found


def contents_of(runs: Sequence[RunRecords], keys: Sequence[str] = ()) -> Contents:
    """Read the numbers of some runs.

    Args:
        runs: any runs that have evaluated a center.
        keys: as for `group_by_setting`.

    Raises:
        UsageError: no run, one without an evaluation, a seed twice in one setting, or runs that
            have no task in common.
    """
    require(len(runs) > 0, "no run given, expected at least one to report")
    for run in runs:
        require(
            len(run.evaluations) > 0,
            f"run {run.run_id} has no evaluation on record yet, so there is nothing to report; "
            "wait for its first one (generation 0), then report again",
        )
    ids = [run.run_id for run in runs]
    twice = sorted({run_id for run_id in ids if ids.count(run_id) > 1})
    require(not twice, f"given more than once: {', '.join(twice)}; name each run once")
    settings = group_by_setting(runs, keys)
    scores = pd.concat(
        [
            scores_by_generation(run).assign(setting=number, run_id=run.run_id)
            for number, setting in enumerate(settings)
            for run in setting.runs
        ],
        ignore_index=True,
    )
    _require_tasks_in_common(scores)
    seeds = any(len(setting.runs) > 1 for setting in settings)
    finals = tuple(
        seeds_table(setting.runs) if seeds else final_table(setting.runs[0]) for setting in settings
    )
    return Contents(settings, scores, finals)


def _require_tasks_in_common(scores: pd.DataFrame) -> None:
    measured = {
        run_id: set(zip(own["role"], own["task"], strict=True))
        for run_id, own in scores.groupby("run_id", sort=False)
    }
    (first, known), *others = measured.items()
    for run_id, tasks in others:
        require(
            bool(tasks & known),
            f"runs {first} and {run_id} were measured on different tasks ({_named(known)}; "
            f"{_named(tasks)}); report them one by one, or evaluate both on the same tasks",
        )


def _named(tasks: set[tuple[str, str]]) -> str:
    names = [task for role in reversed(ROLES) for of, task in sorted(tasks) if of == role]
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def judged_by(contents: Contents) -> Measure:
    """The measure of a whole report: accuracy, unless no task has any."""
    columns = {each: contents.scores[each.column("mean")] for each in MEASURES}
    return ACCURACY if columns[ACCURACY].notna().any() else REWARD
