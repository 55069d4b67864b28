"""Leave one family out as files: the figure, and the table behind it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from analysis.families.table import families_table, is_leave_one_out
from analysis.figures.families import figure_families
from analysis.figures.style import save_figure, write_csv
from analysis.store import RunRecords


def write_families(runs: Sequence[RunRecords], directory: Path) -> list[Path]:
    """The matrix of runs that hold out different tasks of one suite; nothing of others.

    Raises:
        UsageError: a run has not evaluated a center yet.
        EnvironmentFault: the directory cannot be written.
    """
    if not is_leave_one_out(runs):
        return []
    stem = directory / "leave_one_family_out"
    return [*save_figure(figure_families(runs), stem), write_csv(families_table(runs), stem)]
