"""What is said under a table of tasks that are each other's negation."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from analysis.generalization import final_table
from analysis.negations import ability_and_bias, negations_phrase, pairs_in
from analysis.store import RunRecords

MOST_PAIRS = 3  # that are told one by one


def pair_sentences(plastic: pd.DataFrame) -> list[str]:
    """Ability and bias of each pair of held-out negations in one run's table; none without pairs.

    Args:
        plastic: rows of `final_table` with plasticity on.
    """
    held_out = _held_out(plastic)
    pairs = pairs_in(held_out)
    means = dict(zip(held_out["task"], held_out["mean"], strict=True))
    found = [(pair, *ability_and_bias(means, pair)) for pair in pairs]
    told = [
        f"{' and '.join(pair)}: ability {100 * ability:.0f} %, bias {100 * bias:+z.0f} %."
        for pair, ability, bias in found
    ]
    if len(pairs) > MOST_PAIRS:
        told = [_of_many([(ability, abs(bias)) for _, ability, bias in found])]
    return [negations_phrase(pairs), *told] if pairs else []


def pair_sentences_of_seeds(runs: Sequence[RunRecords]) -> list[str]:
    """The same of several seeds: means over seeds of ability, and of the size of the bias."""
    tables = [_held_out(final_table(run).query("condition == 'plastic'")) for run in runs]
    pairs = pairs_in(tables[0])
    told, numbers = [], []
    for pair in pairs:
        found = [
            ability_and_bias(dict(zip(table["task"], table["mean"], strict=True)), pair)
            for table in tables
            if set(pair) <= set(table["task"])
        ]
        ability = sum(ability for ability, _ in found) / len(found)
        size = sum(abs(bias) for _, bias in found) / len(found)
        numbers.append((ability, size))
        told.append(
            f"{' and '.join(pair)}: ability {100 * ability:.0f} %, bias {100 * size:.0f} % "
            "(its size, mean over seeds)."
        )
    if len(pairs) > MOST_PAIRS:
        told = [_of_many(numbers)]
    return [negations_phrase(pairs), *told] if pairs else []


def _of_many(numbers: Sequence[tuple[float, float]]) -> str:
    """Ability and size of the bias of many pairs in one sentence."""
    abilities, sizes = zip(*numbers, strict=True)
    return (
        f"Over these {len(numbers)} pairs: ability {100 * sum(abilities) / len(numbers):.0f} % "
        f"({100 * min(abilities):.0f} to {100 * max(abilities):.0f}), bias "
        f"{100 * sum(sizes) / len(numbers):.0f} % (its size, at most {100 * max(sizes):.0f})."
    )


def _held_out(plastic: pd.DataFrame) -> pd.DataFrame:
    return plastic[(plastic["role"] == "held_out") & plastic["mean"].notna()]
