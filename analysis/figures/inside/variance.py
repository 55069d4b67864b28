"""Figure of task variance, clusters of neurons, and what a lesion of each does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from analysis.figures.inside.sheet import Drawn, colour_bar, sheet, source_of
from analysis.figures.style import COLOURS, GREY, ROLE_COLOUR, drawing
from analysis.inside.variance import Clusters, fractional_variance, like_and_unlike

NEURON_INCHES, TASK_INCHES = 0.055, 0.2


def figure_task_variance(clusters: Clusters, lesions: Any, recording: Any) -> Drawn:
    """Normalised task variance, neurons ordered by cluster; change of each task's score by a lesion
    of each cluster; distributions of fractional variance of a like and an unlike pair of tasks.

    Args:
        clusters: of `analysis.inside.variance.clustered`.
        lesions: of `ep.probe(..., each=True)`, an intervention for each cluster in order, with the
            roles of tasks; none if none were made.
        recording: one of those behind the clusters, which says where they come from.
    """
    held_out = set()
    if lesions is not None:
        held_out = set(lesions["task"].values[lesions["role"].values == "held_out"].tolist())
    order = clusters.cluster.sort_values(kind="stable").index
    tasks = list(clusters.variance.columns)
    pairs = like_and_unlike(clusters.variance)
    change = _change(lesions, tasks) if lesions is not None else None
    silent = len(clusters.variance) - len(order)
    caption = (
        "Left: variance of each hidden neuron between kinds of trial, mean over time, by its "
        f"largest task; {len(order)} neurons in {clusters.number} clusters (k-means, number by "
        f"silhouette {clusters.silhouette.max():.2f})"
        + (f", {silent} silent ones left out" if silent else "")
        + ". "
        + (
            f"Right: change of the score when a cluster is lesioned, {lesions.sizes['life']} "
            "lifetimes each, paired. "
            if change is not None
            else ""
        )
        + "Below: 1 and -1 are neurons that vary in one task of the two alone. Orange: held-out "
        "tasks. After Yang et al. (2019), figures 2 to 4."
    )
    height = max(2.2, NEURON_INCHES * len(order))
    wide = max(1.8, TASK_INCHES * len(tasks))
    below = 0.7 + 0.065 * max(map(len, tasks))  # for the names of tasks
    with drawing():
        made = sheet(
            [height, 1.3],
            [wide, wide],
            caption,
            source_of(recording),
            gap=(1.3, below),
            right=1.0,
            left=0.9,
        )
        axes = made.axes[0][0]
        matrix = clusters.normalised.loc[order, tasks].to_numpy()
        image = axes.imshow(
            matrix, aspect="auto", cmap="cividis", vmin=0, vmax=1, interpolation="nearest"
        )
        edges = np.flatnonzero(np.diff(clusters.cluster.loc[order])) + 0.5
        for edge in edges:
            axes.axhline(edge, color="white", lw=1.0)
        middles = pd.Series(np.arange(len(order)), index=order)
        places = middles.groupby(clusters.cluster.loc[order]).mean()
        axes.set_yticks(places, [str(number) for number in places.index])
        axes.set_ylabel("neurons, by cluster")
        _name_tasks(axes, tasks, held_out)
        axes.set_title("normalised task variance", fontsize=9.5)
        colour_bar(made, axes, image, "share of the largest")
        _draw_lesions(made, made.axes[0][1], change, tasks, held_out, lesions)
        for axes, pair in zip(made.axes[1], pairs, strict=False):
            values = fractional_variance(clusters.variance, *pair)
            axes.hist(values, bins=np.linspace(-1, 1, 21), color=COLOURS[0])
            axes.set(title=f"{pair[0]} against {pair[1]}", xlim=(-1, 1))
            axes.set_xlabel("fractional variance")
            axes.set_ylabel("neurons")
        for axes in made.axes[1][len(pairs) :]:
            axes.set_visible(False)
    numbers = clusters.variance.assign(cluster=clusters.cluster.reindex(clusters.variance.index))
    more = {"silhouette": clusters.silhouette.rename_axis("clusters").reset_index()}
    if change is not None:
        more["lesions"] = change.rename_axis("cluster").reset_index()
    return Drawn(made.figure, numbers.reset_index(), more)


def _change(lesions: Any, tasks: list[str]) -> pd.DataFrame:
    """Difference from the intact network: a row for each cluster, a column for each task."""
    accuracy = lesions["accuracy_difference"].sel(task=tasks)
    reward = lesions["reward_difference"].sel(task=tasks)
    values = np.where(np.isnan(accuracy), reward, accuracy).T
    return pd.DataFrame(values, index=range(1, values.shape[0] + 1), columns=tasks)


def _draw_lesions(
    made: Any, axes: Any, change: pd.DataFrame | None, tasks: list[str], held_out: set[str],
    lesions: Any,
) -> None:  # fmt: skip
    if change is None:
        axes.set_visible(False)
        return
    limit = float(np.nanmax(np.abs(change.to_numpy()))) or 1.0
    image = axes.imshow(
        change.to_numpy(), aspect="auto", cmap="RdBu_r", vmin=-limit, vmax=limit,
        interpolation="nearest",
    )  # fmt: skip
    axes.set_yticks(range(len(change)), [str(number) for number in change.index])
    axes.set_ylabel("cluster lesioned")
    _name_tasks(axes, tasks, held_out)
    measured = bool(np.isnan(lesions["accuracy_difference"]).all())
    axes.set_title("change by a lesion", fontsize=9.5)
    colour_bar(made, axes, image, "reward of a trial" if measured else "share correct")


def _name_tasks(axes: Any, tasks: list[str], held_out: set[str]) -> None:
    axes.set_xticks(range(len(tasks)), tasks, rotation=90, fontsize=7)
    for label, task in zip(axes.get_xticklabels(), tasks, strict=True):
        label.set_color(ROLE_COLOUR["held_out"] if task in held_out else GREY)
