"""Figures of environments that evolved, with their numbers, as files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from analysis.environments.reading import read_evolved
from analysis.figures.environments.annecs import annecs_table, figure_annecs
from analysis.figures.environments.tree import figure_tree
from analysis.figures.style import save_figure, write_csv
from analysis.store import RunRecords


def write_figures_environments(records: RunRecords, directory: Path) -> list[Path]:
    """The tree of environments, transfers and ANNECS; nothing of a run whose tasks do not evolve.

    Raises:
        UsageError: a damaged table.
        EnvironmentFault: the directory cannot be written.
    """
    evolved = read_evolved(records.directory)
    if evolved is None:
        return []
    tree = directory / "environments"
    return [
        *save_figure(figure_tree(records, evolved), tree),
        write_csv(evolved.environments, tree),
        write_csv(evolved.transfers, directory / "transfers"),
        *write_figures_annecs([records], directory),
    ]


def write_figures_annecs(runs: Sequence[RunRecords], directory: Path) -> list[Path]:
    """ANNECS of some runs beside each other; nothing where no tasks evolve.

    Raises:
        EnvironmentFault: the directory cannot be written.
    """
    table = annecs_table(runs)
    if not len(table):
        return []
    known = set(table.run)
    stem = directory / "annecs"
    figure = figure_annecs([run for run in runs if run.run_id in known], table)
    return [*save_figure(figure, stem), write_csv(table, stem)]
