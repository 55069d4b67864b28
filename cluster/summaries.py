"""A generation and an evaluation in a few numbers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evoplastic import records
from evoplastic.records import EvaluationEvent, Event


class Losses(NamedTuple):
    """What came of a generation's population, in the order of the individuals."""

    loss_P: NDArray[np.float64]
    accuracy_P: NDArray[np.float64]  # NaN for a task without answers
    reward_P: NDArray[np.float64]


def last_evaluation_of(events: list[Event]) -> EvaluationEvent | None:
    """The newest evaluation among the events of a journal."""
    return next((event for event in reversed(events) if isinstance(event, EvaluationEvent)), None)


def statistics_of(losses: Losses) -> dict[str, float]:
    """Over the individuals that did not fail; nothing when all did."""
    finite = np.isfinite(losses.loss_P)
    if not finite.any():
        return {}
    loss, accuracy = losses.loss_P[finite], losses.accuracy_P[finite]
    answered = accuracy[~np.isnan(accuracy)]
    return {
        records.loss_metric("mean"): float(loss.mean()),
        records.loss_metric("median"): float(np.median(loss)),
        records.loss_metric("best"): float(loss.min()),
        records.loss_metric("std"): float(loss.std()),
        **({records.TRAIN_ACCURACY: float(answered.mean())} if len(answered) else {}),
        records.TRAIN_REWARD: float(losses.reward_P[finite].mean()),
    }
