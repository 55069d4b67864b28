"""Learning within a lifetime: share of correct trials and reward at each trial, as a table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.generalization import levels_of
from analysis.measures import MEASURES
from analysis.store import RunRecords
from evoplastic.records.events import TaskEvaluation

SMOOTHING_TRIALS = 20  # width of the moving average of a learning curve
CURVE_COLUMNS = [
    "task",
    "role",
    "condition",
    "center",
    "generation",
    "trial",
    "correct",
    "moving_average",
    "lifetimes",
    "chance",
    "fixed_policy_level",
    "reward",
    "reward_moving_average",
    "reward_chance",
    "reward_fixed_policy",
    "reward_oracle",
]


def learning_curves(records: RunRecords) -> pd.DataFrame:
    """Share of correct trials and reward at each trial of a lifetime, first and last center.

    Columns: task, role, condition, center ("first" or "last"), generation, trial (from 1),
    correct (mean over lifetimes), moving_average, lifetimes, chance, fixed_policy_level, reward
    (of a trial, mean over lifetimes), reward_moving_average, reward_chance, reward_fixed_policy,
    reward_oracle. What a task does not have is NaN. Empty when no evaluation kept its curves.
    """
    with_curves = [
        evaluation for evaluation in records.evaluations if any(map(_has_curve, evaluation.entries))
    ]
    centers = dict(zip(("first", "last"), with_curves[:1] + with_curves[1:][-1:], strict=False))
    frames = [
        _curves_of(entry).assign(center=center, generation=evaluation.generation)
        for center, evaluation in centers.items()
        for entry in evaluation.entries
        if _has_curve(entry)
    ]
    if not frames:
        return pd.DataFrame(columns=CURVE_COLUMNS)
    return pd.concat(frames, ignore_index=True)[CURVE_COLUMNS]


def _has_curve(entry: TaskEvaluation) -> bool:
    return entry.curve is not None or entry.reward_curve is not None


def _curves_of(entry: TaskEvaluation) -> pd.DataFrame:
    num_trials = len(entry.curve or entry.reward_curve or ())
    unknown = np.full(num_trials, np.nan)
    columns: dict[str, object] = {}
    for measure, curve in zip(MEASURES, (entry.curve, entry.reward_curve), strict=True):
        columns[measure.curve] = unknown if curve is None else np.array(curve)
        columns[measure.smooth_curve] = (
            unknown if curve is None else moving_average(curve, smoothing_trials(num_trials))
        )
    return pd.DataFrame(
        {
            "task": entry.task,
            "role": entry.role,
            "condition": entry.condition,
            "trial": np.arange(1, num_trials + 1),
            "lifetimes": entry.lifetimes,
            **columns,
            **levels_of(entry),
        }
    )


def smoothing_trials(num_trials: int) -> int:
    """Width of the moving average over a lifetime: 20 trials, a tenth of a short lifetime."""
    return max(1, min(SMOOTHING_TRIALS, num_trials // 10))


def moving_average(values: Sequence[float], width: int) -> np.ndarray:
    """Mean over a centred window of `width` trials, fewer at both ends: [K] -> [K].

    >>> moving_average([0.0, 1.0, 0.0, 1.0], width=3).round(2).tolist()
    [0.5, 0.33, 0.67, 0.5]
    """
    total = np.concatenate([[0.0], np.cumsum(np.asarray(values, dtype=np.float64))])
    trial = np.arange(len(values))
    start = np.maximum(trial - (width - 1) // 2, 0)
    stop = np.minimum(trial + width // 2 + 1, len(values))
    return (total[stop] - total[start]) / (stop - start)
