"""Runs by the values of a setting, each seed one replicate; what cannot be compared is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from analysis.effects.keys import resolve_keys
from analysis.effects.scores import (
    Pair,
    RunScores,
    common_generation,
    pairs_of,
    require_same_tasks,
    run_scores,
)
from analysis.effects.statistics import FEWEST_SEEDS
from analysis.measures import Measure
from analysis.settings import differing_keys, flat_setting, setting_name, value_text
from analysis.store import RunRecords
from evoplastic.checks import require
from evoplastic.commands import command
from evoplastic.records.names import CONFIG_NAME

GENERATIONS = "evolution.generations"
At = int | Literal["last"] | None


@dataclass(frozen=True)
class Group:
    """Runs of one value of the setting, seed by seed."""

    name: str
    values: dict[str, Any]  # of the keys
    runs: tuple[RunRecords, ...]
    scores: dict[int, float]  # by seed; the mean over other settings, where they differ too
    bias: dict[Pair, dict[int, float]]  # of two tasks that are each other's negation, by seed
    chance: float
    fixed_policy: float

    @property
    def seeds(self) -> tuple[int, ...]:
        """Ascending."""
        return tuple(self.scores)

    def scores_of(self, seeds: Sequence[int]) -> NDArray[np.float64]:
        """The scores of these seeds."""
        return np.array([self.scores[seed] for seed in seeds])


@dataclass(frozen=True)
class Compared:
    """Groups that can be compared, and what was decided for that."""

    keys: tuple[str, ...]
    groups: tuple[Group, ...]
    score: str  # held_out, train, or a task
    tasks: tuple[str, ...]  # whose mean it is
    measure: Measure
    pairs: tuple[Pair, ...]  # negations among the tasks
    generation: int | None  # one for all; None: the last of each run
    averaged_over: tuple[str, ...]  # other settings, each of which every seed has
    left_out: tuple[str, ...]  # a sentence for each


def compared_groups(
    runs: Sequence[RunRecords], by: Sequence[str], score: str = "held_out", at: At = None
) -> Compared:
    """Group runs by settings, with one score for each seed.

    Args:
        runs: any that have evaluated a center.
        by: keys, see `resolve_keys`.
        score: held_out or train, means over tasks, or the name of a task.
        at: generation to compare at; none means the last one that all have evaluated, or, where
            the length of runs is compared, the last of each; "last" means that of each run.

    Raises:
        UsageError: one value of the setting alone, other tasks, another split, too few seeds, other
            settings that go along with this one; each with what to do.
    """
    require(len(runs) >= 2, f"{len(runs)} run given, expected at least two to compare")
    flats = [flat_setting(run.config) for run in runs]
    keys = resolve_keys(by, flats)
    others = [key for key in differing_keys(flats, keys) if key not in keys]
    cells = _cells(runs, flats, keys, others)
    _require_several_values(cells, flats, keys)
    _require_crossed(cells, keys, others)
    at = "last" if at is None and GENERATIONS in keys else at
    left_out: list[str] = []
    generation = common_generation(runs, at, left_out)
    scored = {run.directory: run_scores(run, score, generation) for run in runs}
    require_same_tasks(runs, [scored[run.directory] for run in runs])
    groups, pairs = [], pairs_of(list(scored.values()))
    for values, of_group in cells:
        group = _group(values, of_group, scored, pairs, left_out)
        if len(group.seeds) >= FEWEST_SEEDS:
            groups.append(group)
        else:
            left_out.append(_too_few(group))
    require(
        len(groups) >= 2,
        f"a comparison needs at least two settings of {FEWEST_SEEDS} seeds each, and there "
        f"{'is' if len(groups) == 1 else 'are'} {len(groups) or 'none'}: {'; '.join(left_out)}",
    )
    first = scored[groups[0].runs[0].directory]
    return Compared(
        keys=keys,
        groups=tuple(groups),
        score=score,
        tasks=first.tasks,
        measure=first.measure,
        pairs=pairs,
        generation=generation,
        averaged_over=tuple(others),
        left_out=tuple(left_out),
    )


Others = str  # the values of all other settings that differ
OfGroup = dict[Others, list[RunRecords]]


def _cells(
    runs: Sequence[RunRecords],
    flats: Sequence[dict[str, Any]],
    keys: Sequence[str],
    others: Sequence[str],
) -> list[tuple[dict[str, Any], OfGroup]]:
    """Runs by the values of the keys, then by those of the other settings."""
    found: dict[str, tuple[dict[str, Any], OfGroup]] = {}
    for run, flat in zip(runs, flats, strict=True):
        own = {key: flat.get(key) for key in keys}
        rest = value_text({key: flat.get(key) for key in others})
        _, of_group = found.setdefault(value_text(own), (own, {}))
        of_group.setdefault(rest, []).append(run)
    return sorted(found.values(), key=lambda cell: [_order(value) for value in cell[0].values()])


def _order(value: Any) -> tuple[int, float, str]:
    """Numbers by size, then the rest by its text."""
    if isinstance(value, int | float):
        return (0, float(value), "")
    return (1, 0.0, value_text(value))


def _require_several_values(
    cells: Sequence[tuple[dict[str, Any], OfGroup]],
    flats: Sequence[dict[str, Any]],
    keys: Sequence[str],
) -> None:
    differing = differing_keys(flats, ())
    require(
        len(cells) > 1,
        f"all {len(flats)} runs have {setting_name(cells[0][0])}, so there is nothing to compare; "
        + (
            f"they differ in {', '.join(differing)}"
            if differing
            else "they differ in their seed alone: leave --by out to see the spread over seeds"
        ),
    )


def _require_crossed(
    cells: Sequence[tuple[dict[str, Any], OfGroup]], keys: Sequence[str], others: Sequence[str]
) -> None:
    """Every value of the setting with the same values of all other settings."""
    (first, first_group), *rest = cells
    for values, group in rest:
        if group.keys() == first_group.keys():
            continue
        more = " ".join(f"--by {key}" for key in (*keys, *others))
        require(
            False,
            f"{setting_name(first)} and {setting_name(values)} differ in {', '.join(others)}, "
            f"too, so that no difference can be put down to {', '.join(keys)} alone; give runs "
            f"that have the same {', '.join(others)}, or compare all combinations with {more}",
        )


def _group(
    values: dict[str, Any],
    cells: OfGroup,
    scored: dict[Any, RunScores],
    pairs: Sequence[Pair],
    left_out: list[str],
) -> Group:
    name = setting_name(values)
    by_seed: dict[int, list[RunRecords]] = {}
    for of_cell in cells.values():
        for one, other in combinations(of_cell, 2):
            require(
                one.seed != other.seed,
                f"{name} has seed {one.seed} more than once, in {one.directory} and "
                f"{other.directory}; each seed may enter once, or the spread means nothing",
            )
        for run in of_cell:
            by_seed.setdefault(run.seed, []).append(run)
    for seed in [seed for seed, own in by_seed.items() if len(own) < len(cells)]:
        lacking = len(cells) - len(by_seed.pop(seed))
        left_out.append(f"seed {seed} of {name}, of which {lacking} of {len(cells)} runs are not "
                        "there")  # fmt: skip
    seeds = sorted(by_seed)
    own = {seed: [scored[run.directory] for run in by_seed[seed]] for seed in seeds}
    every = [each for of_seed in own.values() for each in of_seed]
    return Group(
        name=name,
        values=values,
        runs=tuple(run for seed in seeds for run in by_seed[seed]),
        scores={seed: float(np.mean([each.mean for each in own[seed]])) for seed in seeds},
        bias={
            pair: {seed: float(np.mean([each.bias(pair) for each in own[seed]])) for seed in seeds}
            for pair in pairs
        },
        chance=float(np.mean([each.chance for each in every])) if every else float("nan"),
        fixed_policy=float(np.mean([each.fixed for each in every])) if every else float("nan"),
    )


def _too_few(group: Group) -> str:
    if not group.seeds:
        return f"{group.name} has no seed with all its runs"
    run = group.runs[0]
    config = run.directory / CONFIG_NAME
    more = command("evolve", config, f"seed={max(group.seeds) + 1}")
    return (
        f"{group.name} has one seed ({group.seeds[0]}), which has no spread; evolve another one "
        f"(`{more}`)"
    )
