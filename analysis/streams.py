"""What the last evaluation of a run says of streams: who knew what after which part."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.store import RunRecords
from evoplastic.records.events import StreamRecord, TaskEvaluation

SCORES = (
    "accuracy",
    "acquisition",
    "retention",
    "forgetting",
    "backward_transfer",
    "forward_transfer",
    "savings",
)


def stream_entries(run: RunRecords) -> list[tuple[TaskEvaluation, StreamRecord]]:
    """The entries of streams at the last evaluation, held-out ones first; none without streams."""
    if not run.evaluations:
        return []
    entries = [(entry, entry.stream) for entry in run.evaluations[-1].entries]
    found = [(entry, stream) for entry, stream in entries if stream is not None]
    return sorted(found, key=lambda pair: pair[0].role != "held_out")


def mean_matrix(stream: StreamRecord) -> np.ndarray:
    """Mean over lifetimes of the matrix [part, task]; NaN where nothing was probed."""
    matrix_LRC = np.array(stream.matrices, dtype=np.float64)
    return matrix_LRC.mean(0)


def matrix_table(run: RunRecords) -> pd.DataFrame:
    """A row for each stream, condition, part and probed task: mean and quartiles over lifetimes."""
    rows = []
    for entry, stream in stream_entries(run):
        matrix_LRC = np.array(stream.matrices, dtype=np.float64)
        for number, part in enumerate(stream.parts):
            for column, task in enumerate(stream.tasks):
                cell_L = matrix_LRC[:, number, column]
                q25, median, q75 = np.quantile(cell_L, (0.25, 0.5, 0.75))
                rows.append(
                    {
                        "stream": entry.task,
                        "role": entry.role,
                        "condition": entry.condition,
                        "part": number,
                        "taught": part,
                        "probed": task,
                        "lifetimes": entry.lifetimes,
                        "accuracy_mean": cell_L.mean(),
                        "accuracy_q25": q25,
                        "accuracy_median": median,
                        "accuracy_q75": q75,
                    }
                )
    return pd.DataFrame(rows)


def scores_table(run: RunRecords) -> pd.DataFrame:
    """A row for each stream and condition: the mean of each score over lifetimes."""
    rows = [
        {
            "stream": entry.task,
            "role": entry.role,
            "condition": entry.condition,
            **{name: float(np.mean(stream.scores.get(name, [np.nan]))) for name in SCORES},
        }
        for entry, stream in stream_entries(run)
    ]
    return pd.DataFrame(rows)
