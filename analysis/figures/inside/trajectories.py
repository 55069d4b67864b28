"""Figure of activity as a path through principal components."""

from __future__ import annotations

from typing import Any

from matplotlib.lines import Line2D

from analysis.figures.inside.behaviour import colours_of
from analysis.figures.inside.sheet import Drawn, sheet, source_of
from analysis.figures.style import GREY, drawing
from analysis.inside.recorded import PARTS, first_and_last, periods_ms, trials_phrase
from analysis.inside.trajectories import trajectories

PANEL_INCHES = 2.3
MARKS = {"response": "s", "feedback": "D"}  # others are stimuli
STIMULUS_MARK = "^"


def figure_trajectories(recording: Any) -> Drawn:
    """Mean activity of each kind of trial in its first two components, above them the third; first
    trials beside last.

    Args:
        recording: of `ep.run(..., record="rate")`, with first and last trials of lifetimes.
    """
    paths = trajectories(recording)
    table = paths.table
    colours = dict(zip(paths.labels, colours_of(len(paths.labels)), strict=True))
    shares = ", ".join(f"{share:.0%}" for share in paths.explained)
    spans = {part: trials_phrase(data) for part, data in first_and_last(recording).items()}
    periods = periods_ms(recording)
    caption = (
        "Mean rates of hidden and modulatory neurons for each kind of trial, in the principal "
        f"components of both panels together ({shares} of their variance). "
        f"Circle: begin of the trial. {recording.sizes['life']} lifetimes of "
        f"{recording.attrs['task']}."
    )
    handles = [
        Line2D([], [], color=colour, label=paths.labels[kind]) for kind, colour in colours.items()
    ]
    for name in periods:
        mark = MARKS.get(name, STIMULUS_MARK)
        if name in MARKS or name == "stimulus1":
            shown = "begin of a stimulus" if name == "stimulus1" else f"begin of {name}"
            handles.append(Line2D([], [], color=GREY, marker=mark, ls="none", ms=4, label=shown))
    rows = [component for component in ("pc2", "pc3") if component in table]
    with drawing():
        made = sheet(
            [PANEL_INCHES] * len(rows),
            [PANEL_INCHES] * 2,
            caption,
            source_of(recording),
            handles=handles,
            gap=(0.3, 0.35),
        )
        for row, up in zip(made.axes, rows, strict=True):
            for axes, part in zip(row, PARTS, strict=True):
                for kind, path in table[table.part == part].groupby("kind"):
                    axes.plot(path["pc1"], path[up], color=colours[kind], lw=1.2)
                    start = path.iloc[0]
                    axes.plot(start["pc1"], start[up], "o", color=colours[kind], ms=4)
                    for name, (begin, _) in periods.items():
                        at = path[path["time_ms"] >= begin].iloc[:1]
                        mark = MARKS.get(name, STIMULUS_MARK)
                        axes.plot(at["pc1"], at[up], mark, color=colours[kind], ms=4)
                if up == rows[0]:
                    axes.set_title(spans[part])
                if up == rows[-1]:
                    axes.set_xlabel("component 1 (rate)")
                if part == PARTS[0]:
                    axes.set_ylabel(f"component {up[2:]} (rate)")
            row[1].tick_params(labelleft=False)
            limits = table[up].min(), table[up].max()
            for axes in row:
                axes.set_xlim(*_wider(table["pc1"].min(), table["pc1"].max()))
                axes.set_ylim(*_wider(*limits))
                axes.tick_params(labelbottom=up == rows[-1])
    return Drawn(made.figure, table)


def _wider(low: float, high: float) -> tuple[float, float]:
    margin = 0.06 * (high - low) or 1.0
    return low - margin, high + margin
