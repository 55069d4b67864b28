"""Tasks of a run that are each other's negation: the same is shown, and other answers are wanted.

A network that only prefers one answer is right in one of the two as often as it is wrong in the
other. So a mean over both is told as two numbers:

    ability = (first + second) / 2     half the answers, if there is nothing but a preference
    bias    = (first - second) / 2     how far the network prefers what the first one wants
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import pandas as pd

from analysis.store import RunRecords
from tasks.suites.negations import Pair, negations_of

BIAS_MEANS = (
    "bias: half of what two held-out tasks differ by that show the same and want opposite\n"
    "answers (as dms and dnms); a network that only prefers one has 50 % held-out, 50 % bias"
)
NEGATION = "negation"  # column of a table of tasks: the other one of a pair, "" for none


def held_out_pairs(run: RunRecords) -> tuple[Pair, ...]:
    """The negations among the held-out tasks that a run has evaluated."""
    held_out = {e.task for event in run.evaluations for e in event.entries if e.role == "held_out"}
    return tuple(pair for pair in negations_of(run.start, run.config) if held_out.issuperset(pair))


def with_negations(table: pd.DataFrame, run: RunRecords) -> pd.DataFrame:
    """A table of tasks with the column that names the negation of each."""
    other: dict[str, str] = {}
    for first, second in negations_of(run.start, run.config):
        other |= {first: second, second: first}
    return table.assign(**{NEGATION: [other.get(task, "") for task in table["task"]]})


def pairs_in(tasks: pd.DataFrame) -> tuple[Pair, ...]:
    """The negations among the rows of a table with that column, in the order of the rows."""
    other = dict(zip(tasks["task"], tasks[NEGATION], strict=True))
    return tuple(pair for pair in combinations(other, 2) if other[pair[0]] == pair[1])


def ability_and_bias(means: Mapping[str, float], pair: Pair) -> tuple[float, float]:
    """Half the sum and half the difference.

    >>> ability_and_bias({"dms": 1.0, "dnms": 0.0}, ("dms", "dnms"))
    (0.5, 0.5)
    """
    first, second = (means[task] for task in pair)
    return (first + second) / 2, (first - second) / 2


def is_one_pair(tasks: Sequence[str], pairs: Sequence[Pair]) -> bool:
    """Whether tasks are two negations and nothing else, so that their mean is an ability."""
    return len(tasks) == 2 and any(set(pair) == set(tasks) for pair in pairs)


def negations_phrase(pairs: Sequence[Pair], most: int = 3) -> str:
    """What a reader must know of a mean over such tasks, in one sentence; "" for no pair.

    >>> negations_phrase([("dms", "dnms")])[:53]
    'dms and dnms show the same and want opposite answers.'
    """
    if not pairs:
        return ""
    shown = pairs if len(pairs) <= most else pairs[:1]  # of many, one for all
    names = ", ".join(f"{first} and {second}" for first, second in shown)
    more = f" and {len(pairs) - len(shown)} more pairs" if len(pairs) > most else ""
    return (
        f"{names}{more} show the same and want opposite answers. A network that only prefers one "
        "answer has a mean of 50 % over both, so their mean is called ability, and half their "
        "difference bias (positive: it prefers what the first one wants)."
    )
