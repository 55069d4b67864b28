"""A generation and an evaluation in a few numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evoplastic.records.events import EvaluationEvent, Event, GenerationEvent
from evoplastic.records.names import (
    FLAT_GENERATIONS,
    TRAIN_ACCURACY,
    TRAIN_REWARD,
    UPDATE_NORM,
    loss_metric,
)
from evoplastic.search.asking import FloatArray


class Losses(NamedTuple):
    """What came of a generation's population, in the order of the individuals."""

    loss_P: NDArray[np.float64]
    accuracy_P: NDArray[np.float64]  # NaN for a task without answers
    reward_P: NDArray[np.float64]
    beside_PX: FloatArray  # what the search asked for beside losses


def last_evaluation_of(events: list[Event]) -> EvaluationEvent | None:
    """The newest evaluation among the events of a journal."""
    return next((event for event in reversed(events) if isinstance(event, EvaluationEvent)), None)


def recorded_before(events: Sequence[Event], generation: int) -> list[GenerationEvent]:
    """The generations before this one, in their order; of one that was lived twice the last."""
    found = {event.generation: event for event in events if isinstance(event, GenerationEvent)}
    return [found[number] for number in sorted(found) if number < generation]


def flat_at_the_end(recorded: Sequence[GenerationEvent]) -> int:
    """How many of the last generations told the search nothing, which then leaves its center."""
    count = 0
    for event in reversed(recorded):
        if FLAT_GENERATIONS in event.metrics:  # written by every version that knows it
            return count + int(event.metrics[FLAT_GENERATIONS])
        if event.metrics.get(UPDATE_NORM) != 0.0:
            break
        count += 1
    return count


def statistics_of(losses: Losses) -> dict[str, float]:
    """Over the individuals that did not fail; nothing when all did."""
    finite = np.isfinite(losses.loss_P)
    if not finite.any():
        return {}
    loss, accuracy = losses.loss_P[finite], losses.accuracy_P[finite]
    answered = accuracy[~np.isnan(accuracy)]
    return {
        loss_metric("mean"): float(loss.mean()),
        loss_metric("median"): float(np.median(loss)),
        loss_metric("best"): float(loss.min()),
        loss_metric("std"): float(loss.std()),
        **({TRAIN_ACCURACY: float(answered.mean())} if len(answered) else {}),
        TRAIN_REWARD: float(losses.reward_P[finite].mean()),
    }
