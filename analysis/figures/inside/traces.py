"""Figure of modulation, prediction error and plastic change, in a trial and along a lifetime."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D

from analysis.figures.inside.behaviour import colours_of
from analysis.figures.inside.periods import shade
from analysis.figures.inside.sheet import Drawn, plain, sheet, source_of
from analysis.figures.style import GREY, drawing
from analysis.inside.behaviour import kind_labels
from analysis.inside.recorded import PARTS, first_and_last, periods_ms, trials_phrase
from analysis.inside.traces import along_lifetime, within_trial

TRIAL_INCHES = (2.7, 1.25)
LONG_INCHES = 2.9
SMOOTHING = 20  # a moving average spans a lifetime / SMOOTHING trials
LONG = {
    "prediction_error": "prediction error\n(loss)",
    "modulation": "size of the\nmodulation (rate)",
    "change": "change in a trial\n(weight, rms)",
    "distance": "away from birth\n(weight, rms)",
}


def figure_traces(recording: Any, lives: Any, connections: Any) -> Drawn:
    """Left and middle: response and modulatory signal in first and last trials, by kind of trial,
    with the trial's periods shaded. Right: along the lifetime, prediction error of the outcome,
    modulation, plastic change.

    Args:
        recording: rates and modulation of first and last trials.
        lives: modulation and plastic weights of the trials of some lifetimes.
        connections: with alpha, see `evoplastic.api.connections.connections_of`.
    """
    within = within_trial(recording)
    along = along_lifetime(lives, connections["alpha"].values)
    labels = kind_labels(recording)
    colours = dict(zip(labels, colours_of(len(labels)), strict=True))
    quantities = list(dict.fromkeys(within["quantity"]))[:4]
    long = [name for name in LONG if along[name].notna().any()]
    rows = max(len(quantities), len(long))
    spans = {part: trials_phrase(data) for part, data in first_and_last(recording).items()}
    changing = recording.attrs.get("feedback_steps")
    caption = (
        f"Left: means over {recording.sizes['life']} lifetimes of {recording.attrs['task']} for "
        "each kind of trial; shaded: periods of the trial, where they are known. "
        + ("The outcome is known when feedback begins. " if changing is not None else "")
        + (
            ""
            if recording.attrs.get("modulator") == "network"
            else "The network does not gate its plasticity in this setting: its modulatory neurons "
            "are read by other neurons alone. "
        )
        + f"Right: {lives.sizes['life']} lifetimes, dots are single trials, lines moving averages "
        f"over 1/{SMOOTHING} of a lifetime. Prediction error: outcome less its running mean for "
        "that kind of trial; change: of alpha p, all connections, since the trial before."
    )
    handles = [Line2D([], [], color=colours[kind], label=label) for kind, label in labels.items()]
    periods = periods_ms(recording)
    with drawing():
        made = sheet(
            [TRIAL_INCHES[1]] * rows,
            [TRIAL_INCHES[0]] * 2 + [LONG_INCHES],
            caption,
            source_of(recording),
            handles=handles,
            gap=(0.45, 0.25),
            left=0.9,
            right=1.0,
            top=0.55,
        )
        for at, row in enumerate(made.axes):
            for column, part in enumerate(PARTS):
                axes = row[column]
                if at >= len(quantities):
                    axes.set_visible(False)
                    continue
                _within(axes, within, quantities[at], part, colours)
                shade(axes, periods, names=at == 0)
                axes.set_xlim(0, float(recording["time_ms"].values[-1]))
                last = at == len(quantities) - 1
                axes.tick_params(labelbottom=last, labelleft=column == 0)
                if at == 0:
                    axes.set_title(spans[part], pad=14)
                if last:
                    axes.set_xlabel("time in the trial (ms)")
            if at < len(quantities):
                _share_y(row[:2])
                unit = "modulatory\nsignal (rate)" if quantities[at] == "mod" else (
                    f"{quantities[at]}\n(rate)"
                )  # fmt: skip
                row[0].set_ylabel(unit, fontsize=8)
            if at < len(long):
                row[2].yaxis.tick_right()
                row[2].yaxis.set_label_position("right")
                row[2].spines["right"].set_visible(True)
                row[2].spines["left"].set_visible(False)
                _along(row[2], along, long[at])
                row[2].tick_params(labelbottom=at == len(long) - 1)
                if at == 0:
                    row[2].set_title("along the lifetime", pad=14)
                if at == len(long) - 1:
                    row[2].set_xlabel("trial")
            else:
                row[2].set_visible(False)
    return Drawn(made.figure, within, {"lifetime": along})


def _within(
    axes: Any, within: pd.DataFrame, quantity: str, part: str, colours: dict[int, Any]
) -> None:
    own = within[(within.quantity == quantity) & (within.part == part)]
    for kind, colour in colours.items():
        line = own[own.kind == kind]
        axes.plot(line["time_ms"], line["mean"], color=colour, lw=1.2, gid=f"{quantity}-{kind}")
    if (own["mean"] < 0).any():
        axes.axhline(0, color=GREY, lw=0.6)


def _share_y(pair: list[Any]) -> None:
    limits = np.array([axes.get_ylim() for axes in pair])
    for axes in pair:
        axes.set_ylim(limits[:, 0].min(), limits[:, 1].max())


def _along(axes: Any, along: pd.DataFrame, name: str) -> None:
    axes.plot(along["trial"] + 1, along[name], ".", color="#BBBBBB", ms=1.2, rasterized=True)
    mean = along.groupby("trial")[name].mean()
    window = max(1, len(mean) // SMOOTHING)
    smooth = mean.rolling(window, 1, center=True).mean()
    axes.plot(smooth.index + 1, smooth, color="black", lw=1.4, gid=f"along-{name}")
    axes.set_ylabel(LONG[name], fontsize=8)
    axes.yaxis.set_major_formatter(plain)
    if (along[name] < 0).any():
        axes.axhline(0, color=GREY, lw=0.6)
