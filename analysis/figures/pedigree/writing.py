"""All figures of a pedigree with the numbers drawn in them, as files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from analysis.figures.pedigree.ancestry import figure_ancestry
from analysis.figures.pedigree.distance import figure_distance
from analysis.figures.pedigree.founders import figure_founders
from analysis.figures.style import save_figure, write_csv, write_json
from analysis.lineage.distance import field_distances
from analysis.lineage.pedigree import Pedigree, ancestry, founder_shares, read_pedigree
from analysis.store import RunRecords


def tables_of(records: RunRecords, pedigree: Pedigree) -> dict[str, pd.DataFrame]:
    """What each figure draws, by its name; without a kept genome there are no distances.

    Raises:
        UsageError: a genome of the run is corrupt.
    """
    tables = {"ancestry": ancestry(pedigree), "founders": founder_shares(pedigree)}
    distances = field_distances(records, pedigree)
    return tables | ({"distance": distances} if len(distances) else {})


def write_figures_pedigree(records: RunRecords, directory: Path) -> list[Path]:
    """Figures and numbers of a run whose search keeps individuals; nothing for any other.

    Raises:
        UsageError: a damaged pedigree or genome.
        EnvironmentFault: the directory cannot be written.
    """
    pedigree = read_pedigree(records.directory)
    return (
        [] if pedigree is None else write_tables(records, tables_of(records, pedigree), directory)
    )


def write_tables(
    records: RunRecords, tables: dict[str, pd.DataFrame], directory: Path
) -> list[Path]:
    """pedigree_NAME as PNG, SVG, PDF, CSV and JSON, for each table."""
    files: list[Path] = []
    for name, table in tables.items():
        stem = directory / f"pedigree_{name}"
        files += save_figure(_figure(name, records, tables), stem, pdf=True)
        files.append(write_csv(_flat(table), stem))
        files.append(write_json(as_records(table), stem))
    return files


def _figure(name: str, records: RunRecords, tables: dict[str, pd.DataFrame]) -> Figure:
    if name == "ancestry":
        return figure_ancestry(records, tables[name], tables["founders"])
    draw = {"founders": figure_founders, "distance": figure_distance}[name]
    return draw(records, tables[name])


def as_records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """A table as plain values, what is missing as None."""
    return [
        {name: _plain(value) for name, value in row.items()} for row in table.to_dict("records")
    ]


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if value is None or value is pd.NA or value != value:
        return None
    return value.item() if hasattr(value, "item") else value


def _flat(table: pd.DataFrame) -> pd.DataFrame:
    """Lists as words, for a file without lists."""
    lists = [name for name in ("parents", "shares") if name in table]
    words = {
        name: table[name].map(
            lambda values: " ".join(
                f"{value:.6g}" if isinstance(value, float) else str(value) for value in values
            )
        )
        for name in lists
    }
    return table.assign(**words)
