"""Activity of many neurons as a path through few dimensions: principal components."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from analysis.inside.behaviour import kind_labels
from analysis.inside.recorded import first_and_last, neurons_of, steps_with_all
from evoplastic.checks import require

COMPONENTS = 3


class Paths(NamedTuple):
    """Means over trials of a kind, in principal components."""

    table: pd.DataFrame  # part, kind, label, step, time_ms, pc1, pc2, pc3
    explained: np.ndarray  # share of the variance of each component
    labels: dict[int, str]  # of kinds


def trajectories(
    recording: Any, groups: Sequence[str] = ("hidden", "modulators"), trials: int = 4
) -> Paths:
    """Mean rates of each kind of trial, first and last ones, in their common principal components.

    rates [part x kind x step, neuron], less their mean -> scikit-learn's `PCA`

    Args:
        recording: of `ep.run(..., record="rate")`.
        groups: groups of neurons.
        trials: how many first and last ones at most.

    Raises:
        UsageError: no rates, or a single trial.
    """
    from sklearn.decomposition import PCA

    own = neurons_of(recording, groups)
    labels = kind_labels(recording)
    rows, means = [], []
    steps = steps_with_all(own["rate"].values)
    for part, data in first_and_last(own, trials).items():
        rate_LKTN, kind_LK = data["rate"].values[:, :, :steps], data["kind"].values
        for kind, label in labels.items():
            there = kind_LK == kind
            if there.any():
                means.append(rate_LKTN[there].mean(0))
                rows.append((part, kind, label, int(there.sum())))
    require(steps >= 2, "trials have fewer than two steps in common; there is no path to draw")
    model = PCA(min(COMPONENTS, own.sizes["neuron"]), svd_solver="full")
    place = model.fit_transform(np.concatenate(means)).reshape(len(rows), steps, -1)
    table = pd.concat(
        [
            pd.DataFrame(
                {
                    "part": part,
                    "kind": kind,
                    "label": label,
                    "trials": number,
                    "step": np.arange(steps),
                    "time_ms": recording["time_ms"].values[:steps],
                    **{f"pc{at + 1}": path[:, at] for at in range(path.shape[1])},
                }
            )
            for (part, kind, label, number), path in zip(rows, place, strict=True)
        ],
        ignore_index=True,
    )
    return Paths(table, model.explained_variance_ratio_, labels)
