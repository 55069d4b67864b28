"""Tasks of a run that are each other's negation, for whoever reads its records."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from evoplastic.checks import UsageError
from evoplastic.records.events import StartEvent
from tasks.suites.loading import known_suites, load_suite

Pair = tuple[str, str]


def negations_of(start: StartEvent, config: Mapping[str, Any]) -> tuple[Pair, ...]:
    """Pairs of tasks of one role, found from their trials when the run began.

    Runs of earlier versions have not written them down. Where the suite is one of ours whose tasks
    are finite mappings, they are found now; of other suites nothing is known.

    Args:
        start: the first event of the run.
        config: its resolved configuration.
    """
    if start.negations is not None:
        return start.negations
    table = config.get("task_table")
    return _of_suite(str(config.get("suite", "")), table if isinstance(table, str) else None)


@lru_cache(maxsize=16)
def _of_suite(name: str, table: str | None) -> tuple[Pair, ...]:
    try:
        return load_suite(name, table).negations if name in known_suites("fixed_timing") else ()
    except UsageError:  # the suite is not what it was
        return ()
