"""What is said under a table of tasks that are each other's negation."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from analysis.generalization import final_table
from analysis.negations import ability_and_bias, negations_phrase, pairs_in
from analysis.store import RunRecords


def pair_sentences(plastic: pd.DataFrame) -> list[str]:
    """Ability and bias of each pair of held-out negations in one run's table; none without pairs.

    Args:
        plastic: rows of `final_table` with plasticity on.
    """
    held_out = _held_out(plastic)
    pairs = pairs_in(held_out)
    means = dict(zip(held_out["task"], held_out["mean"], strict=True))
    told = []
    for pair in pairs:
        ability, bias = ability_and_bias(means, pair)
        told.append(
            f"{' and '.join(pair)}: ability {100 * ability:.0f} %, bias {100 * bias:+z.0f} %."
        )
    return [negations_phrase(pairs), *told] if pairs else []


def pair_sentences_of_seeds(runs: Sequence[RunRecords]) -> list[str]:
    """The same of several seeds: means over seeds of ability, and of the size of the bias."""
    tables = [_held_out(final_table(run).query("condition == 'plastic'")) for run in runs]
    pairs = pairs_in(tables[0])
    told = []
    for pair in pairs:
        found = [
            ability_and_bias(dict(zip(table["task"], table["mean"], strict=True)), pair)
            for table in tables
            if set(pair) <= set(table["task"])
        ]
        ability = sum(ability for ability, _ in found) / len(found)
        size = sum(abs(bias) for _, bias in found) / len(found)
        told.append(
            f"{' and '.join(pair)}: ability {100 * ability:.0f} %, bias {100 * size:.0f} % "
            "(its size, mean over seeds)."
        )
    return [negations_phrase(pairs), *told] if pairs else []


def _held_out(plastic: pd.DataFrame) -> pd.DataFrame:
    return plastic[(plastic["role"] == "held_out") & plastic["mean"].notna()]
