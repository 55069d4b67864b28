"""The courses of tasks as compiled engines read them: one row of whole numbers for each trial."""

from __future__ import annotations

import numpy as np

from evoplastic.trials.stacked import StackedTables
from evoplastic.types import Int64Array

COLUMNS = 6
START, SIZE, BLOCK, KEY, OFFSET, TAUGHT = range(COLUMNS)


def course_rows(tables: StackedTables, num_trials: int) -> Int64Array:
    """From where trials 0 .. K of each task are drawn, [B, K + 1, COLUMNS].

    Trial K is seen at the end of the last one.
    """
    task_B1 = np.arange(len(tables.start_B), dtype=np.int64)[:, None]
    drawn = tables.drawn(task_B1, np.arange(num_trials + 1, dtype=np.int64))
    columns = np.empty((*drawn.start.shape, COLUMNS), dtype=np.int64)
    for column, values in (
        (START, drawn.start),
        (SIZE, drawn.size),
        (BLOCK, drawn.block),
        (KEY, drawn.key),
        (OFFSET, drawn.offset),
        (TAUGHT, drawn.taught),
    ):
        columns[..., column] = values
    return columns
