"""Tasks of a run that are each other's negation: the same is shown, and other answers are wanted.

A network that only prefers one answer is right in one of the two as often as it is wrong in the
other. So a mean over both is told as two numbers:

    ability = (first + second) / 2     half the answers, if there is nothing but a preference
    bias    = (first - second) / 2     how far the network prefers what the first one wants
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from analysis.store import RunRecords
from evoplastic.checks import UsageError

Pair = tuple[str, str]


def negations_of(run: RunRecords) -> tuple[Pair, ...]:
    """Pairs of tasks of one role, found from their trials when the run began.

    Runs of earlier versions have not written them down. Where the suite is one of ours whose tasks
    are finite mappings, they are found now; of other suites nothing is known.
    """
    if run.start.negations is not None:
        return run.start.negations
    return _of_suite(str(run.config.get("suite", "")), run.config.get("task_table"))


@lru_cache(maxsize=16)
def _of_suite(name: str, table: str | None) -> tuple[Pair, ...]:
    from tasks.suites.loading import known_suites, load_suite

    if name not in known_suites("fixed_timing"):
        return ()
    try:
        return load_suite(name, table).negations
    except UsageError:  # the suite is not what it was
        return ()


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
    names = ", ".join(f"{first} and {second}" for first, second in pairs[:most])
    more = f" and {len(pairs) - most} more pairs" if len(pairs) > most else ""
    return (
        f"{names}{more} show the same and want opposite answers. A network that only prefers one "
        "answer has a mean of 50 % over both, so their mean is called ability, and half their "
        "difference bias (positive: it prefers what the first one wants)."
    )
