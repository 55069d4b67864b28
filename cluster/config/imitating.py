"""Recorded activity that a configuration names, written out: a run needs the file no more."""

from __future__ import annotations

from typing import Any

from evoplastic.checks import require, require_known
from evoplastic.lifetime.imitation.activity import read_activity
from evoplastic.lifetime.imitation.similarity import MEASURES, matrix_of

SECTION = "imitation"
READ_FROM = ("imitation.file", "imitation.measure")  # what conditions and matrix depend on
WRITTEN_OUT = ("conditions", "matrix")
MOST_CONDITIONS = 48  # so that configurations stay files that people read


def forget(values: dict[str, Any]) -> None:
    """Leave out what was read from a file, since another one, or another measure, is asked for."""
    section = values.get(SECTION)
    if isinstance(section, dict):
        for name in WRITTEN_OUT:
            section.pop(name, None)


def write_out(values: dict[str, Any]) -> None:
    """Read the activity that a section names, and put conditions and matrix into the section.

    Raises:
        UsageError: a file that cannot be read, or holds no activity.
    """
    section = values.get(SECTION)
    if not isinstance(section, dict) or section.get("matrix") or not section.get("file"):
        return
    file, measure = section["file"], section.get("measure", "cka")
    require(isinstance(file, str), f"imitation.file is {file!r}, expected the name of a CSV file")
    require_known("measure of similarity", str(measure), MEASURES)
    activity = read_activity(file)
    require(
        len(activity.conditions) <= MOST_CONDITIONS,
        f"{file} has {len(activity.conditions)} conditions, imitation takes at most "
        f"{MOST_CONDITIONS}; leave some out",
    )
    matrix_CC = matrix_of(activity.pattern_CU, str(measure))
    section["conditions"] = list(activity.conditions)
    section["matrix"] = [[float(f"{value:.9g}") for value in row] for row in matrix_CC]
