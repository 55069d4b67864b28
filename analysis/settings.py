"""Runs of several settings: which differ in their seed alone, and what each setting reaches.

Nothing here asks where the runs come from; a sweep is one way to make them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.figures.style import write_csv
from analysis.generalization import final_table
from analysis.measures import MEASURES
from analysis.negations import ability_and_bias, pairs_in
from analysis.seeds import seeds_table
from analysis.store import RunRecords
from evoplastic.checks import require
from evoplastic.naming import short_keys

# What does not make another setting unless it is asked for.
NEUTRAL = (
    "name",
    "seed",
    "engine",
    "threads",
    "tracking",
    "evaluation",
    "pairs_per_shard",
    "evolution.generations",
    "evolution.flat_generations",
    "warm_start.given",  # how the genome was called that warm_start.genome is the digest of
)
START = "warm_start.genome"  # the digest of the first genome, nothing for a random one
FIRST_DIGITS = 8  # of that digest, in names
# The section `evolution` of old runs held what has sections of its own now.
OLD_GENOME = ("init_gain", "init_alpha")
OLD_RULES = {"external": "node_perturbation", "internal": "node_perturbation_network"}


@dataclass(frozen=True)
class Setting:
    """Runs that differ in their seed alone."""

    values: dict[str, Any]  # of the keys in which settings differ; none where there is one setting
    runs: tuple[RunRecords, ...]

    @property
    def name(self) -> str:
        """What it has of its own, in words."""
        return setting_name(self.values)


@dataclass(frozen=True)
class SettingsReport:
    """What was read, and what was written where."""

    settings: tuple[Setting, ...]
    table: pd.DataFrame  # `settings_table`
    summary: pd.DataFrame  # `settings_summary`
    files: tuple[Path, ...]


def compare_settings(
    runs: Sequence[RunRecords], out_dir: Path, keys: Sequence[str] = ()
) -> SettingsReport:
    """Tabulate runs by setting, with the spread over the seeds of each.

    Args:
        runs: any runs that have evaluated a center.
        out_dir: where the tables go.
        keys: as for `group_by_setting`.

    Raises:
        UsageError: no run, or a seed twice in one setting.
        EnvironmentFault: the directory cannot be written.
    """
    settings = group_by_setting(runs, keys)
    table, summary = settings_table(settings), settings_summary(runs_table(settings))
    files = (
        write_csv(table, out_dir / "final_table_by_setting"),
        write_csv(summary, out_dir / "summary_by_setting"),
    )
    return SettingsReport(settings, table, summary, files)


def group_by_setting(runs: Sequence[RunRecords], keys: Sequence[str] = ()) -> tuple[Setting, ...]:
    """The runs by all that decides about their results but the seed, in order of appearance.

    Args:
        runs: runs whose resolved configurations are compared; keys of old versions are known.
        keys: names the settings by these keys, which then count even where they decide nothing,
            such as the length of a run. Keys that differ beside them are added.

    Raises:
        UsageError: no run, or one setting with one seed twice.
    """
    require(len(runs) > 0, "no run given, expected at least one")
    flats = [flat_setting(run.config) for run in runs]
    differing = differing_keys(flats, keys)
    groups: dict[str, list[RunRecords]] = {}
    values: dict[str, dict[str, Any]] = {}
    for run, flat in zip(runs, flats, strict=True):
        own = {key: flat.get(key) for key in differing}
        same = json.dumps(own, sort_keys=True)
        values[same] = own
        groups.setdefault(same, []).append(run)
    for same, group in groups.items():
        seeds = [run.seed for run in group]
        twice = sorted({seed for seed in seeds if seeds.count(seed) > 1})
        name = setting_name(values[same]) or "the setting"
        require(
            not twice,
            f"{name} has seed {', '.join(map(str, twice))} more "
            "than once, in "
            + " and ".join(str(run.directory) for run in group if run.seed in twice)
            + "; each seed may enter once, or the spread means nothing: name the runs that are to",
        )
    return tuple(Setting(values[same], tuple(group)) for same, group in groups.items())


def runs_table(settings: Sequence[Setting]) -> pd.DataFrame:
    """One row for each run, role and condition: the last evaluation, tasks of a role averaged.

    Columns: setting, the differing keys, seed, run_id, generation, role, condition,
    tasks, accuracy and reward (means over tasks of means over lifetimes; NaN where there is none),
    bias (mean size over pairs of tasks that are each other's negation, of accuracy).

    Raises:
        UsageError: a run has not evaluated a center yet.
    """
    rows = []
    for setting in settings:
        for run in setting.runs:
            last = final_table(run).groupby(["role", "condition"], sort=False)
            for (role, condition), group in last:
                rows.append(
                    {
                        "setting": setting.name,
                        **{key: as_cell(value) for key, value in setting.values.items()},
                        "seed": run.seed,
                        "run_id": run.run_id,
                        "generation": int(group["generation"].max()),
                        "role": role,
                        "condition": condition,
                        "tasks": len(group),
                        **{m.name: group[m.column("mean")].mean() for m in MEASURES},
                        "bias": _bias(group),
                    }
                )
    return pd.DataFrame(rows)


def _bias(tasks: pd.DataFrame) -> float:
    means = dict(zip(tasks["task"], tasks["mean"], strict=True))
    found = [abs(ability_and_bias(means, pair)[1]) for pair in pairs_in(tasks)]
    return sum(found) / len(found) if found else float("nan")


def settings_summary(runs: pd.DataFrame) -> pd.DataFrame:
    """`runs_table` over seeds: for each setting, role and condition the spread of both measures.

    Columns: setting, the differing keys, role, condition, seeds, generation_low, generation_high,
    and of accuracy and reward X_mean, X_std (over seeds, n - 1), X_low, X_high; bias_mean.
    """
    kept = (
        "seed",
        "run_id",
        "generation",
        "tasks",
        "bias",
        *(measure.name for measure in MEASURES),
    )
    keys = [name for name in runs.columns if name not in kept]
    groups = runs.groupby(keys, sort=False, dropna=False)
    columns = {
        "seeds": groups["seed"].nunique(),
        "generation_low": groups["generation"].min(),
        "generation_high": groups["generation"].max(),
    }
    for measure in MEASURES:
        values = groups[measure.name]
        columns |= {
            f"{measure.name}_mean": values.mean(),
            f"{measure.name}_std": values.std(),
            f"{measure.name}_low": values.min(),
            f"{measure.name}_high": values.max(),
        }
    columns["bias_mean"] = groups["bias"].mean()
    return pd.DataFrame(columns).reset_index()


def settings_table(settings: Sequence[Setting]) -> pd.DataFrame:
    """`seeds_table` of each setting, one below the other.

    Columns: setting, the differing keys, and those of `seeds_table`.

    Raises:
        UsageError: a run has not evaluated a center yet.
    """
    frames = []
    for setting in settings:
        own = {"setting": setting.name, **setting.values}
        frame = seeds_table(setting.runs)
        for place, (key, value) in enumerate(own.items()):
            frame.insert(place, key, [as_cell(value)] * len(frame))
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def flat_setting(config: dict[str, Any]) -> dict[str, Any]:
    """A resolved configuration by dotted keys, those of old runs under their present names.

    >>> flat_setting({"evolution": {"sigma": 0.1, "init_gain": 2.0, "generations": 9}})
    {'search.name': 'es', 'search.sigma': 0.1, 'genome.init_gain': 2.0, 'evolution.generations': 9}
    """
    rest = dict(config)
    evolution, lifetime = dict(rest.pop("evolution", None) or {}), dict(rest.get("lifetime") or {})
    new: dict[str, Any] = {"search.name": "es"}
    for key, value in evolution.items():
        if key == "alternate_halves":
            new["curriculum.name"] = "alternate_halves" if value else "uniform"
        elif key in ("generations", "flat_generations"):
            new[f"evolution.{key}"] = value
        else:
            new[f"{'genome' if key in OLD_GENOME else 'search'}.{key}"] = value
    plasticity = dict(lifetime.pop("plasticity", None) or {})
    if plasticity:
        modulation = plasticity.pop("modulation", "external")
        new["rule.name"] = OLD_RULES.get(modulation, modulation)
        new |= {f"rule.{key}": value for key, value in plasticity.items()}
    if lifetime:
        rest["lifetime"] = lifetime
    return new | dict(_leaves(rest))


def _leaves(values: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, value in values.items():
        inner = isinstance(value, dict) and value
        found += _leaves(value, f"{prefix}{key}.") if inner else [(f"{prefix}{key}", value)]
    return found


def differing_keys(flats: Sequence[dict[str, Any]], first: Sequence[str]) -> list[str]:
    """Keys in which settings differ; not those that follow from the name of their section."""
    named = [
        key
        for asked in first
        for key in (asked, f"{asked}.name")
        if asked != "seed" and any(key in flat for flat in flats)
    ]
    keys = dict.fromkeys(key for flat in flats for key in flat)
    differing = [key for key in keys if len({value_text(flat.get(key)) for flat in flats}) > 1]
    others = [key for key in differing if key not in named and not _within(key, NEUTRAL)]
    others.sort(key=lambda key: not key.endswith(".name"))
    sections = [key for key in (*named, *others) if key.endswith(".name")]
    return named + [
        key
        for key in others
        if key in sections
        or not any(_follows(flats, key, name) for name in sections if _beside(key, name))
    ]


def _beside(key: str, name: str) -> bool:
    return key != name and key.startswith(name.removesuffix("name"))


def _follows(flats: Sequence[dict[str, Any]], key: str, name: str) -> bool:
    """Whether one key has one value for each value of another."""
    pairs = {(value_text(flat.get(name)), value_text(flat.get(key))) for flat in flats}
    return len({value for value, _ in pairs}) == len(pairs)


def _within(key: str, sections: Sequence[str]) -> bool:
    return any(key == section or key.startswith(f"{section}.") for section in sections)


def value_text(value: Any) -> str:
    """A value of a setting as JSON, by which equal values are told to be equal."""
    return json.dumps(value, sort_keys=True)


def as_cell(value: Any) -> Any:
    """A value that a cell of a table can hold."""
    return value if isinstance(value, int | float | str | bool) else value_text(value)


def setting_name(values: dict[str, Any]) -> str:
    """What a group of runs is called in tables and figures: the values of what differs."""
    return spoken(values, as_cell)


def spoken(values: dict[str, Any], word: Callable[[Any], Any]) -> str:
    """Settings in a line, by as few parts of their keys as tell them apart.

    >>> spoken({"search.sigma": 0.03, "warm_start.genome": None}, str)
    'sigma=0.03, from=random'
    """
    short = short_keys(["from" if key == START else key.removesuffix(".name") for key in values])
    words = [
        ("random" if value is None else str(value)[:FIRST_DIGITS]) if key == START else word(value)
        for key, value in values.items()
    ]
    return ", ".join(f"{key}={each}" for key, each in zip(short, words, strict=True))
