"""Tables of a comparison: seeds, settings, and every two settings against each other."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import pandas as pd

from analysis.effects.groups import Compared, Group
from analysis.effects.statistics import (
    FEWEST_SEEDS,
    holm,
    mean_interval,
    paired_difference,
    unpaired_difference,
)
from analysis.settings import as_cell


@dataclass(frozen=True)
class EffectsReport:
    """What was compared, and what came out."""

    compared: Compared
    confidence: float
    seeds: pd.DataFrame  # `seeds_of`
    groups: pd.DataFrame  # `groups_table`
    effects: pd.DataFrame  # `effects_table`


def report_of(compared: Compared, confidence: float) -> EffectsReport:
    """All tables of a comparison, with intervals of this confidence."""
    return EffectsReport(
        compared=compared,
        confidence=confidence,
        seeds=seeds_of(compared),
        groups=groups_table(compared, confidence),
        effects=effects_table(compared, confidence),
    )


def seeds_of(compared: Compared) -> pd.DataFrame:
    """One row for each setting and seed: setting, the keys, seed, score, bias of each pair."""
    return pd.DataFrame(
        [
            {
                "setting": group.name,
                **{key: as_cell(value) for key, value in group.values.items()},
                "seed": seed,
                "score": value,
                **{bias_column(pair): group.bias[pair][seed] for pair in compared.pairs},
            }
            for group in compared.groups
            for seed, value in group.scores.items()
        ]
    )


def groups_table(compared: Compared, confidence: float) -> pd.DataFrame:
    """One row for each setting, its seeds together.

    Columns: setting, seeds, mean, low, high (bootstrap over seeds), smallest, largest, bias_size of
    each pair (mean over seeds, some of which may prefer the one and some the other), chance,
    fixed_policy.
    """
    rows = []
    for group in compared.groups:
        values_S = group.scores_of(group.seeds)
        low, high = mean_interval(values_S, confidence)
        rows.append(
            {
                "setting": group.name,
                "seeds": len(group.seeds),
                "mean": values_S.mean(),
                "low": low,
                "high": high,
                "smallest": values_S.min(),
                "largest": values_S.max(),
                **{size_column(pair): _bias_size(group, pair) for pair in compared.pairs},
                "chance": group.chance,
                "fixed_policy": group.fixed_policy,
            }
        )
    return pd.DataFrame(rows)


def effects_table(compared: Compared, confidence: float) -> pd.DataFrame:
    """One row for every two settings, the second minus the first.

    Columns: first, second, paired (whether by seed), seeds (pairs, or of both settings as "5 + 4"),
    difference, low, high (bootstrap over seeds), p (permutations, two-sided), p_holm (corrected for
    the number of rows), smallest_p (that so many seeds can have), bias_size of each pair.
    """
    rows = []
    for first, second in combinations(compared.groups, 2):
        common = [seed for seed in first.seeds if seed in second.seeds]
        paired = pairs_by_seed(first, second)
        if paired:
            found = paired_difference(first.scores_of(common), second.scores_of(common), confidence)
        else:
            found = unpaired_difference(
                first.scores_of(first.seeds), second.scores_of(second.seeds), confidence
            )
        rows.append(
            {
                "first": first.name,
                "second": second.name,
                "paired": paired,
                "seeds": str(len(common))
                if paired
                else f"{len(first.seeds)} + {len(second.seeds)}",
                "difference": found.mean,
                "low": found.low,
                "high": found.high,
                "p": found.p,
                "smallest_p": found.smallest_p,
                **{
                    size_column(pair): _bias_size(second, pair) - _bias_size(first, pair)
                    for pair in compared.pairs
                },
            }
        )
    table = pd.DataFrame(rows)
    table.insert(table.columns.get_loc("p") + 1, "p_holm", holm(list(table["p"])))
    return table


def pairs_by_seed(first: Group, second: Group) -> bool:
    """Whether all seeds of the smaller of two settings are seeds of the other, too."""
    common = set(first.seeds) & set(second.seeds)
    return len(common) >= max(FEWEST_SEEDS, min(len(first.seeds), len(second.seeds)))


def bias_column(pair: tuple[str, str]) -> str:
    """Column of the bias between two negations.

    >>> bias_column(("dms", "dnms"))
    'bias dms - dnms'
    """
    return f"bias {pair[0]} - {pair[1]}"


def size_column(pair: tuple[str, str]) -> str:
    """Column of the size of that bias, whatever its sign."""
    return f"bias_size {pair[0]} - {pair[1]}"


def _bias_size(group: Group, pair: tuple[str, str]) -> float:
    return sum(map(abs, group.bias[pair].values())) / len(group.seeds)


def as_plain(report: EffectsReport) -> dict[str, Any]:
    """All numbers as plain values; what is not a number is null."""
    compared = report.compared
    return {
        "by": list(compared.keys),
        "score": compared.score,
        "tasks": list(compared.tasks),
        "measure": compared.measure.name,
        "generation": compared.generation,
        "confidence": report.confidence,
        "averaged_over": list(compared.averaged_over),
        "negations": [list(pair) for pair in compared.pairs],
        "left_out": list(compared.left_out),
        "settings": [
            {
                **row,
                "values": {key: as_cell(value) for key, value in group.values.items()},
                "run_ids": [run.run_id for run in group.runs],
                "scores": {str(seed): value for seed, value in group.scores.items()},
            }
            for row, group in zip(_rows(report.groups), compared.groups, strict=True)
        ],
        "comparisons": _rows(report.effects),
    }


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    found = json.loads(table.to_json(orient="records", double_precision=15))
    assert isinstance(found, list)
    return found
