"""Figure of a probe: how far each intervention moves a score from that of the intact network."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from analysis.figures.style import (
    COLOURS,
    GREY,
    caption_inches,
    drawing,
    save_figure,
    write_caption,
    write_csv,
)

WIDTH_INCHES = 7.0
ROW_INCHES = 0.28


def probe_table(report: dict[str, Any]) -> pd.DataFrame:
    """One row for each task and intervention: means, difference and its interval.

    Args:
        report: what `evoplastic probe --json` prints.
    """
    rows = []
    for entry in report["tasks"]:
        intact, *others = entry["conditions"]
        score = "reward" if intact["accuracy_mean"] is None else "accuracy"
        for numbers in others:
            rows.append(
                {
                    "task": entry["task"],
                    "intervention": numbers["condition"],
                    "score": score,
                    "intact": intact[f"{score}_mean"],
                    "mean": numbers[f"{score}_mean"],
                    **{name: numbers[f"{score}_{name}"] for name in ("difference", "low", "high")},
                }
            )
    return pd.DataFrame(rows)


def figure_probe(report: dict[str, Any]) -> Figure:
    """Differences with their intervals, a row for each intervention, a colour for each task."""
    table = probe_table(report)
    names, tasks = list(table.intervention.unique()), list(table.task.unique())
    caption = (
        f"Score over the last {report['scored_trials']} trials minus that of the intact network in "
        f"the same {report['lifetimes']} lifetimes; bars: {report['confidence']:.0%} bootstrap "
        f"interval over lifetimes. Genome {report['genome'][:16]}, seed {report['seed']}."
    )
    below = caption_inches(caption, WIDTH_INCHES)
    lines = sum(len(textwrap.wrap(name, 34)) for name in names)
    rows = ROW_INCHES * max(2, lines) * (1 + 0.3 * (len(tasks) - 1))
    height = 0.3 + rows + 0.55 + below
    with drawing():
        figure = Figure(figsize=(WIDTH_INCHES, height))
        axes = figure.add_axes((0.36, (below + 0.55) / height, 0.46, rows / height))
        for place, task in enumerate(tasks):
            own = table[table.task == task]
            shift = 0.6 * ((place + 0.5) / len(tasks) - 0.5)
            y = [names.index(name) + shift for name in own.intervention]
            spread = [own.difference - own.low, own.high - own.difference]
            colour = COLOURS[place % len(COLOURS)]
            axes.errorbar(own.difference, y, xerr=spread, fmt="o", ms=4, color=colour, label=task)
        axes.axvline(0.0, color=GREY, lw=0.8)
        axes.set_yticks(range(len(names)), [textwrap.fill(name, 34) for name in names])
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.set_xlabel("difference from the intact network")
        axes.legend(loc="upper left", bbox_to_anchor=(1.02, 1.0))
        write_caption(figure, caption, f"evoplastic probe, settings of {report['config']}", below)
    return figure


def draw_probe(report: dict[str, Any], folder: Path) -> list[Path]:
    """Write probe.png, probe.svg, probe.pdf and the numbers, probe.csv.

    Raises:
        EnvironmentFault: the folder cannot be written.
    """
    stem = folder / "probe"
    return [
        *save_figure(figure_probe(report), stem, pdf=True),
        write_csv(probe_table(report), stem),
    ]
