"""Task variance: how much of a neuron's activity belongs to which task, and groups of like neurons.

Yang, Joglekar, Song, Newsome & Wang (2019), "Task representations in neural networks trained to
perform many cognitive tasks", Nature Neuroscience 22:297-306, figures 2 to 4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from analysis.inside.recorded import neurons_of, steps_with_all
from evoplastic.checks import require

SILENT = 1e-3  # summed variance below which a neuron is left out, as published
MOST_CLUSTERS = 12
STARTS = 20  # of k-means
FEWEST_NEURONS = 3


class Clusters(NamedTuple):
    """Neurons by what they vary with."""

    variance: pd.DataFrame  # a row for each neuron, a column for each task
    normalised: pd.DataFrame  # the same by each neuron's largest, silent neurons left out
    cluster: pd.Series  # of each neuron that is not silent, from 1 on, largest cluster first
    silhouette: pd.Series  # mean silhouette by number of clusters

    @property
    def number(self) -> int:
        """How many clusters."""
        return int(self.cluster.max())


def task_variance(recordings: Mapping[str, Any], groups: Sequence[str] = ("hidden",)) -> Any:
    """The task variance of each neuron in each task.

        variance = mean over time of the variance over kinds of trial of the mean rate

    Args:
        recordings: of rates, by task.
        groups: groups of neurons.

    Returns:
        A table, a row for each neuron and a column for each task.

    Raises:
        UsageError: a task of which a single kind of trial was recorded.
    """
    found = {}
    for task, recording in recordings.items():
        own = neurons_of(recording, groups)
        rate_LKTN, kind_LK = own["rate"].values, own["kind"].values
        steps = steps_with_all(rate_LKTN)
        kinds = np.unique(kind_LK)
        require(
            len(kinds) > 1 and steps > 0,
            f"of task {task} a single kind of trial was recorded, there is no variance between "
            "kinds; record more trials or lifetimes",
        )
        mean_MTN = np.stack([rate_LKTN[kind_LK == kind, :steps].mean(0) for kind in kinds])
        found[task] = pd.Series(
            mean_MTN.astype(np.float64).var(0).mean(0), index=own["neuron"].values
        )
    return pd.DataFrame(found).rename_axis("neuron")


def clustered(variance: pd.DataFrame, *, seed: int = 0, number: int | None = None) -> Clusters:
    """Neurons grouped by their normalised task variance.

    k-means (scikit-learn's, of 20 starts) of rows variance / largest of the neuron; of all numbers
    of clusters up to 12 the one of the largest mean silhouette.

    Args:
        variance: of `task_variance`.
        seed: of the starts.
        number: of clusters; none means by silhouette.

    Raises:
        UsageError: fewer than three neurons that vary, or two tasks.
    """
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score
    from threadpoolctl import threadpool_limits

    require(
        variance.shape[1] > 1,
        f"task variance is compared between tasks, the suite has {variance.shape[1]}; expected two "
        "or more",
    )
    active = variance[variance.sum(axis=1) > SILENT]
    normalised = active.div(active.max(axis=1), axis=0)
    distinct = len(normalised.round(9).drop_duplicates())
    require(
        distinct >= FEWEST_NEURONS,
        f"{distinct} neurons vary with the kind of trial, clusters take at least {FEWEST_NEURONS}; "
        "use a network that has learnt something, or record more trials",
    )
    silhouette = {}
    labels = {}
    numbers = range(2, min(MOST_CLUSTERS, distinct - 1) + 1) if number is None else [number]
    with threadpool_limits(1):  # so few numbers that threads would wait for each other
        for k in numbers:
            model = KMeans(k, n_init=STARTS, random_state=seed)
            labels[k] = model.fit_predict(normalised.to_numpy())
            silhouette[k] = float(silhouette_score(normalised.to_numpy(), labels[k]))
    best = max(silhouette, key=lambda k: silhouette[k])
    sizes = np.bincount(labels[best])
    rank = np.empty(best, dtype=int)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(1, best + 1)
    cluster = pd.Series(rank[labels[best]], index=normalised.index, name="cluster")
    return Clusters(variance, normalised, cluster, pd.Series(silhouette, name="silhouette"))


def fractional_variance(variance: pd.DataFrame, first: str, second: str) -> pd.Series:
    """(TV_first - TV_second) / (TV_first + TV_second) of each neuron: 1 or -1 if it varies in one
    of two tasks alone, 0 if it varies in both alike."""
    both = variance[variance[[first, second]].sum(axis=1) > SILENT]
    return (both[first] - both[second]) / (both[first] + both[second])


def like_and_unlike(variance: pd.DataFrame) -> list[tuple[str, str]]:
    """The two tasks whose fractional variances are closest to 0, and those that are furthest."""
    names = list(variance.columns)
    pairs = [(a, b) for place, a in enumerate(names) for b in names[place + 1 :]]
    spread = {pair: float(fractional_variance(variance, *pair).abs().mean()) for pair in pairs}
    ordered = sorted(pairs, key=lambda pair: spread[pair])
    return [ordered[0], ordered[-1]] if len(ordered) > 1 else ordered
