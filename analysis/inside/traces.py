"""Modulation, prediction error and plastic change: within a trial, and along a lifetime."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from analysis.inside.behaviour import kind_labels
from analysis.inside.recorded import first_and_last, require_fields


def within_trial(recording: Any) -> pd.DataFrame:
    """Rates of the response neurons and the modulatory signal at each step, by kind of trial.

    Mean and standard deviation over lives and the first, or the last, recorded trials; kind -1 is
    all kinds together.

    Returns:
        Columns part, quantity (`mod`, `response 0`, ...), kind, label, time_ms, mean, std.

    Raises:
        UsageError: no rates or no modulation, or a single trial.
    """
    require_fields(recording, "rate", "mod")
    labels = {-1: "all", **kind_labels(recording)}
    response = np.flatnonzero(recording["group"].values == "response")
    rows = []
    for part, data in first_and_last(recording).items():
        quantities = {"mod": data["mod"].values}
        for number, neuron in enumerate(response):
            quantities[f"response {number}"] = data["rate"].values[..., neuron]
        for quantity, value_LKT in quantities.items():
            for kind, label in labels.items():
                there = (data["kind"].values == kind) | (kind == -1)
                if not there.any():
                    continue
                own = value_LKT[there].astype(np.float64)
                seen = ~np.isnan(own).all(0)
                rows.append(
                    pd.DataFrame(
                        {
                            "part": part,
                            "quantity": quantity,
                            "kind": kind,
                            "label": label,
                            "time_ms": recording["time_ms"].values[seen],
                            "mean": np.nanmean(own[:, seen], axis=0),
                            "std": np.nanstd(own[:, seen], axis=0),
                        }
                    )
                )
    return pd.concat(rows, ignore_index=True)


def along_lifetime(lives: Any, alpha: np.ndarray) -> pd.DataFrame:
    """Prediction error, modulation and plastic change of each trial.

        change[k] = root mean square over connections of alpha (p[k] - p[k - 1]),   p = 0 at birth
        distance[k] = root mean square of alpha p[k], how far from birth the connections are

    Args:
        lives: of `ep.run(..., record=("mod", "p"))`; without prediction errors, which take all
            trials, that column is NaN. Where trials are left out, a change is that since the trial
            recorded before.
        alpha: coefficients [target, source].

    Returns:
        A row for each life and trial: life, trial, kind, correct, prediction_error, modulation
        (mean over steps of |mod|), change, distance.
    """
    require_fields(lives, "mod", "p")
    p = lives["p"].values
    before = np.concatenate([np.zeros_like(p[:, :1]), p[:, :-1]], axis=1)
    life, trial = np.meshgrid(lives["life"].values, lives["trial"].values, indexing="ij")
    size = np.abs(lives["mod"].values)

    def rms(values: np.ndarray) -> np.ndarray:
        found: np.ndarray = np.sqrt(np.mean((alpha * values) ** 2, axis=(2, 3)))
        return found

    known = "prediction_error" in lives.coords
    return pd.DataFrame(
        {
            "life": life.ravel(),
            "trial": trial.ravel(),
            "kind": lives["kind"].values.ravel(),
            "correct": lives["correct"].values.ravel(),
            "prediction_error": lives["prediction_error"].values.ravel() if known else np.nan,
            "modulation": np.nanmean(size, axis=2).ravel(),
            "change": rms(p - before).ravel(),
            "distance": rms(p).ravel(),
        }
    )
