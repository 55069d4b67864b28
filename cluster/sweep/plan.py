"""All runs of a sweep with their configurations, refused as a whole before anything starts."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cluster.config.run import AS_TYPED, PATH_NEUTRAL, RunConfig, load_config
from cluster.config.values import within
from cluster.sweep.axes import Axis, number_of_runs, parse_axes
from cluster.sweep.names import apart, run_name
from evoplastic.checks import UsageError, require

MOST_RUNS = 2000  # of one sweep
NAMED = 3  # combinations that an error names


@dataclass(frozen=True, kw_only=True)
class PlannedRun:
    """One combination of values."""

    index: int  # from 1
    name: str  # of its directory, and of its run in MLflow
    texts: tuple[str, ...]  # its value of each swept key
    overrides: tuple[str, ...]  # everything that was typed, with its values
    config: RunConfig


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A sweep before it starts."""

    source: str  # recipe or file
    axes: tuple[Axis, ...]  # those that runs are named by
    runs: tuple[PlannedRun, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """The swept keys."""
        return tuple(axis.key for axis in self.axes)

    @property
    def name(self) -> str:
        """What the recipe is called."""
        return self.runs[0].config.name

    @property
    def base(self) -> dict[str, Any]:
        """The settings that all runs share and that decide about their results."""
        flats = [run.config.flat() for run in self.runs]
        return {
            key: value
            for key, value in flats[0].items()
            if all(flat.get(key, ...) == value for flat in flats)
            and not within(key, (*self.keys, *PATH_NEUTRAL, *AS_TYPED))
        }


def make_plan(source: str, words: Sequence[str], swept: Sequence[str] = ()) -> Plan:
    """Every combination of the values, the last key changing fastest.

    Args:
        source: a recipe by its name, or a configuration file by its path.
        words: `key=values`; a key with one value is a setting of all runs.
        swept: keys that runs are named by though they have one value, as in a sweep that goes on.

    Raises:
        UsageError: no values, a key that does not exist, a combination that does not hold, two
            that are one, or too many.
    """
    axes = parse_axes(words)
    named = tuple(axis for axis in axes if len(axis.texts) > 1 or axis.key in swept) or tuple(axes)
    require(
        len(named) > 0,
        "a sweep needs values, for example 'seed=1..5' or 'search.sigma=0.02,0.03'; one run is "
        "started with evolve",
    )
    count = number_of_runs(axes)
    require(
        count <= MOST_RUNS,
        f"these values make {count:,} runs, expected at most {MOST_RUNS:,}; name fewer, or make "
        "several sweeps",
    )
    texts = [
        tuple(chosen[axes.index(axis)] for axis in named)
        for chosen in itertools.product(*(axis.texts for axis in axes))
    ]
    names = apart([run_name([axis.key for axis in named], each) for each in texts], texts)
    overrides = list(itertools.product(*(axis.overrides() for axis in axes)))
    configs = _configs(source, overrides, names)
    _require_different(configs, names)
    return Plan(
        source=source,
        axes=named,
        runs=tuple(
            PlannedRun(index=index, name=name, texts=text, overrides=override, config=config)
            for index, (name, text, override, config) in enumerate(
                zip(names, texts, overrides, configs, strict=True), start=1
            )
        ),
    )


def settings_apart(plan: Plan) -> list[PlannedRun]:
    """One run of each setting whose tasks and selection are checked apart: seeds and numbers of the
    search change nothing there."""
    found: dict[str, PlannedRun] = {}
    for run in plan.runs:
        deciding = {
            key: value
            for key, value in run.config.flat().items()
            if not within(key, ("seed", "search", *PATH_NEUTRAL, *AS_TYPED))
        }
        found.setdefault(json.dumps(deciding, sort_keys=True), run)
    return list(found.values())


def _configs(
    source: str, overrides: Sequence[Sequence[str]], names: Sequence[str]
) -> list[RunConfig]:
    configs, faults = [], []
    for name, each in zip(names, overrides, strict=True):
        try:
            configs.append(load_config(source, each))
        except UsageError as error:
            faults.append((name, str(error)))
    reasons = dict.fromkeys(reason for _, reason in faults)
    if len(reasons) == 1 and len(faults) == len(overrides):
        raise UsageError(faults[0][1])  # no matter which values
    if faults:
        lines = [f"{name}: {reason}" for name, reason in faults[:NAMED]]
        lines += [f"and {len(faults) - NAMED} more"] if len(faults) > NAMED else []
        raise UsageError(
            f"{len(faults)} of {len(overrides)} combinations do not hold, and none was started; "
            "leave out the values that do not fit:\n  " + "\n  ".join(lines)
        )
    return configs


def _require_different(configs: Sequence[RunConfig], names: Sequence[str]) -> None:
    seen: dict[str, str] = {}
    for config, name in zip(configs, names, strict=True):
        flat = {key: value for key, value in config.flat().items() if key != "name"}
        same = json.dumps(flat, sort_keys=True)
        require(
            same not in seen,
            f"{seen.get(same)} and {name} have the same settings: what one word sets, another sets "
            "again; leave out one of them, or put the section before its keys",
        )
        seen[same] = name
