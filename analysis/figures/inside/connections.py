"""Figure of connections: innate, how plastic, and what lifetimes add, with their spectra."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from analysis.figures.inside.sheet import Drawn, colour_bar, plain, sheet, source_of
from analysis.figures.style import COLOURS, GREY, drawing
from analysis.inside.connections import MATRICES, connections_table, neuron_order, spectra
from analysis.inside.recorded import CLAMPED

MATRIX_INCHES = 2.3
SPECTRUM_INCHES = 2.3
TITLE = {
    "w": "innate weight w",
    "alpha": "plasticity alpha",
    "change": "learnt change, alpha p",
}
SHORT = {**dict.fromkeys(CLAMPED, "inputs"), "modulators": "mod., resp.", "response": "mod., resp."}
OUTLIERS = 99.5  # percentile that a colour scale ends at


def figure_connections(connections: Any) -> Drawn:
    """Heat maps of w, alpha and the learnt change, neurons ordered alike; below, eigenvalues at
    birth and at the end, and singular values.

    Args:
        connections: w, alpha(target, source), change(life, target, source), see
            `evoplastic.api.connections.connections_of`.
    """
    order = neuron_order(connections)
    groups = dict(
        zip(connections["source"].values, connections["source_group"].values, strict=True)
    )
    targets = set(connections["target"].values.tolist())
    rows = [neuron for neuron in order if neuron in targets]
    spectrum = spectra(connections)
    lives = connections.sizes["life"]
    size = float(np.sqrt((connections["change"] ** 2).mean()))
    caption = (
        "Rows receive, columns send; neurons group after group, in a group those of like innate "
        f"weights side by side. Learnt change: mean of {lives} lifetimes of "
        f"{connections.attrs['task']} after trial {int(connections.attrs['after_trial'])} (root "
        f"mean square {size:.2g}). Colours end at the {OUTLIERS} % largest. Below: connections "
        "among unclamped neurons; right of the line at 1, activity around zero grows."
    )
    handles = [
        Line2D([], [], color=GREY, marker="o", ls="none", ms=4, mfc="none", label="at birth"),
        Line2D([], [], color=COLOURS[0], marker=".", ls="none", ms=5, label="after a lifetime"),
        Line2D([], [], color=COLOURS[1], label="learnt change (singular values)"),
    ]
    with drawing():
        made = sheet(
            [MATRIX_INCHES, SPECTRUM_INCHES * 0.85],
            [MATRIX_INCHES] * 3,
            caption,
            source_of(connections),
            gap=(1.15, 1.1),
            left=0.8,
            right=0.85,
            handles=handles,
        )
        for axes, name in zip(made.axes[0], MATRICES, strict=True):
            matrix = connections[name].mean("life") if name == "change" else connections[name]
            values = matrix.sel(target=rows, source=order).values
            limit = float(np.percentile(np.abs(values), OUTLIERS)) or 1.0
            signed = bool((values < 0).any())
            image = axes.imshow(
                values,
                cmap="RdBu_r" if signed else "cividis",
                vmin=-limit if signed else 0.0,
                vmax=limit,
                aspect="auto",
                interpolation="nearest",
            )
            axes.set_title(TITLE[name], fontsize=9.5)
            axes.tick_params(labelleft=name == MATRICES[0])
            _name_groups(axes.yaxis, [str(groups[each]) for each in rows], axes.axhline)
            _name_groups(axes.xaxis, [str(groups[each]) for each in order], axes.axvline)
            colour_bar(made, axes, image, "weight (dimensionless)")
        _eigenvalues(made.axes[1][0], spectrum)
        _singular_values(made.axes[1][1], spectrum)
        made.axes[1][2].set_visible(False)
    return Drawn(made.figure, connections_table(connections), {"spectrum": spectrum})


def _name_groups(axis: Any, group: list[str], line: Any) -> None:
    """A name in the middle of each group, thin lines between groups."""
    group = [SHORT.get(name, name) for name in group]
    edges = [0, *(at for at in range(1, len(group)) if group[at] != group[at - 1]), len(group)]
    for edge in edges[1:-1]:
        line(edge - 0.5, color="black", lw=0.4)
    axis.set_ticks([(first + stop - 1) / 2 for first, stop in pairwise(edges)])
    turned = 0 if axis.axis_name == "y" else 45
    axis.set_ticklabels(
        [group[first] for first in edges[:-1]], fontsize=7, rotation=turned,
        ha="right", rotation_mode="anchor",
    )  # fmt: skip


def _eigenvalues(axes: Any, spectrum: Any) -> None:
    values = spectrum[spectrum.kind == "eigenvalue"]
    born = values[values.when == "birth"]
    ended = values[values.when != "birth"]
    axes.plot(ended["real"], ended["imaginary"], ".", color=COLOURS[0], ms=2.5, gid="ended")
    axes.plot(born["real"], born["imaginary"], "o", color=GREY, mfc="none", ms=4, gid="birth")
    axes.axvline(1.0, color=GREY, lw=0.8)
    axes.set(title="eigenvalues", xlabel="real part", ylabel="imaginary part")


def _singular_values(axes: Any, spectrum: Any) -> None:
    values = spectrum[spectrum.kind == "singular value"]
    born = values[values.when == "birth"]
    axes.semilogy(born["rank"], born["real"], "o", color=GREY, mfc="none", ms=3)
    for _, one in values[values.when != "birth"].groupby("when"):
        axes.semilogy(one["rank"], one["real"].clip(lower=1e-12), color=COLOURS[1], lw=0.8)
    largest = values["real"].max()
    axes.set(title="singular values", xlabel="rank", ylabel="singular value")
    axes.set_ylim(largest * 1e-4, largest * 2)
    axes.yaxis.set_major_formatter(plain)
    axes.yaxis.set_minor_locator(NullLocator())
