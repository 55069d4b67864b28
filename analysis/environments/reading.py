"""The tables of a run in which tasks evolved."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from analysis.store import RunRecords
from evoplastic.checks import UsageError, require
from evoplastic.records.names import ENVIRONMENTS_NAME, POET_ANNECS, TRANSFERS_NAME

ENVIRONMENTS = (
    *("environment", "parent", "born", "retired", "solved", "solver", "novelty", "counts"),
    *("score", "difficulty", "specification"),
)
TRANSFERS = ("generation", "source", "target", "kind", "score", "incumbent", "accepted")


class Evolved(NamedTuple):
    """Environments, and the genomes that were tried in others than their own."""

    environments: pd.DataFrame
    transfers: pd.DataFrame


def read_evolved(directory: Path) -> Evolved | None:
    """The tables of a run; None where its tasks do not evolve.

    Raises:
        UsageError: a damaged table, or one of the two is missing.
    """
    paths = directory / ENVIRONMENTS_NAME, directory / TRANSFERS_NAME
    if not any(path.is_file() for path in paths):
        return None
    environments, transfers = (
        _read(path, columns) for path, columns in zip(paths, (ENVIRONMENTS, TRANSFERS), strict=True)
    )
    known = set(environments.environment)
    named = [environments.parent.dropna(), environments.solver.dropna()]
    lost = {name for names in (*named, transfers.source, transfers.target) for name in names}
    require(
        lost <= known and environments.environment.is_unique,
        f"{paths[0]} lacks environments that are named elsewhere ({sorted(lost - known)[:3]}); "
        "restore both tables from a copy",
    )
    return Evolved(environments, transfers)


def _read(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    try:
        table = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} is missing or damaged ({error}); restore it") from error
    lacking = [name for name in columns if name not in table]
    require(not lacking, f"{path} lacks the columns {lacking}; restore it from a copy")
    return table


def annecs_by_generation(records: RunRecords) -> pd.DataFrame:
    """ANNECS after each generation, and the environments created by then; no rows where tasks do
    not evolve."""
    rows: list[dict[str, Any]] = [
        {
            "run": records.run_id,
            "seed": records.seed,
            "transfers": bool((records.config.get("poet") or {}).get("transfers", True)),
            "generation": event.generation + 1,
            "annecs": event.metrics[POET_ANNECS],
            "created": event.metrics["poet/created"],
        }
        for event in records.generations
        if POET_ANNECS in event.metrics
    ]
    columns = ["run", "seed", "transfers", "generation", "annecs", "created"]
    return pd.DataFrame(rows, columns=columns)


def tree_order(environments: pd.DataFrame) -> list[str]:
    """Names with each environment before its children, and these beneath it, the youngest first.

    So no line from a parent to a child crosses the row of an older child.
    """
    children: dict[str | None, list[str]] = {}
    for name, parent in zip(environments.environment, environments.parent, strict=True):
        children.setdefault(parent if isinstance(parent, str) else None, []).append(name)
    order: list[str] = []
    todo: list[str] = _oldest_last(children.get(None, []))
    while todo:
        name = todo.pop()
        order.append(name)
        todo += children.get(name, [])
    return order


def _oldest_last(names: Sequence[str]) -> list[str]:
    return list(reversed(names))
