"""Figure of fixed points: where activity would stand still while nothing is shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D

from analysis.figures.inside.behaviour import colours_of
from analysis.figures.inside.sheet import Drawn, sheet, source_of
from analysis.figures.style import COLOURS, GREY, drawing
from analysis.inside.behaviour import kind_labels
from analysis.inside.fixed_points import Dynamics, FixedPoints, fixed_points
from analysis.inside.recorded import PARTS, first_and_last, steps_with_all

PANEL_INCHES = 2.4
MOST_STARTS = 40
NEAR_ONE = 1 - 1e-6


def figure_fixed_points(recording: Any, networks: Mapping[str, Dynamics], seed: int = 0) -> Drawn:
    """Fixed points in the principal components of activity, and eigenvalues around them; a column
    for each network: before and after learning.

    Args:
        recording: of rates, with first and last trials of lifetimes; points are sought from states
            that were visited.
        networks: two, whose activity is that of the first and of the last trials.
        seed: of which states are started from.
    """
    from sklearn.decomposition import PCA

    labels = kind_labels(recording)
    colours = dict(zip(labels, colours_of(len(labels)), strict=True))
    parts = first_and_last(recording)
    steps = steps_with_all(recording["rate"].values)
    neurons = next(iter(networks.values())).neurons
    rng = np.random.default_rng(seed)
    means, found = {}, {}
    for part, (name, dynamics) in zip(PARTS, networks.items(), strict=True):
        rate_LKTU = parts[part]["rate"].values[:, :, :steps][..., neurons].astype(np.float64)
        kind_LK = parts[part]["kind"].values
        means[name] = {
            kind: rate_LKTU[kind_LK == kind].mean(0) for kind in labels if (kind_LK == kind).any()
        }
        visited = rate_LKTU.reshape(-1, len(neurons))
        chosen = rng.choice(len(visited), min(MOST_STARTS, len(visited)), replace=False)
        start = np.arctanh(np.clip(visited[chosen], -NEAR_ONE, NEAR_ONE)) + dynamics.threshold_U
        found[name] = fixed_points(dynamics, start)
    model = PCA(2, svd_solver="full").fit(
        np.concatenate([path for each in means.values() for path in each.values()])
    )
    table = pd.concat(
        [_placed(name, points, networks[name], model) for name, points in found.items()],
        ignore_index=True,
    )
    told = "; ".join(
        f"{name} {len(points.table)} ({int((points.table.unstable == 0).sum())} stable)"
        for name, points in found.items()
    )
    caption = (
        "Points where activity stands still, or nearly, while nothing is shown, found from "
        f"{MOST_STARTS} states that were visited (Sussillo & Barak 2013). Lines: mean rates of "
        f"each kind of trial in the two first principal components. Points {told}. Below: "
        "eigenvalues of the dynamics around each point; right of 0 it is left. Learnt weights are "
        f"those of lifetime 1 of {recording.attrs['task']}."
    )
    handles = [Line2D([], [], color=colours[kind], label=label) for kind, label in labels.items()]
    handles += [
        Line2D([], [], color="black", marker="o", ls="none", ms=6, label="stable point"),
        Line2D([], [], color="black", marker="o", mfc="white", ls="none", ms=6, label="unstable"),
        Line2D([], [], color=GREY, marker="s", mfc="white", ls="none", ms=5, label="slow point"),
    ]
    with drawing():
        made = sheet(
            [PANEL_INCHES, PANEL_INCHES * 0.7],
            [PANEL_INCHES] * 2,
            caption,
            source_of(recording),
            handles=handles,
            gap=(0.4, 0.75),
        )
        for column, (name, points) in enumerate(found.items()):
            axes = made.axes[0][column]
            for kind, path in means[name].items():
                place = model.transform(path)
                axes.plot(place[:, 0], place[:, 1], color=colours[kind], lw=1.0)
            for row in table[table.network == name].to_dict("records"):
                axes.plot(row["pc1"], row["pc2"], **_mark(row))
            axes.set(title=name, xlabel="component 1 (rate)")
            _eigenvalues(made.axes[1][column], points)
            if column == 0:
                axes.set_ylabel("component 2 (rate)")
                made.axes[1][0].set_ylabel("imaginary part (1/s)")
        _share(made.axes[0])
        _share(made.axes[1])
    values = pd.concat(
        [points.eigenvalues.assign(network=name) for name, points in found.items()],
        ignore_index=True,
    )
    return Drawn(made.figure, table, {"eigenvalues": values})


def _placed(name: str, points: FixedPoints, dynamics: Dynamics, model: Any) -> pd.DataFrame:
    place = model.transform(points.rates(dynamics))
    return points.table.assign(network=name, pc1=place[:, 0], pc2=place[:, 1])


def _mark(row: dict[str, Any]) -> dict[str, Any]:
    if row["kind"] == "slow":
        return {"marker": "s", "color": GREY, "mfc": "white", "ms": 5, "ls": "none"}
    face = "black" if row["unstable"] == 0 else "white"
    return {"marker": "o", "color": "black", "mfc": face, "ms": 6, "ls": "none"}


def _eigenvalues(axes: Any, points: FixedPoints) -> None:
    axes.axvline(0.0, color=GREY, lw=0.8)
    for point, own in points.eigenvalues.groupby("point"):
        colour = COLOURS[int(point) % len(COLOURS)]
        axes.plot(own["real"], own["imaginary"], ".", color=colour, ms=3)
    axes.set_xlabel("real part (1/s)")


def _share(row: list[Any]) -> None:
    for get, put in (("get_xlim", "set_xlim"), ("get_ylim", "set_ylim")):
        limits = np.array([getattr(axes, get)() for axes in row])
        for axes in row:
            getattr(axes, put)(limits[:, 0].min(), limits[:, 1].max())
    for axes in row[1:]:
        axes.tick_params(labelleft=False)
