"""Recorded activity from a file: a line for each condition, a column for each unit.

    condition,unit1,unit2,...
    0 0,1.5,0.2,...
    0 1,...

Conditions are named as the kinds of trial of the task are: by what the stimuli show in order
(`0 1`), or `kind 3` where that does not tell them apart.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evoplastic.checks import require
from evoplastic.reading import read_text

FIRST_COLUMN = "condition"
MOST_BYTES = 1 << 26
MOST_CONDITIONS = 128


class Activity(NamedTuple):
    """What was recorded, of C conditions and U units."""

    conditions: tuple[str, ...]
    pattern_CU: NDArray[np.float64]


def read_activity(path: str | Path) -> Activity:
    """The activity in a CSV file.

    Raises:
        UsageError: no such file; another header, a condition twice, a value that is no number or
            missing (naming the line), or more conditions than are compared.
    """
    path = Path(path)
    rows = list(csv.reader(io.StringIO(read_text(path, "activity file", MOST_BYTES))))
    rows = [row for row in rows if row]
    require(
        len(rows) > 1 and rows[0][0].strip() == FIRST_COLUMN and len(rows[0]) > 1,
        f"activity file {path} begins with {','.join(rows[0])[:60] if rows else 'nothing'!r}, "
        f"expected a header `{FIRST_COLUMN},unit1,...` and a line for each condition",
    )
    require(
        len(rows) <= MOST_CONDITIONS + 1,
        f"activity file {path} has {len(rows) - 1} conditions, at most {MOST_CONDITIONS} are "
        "compared; average over trials",
    )
    names, values = [], []
    for number, row in enumerate(rows[1:], start=2):
        require(
            len(row) == len(rows[0]),
            f"{path}, line {number}: {len(row)} columns, the header has {len(rows[0])}",
        )
        names.append(row[0].strip())
        values.append([_number(text, path, number) for text in row[1:]])
    twice = sorted({name for name in names if names.count(name) > 1})
    require(not twice, f"{path}: condition {twice[:1]} is there twice; average over trials")
    return Activity(tuple(names), np.array(values))


def order_of(conditions: Sequence[str], known: Sequence[str], task: str) -> list[int]:
    """For each kind of trial of a task, in order, the place of its condition.

    Raises:
        UsageError: other conditions than the task has, naming both.
    """
    missing = [name for name in known if name not in conditions]
    unknown = [name for name in conditions if name not in known]
    require(
        not missing and not unknown,
        f"activity has the conditions {', '.join(conditions[:12])}; task {task!r} has "
        f"{', '.join(known[:12])}"
        + (f"; missing: {', '.join(missing[:6])}" if missing else "")
        + (f"; unknown: {', '.join(unknown[:6])}" if unknown else "")
        + "; name the lines by what the stimuli show, or choose the task that was recorded",
    )
    return [list(conditions).index(name) for name in known]


def _number(text: str, path: Path, line: int) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    require(math.isfinite(value), f"{path}, line {line}: {text!r} is no finite number")
    return value
