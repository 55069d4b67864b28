"""Streams as records keep them: the matrices and the scores of some lifetimes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evoplastic.lifetime.streams.measures import accuracy_matrix, stream_scores
from evoplastic.records.events import StreamRecord
from evoplastic.trials.course import Course

DECIMALS = 4  # a cell is a share of some ten probes


def stream_record(course: Course, correct_LK: NDArray[np.bool_]) -> StreamRecord | None:
    """What L lifetimes knew of each task after each part; None of a stream without probes."""
    if not course.probe_K.any() or course.num_trials != correct_LK.shape[1]:
        return None
    matrix_LRC = accuracy_matrix(course, correct_LK).round(DECIMALS)
    scores = stream_scores(course, correct_LK)._asdict()
    return StreamRecord(
        parts=course.parts,
        tasks=course.tasks,
        matrices=tuple(
            tuple(tuple(None if np.isnan(cell) else cell for cell in row) for row in matrix)
            for matrix in matrix_LRC.tolist()
        ),
        scores={
            name: tuple(values_L.round(DECIMALS).tolist())
            for name, values_L in scores.items()
            if not np.isnan(values_L).any()
        },
    )
