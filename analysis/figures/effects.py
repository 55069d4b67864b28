"""Figure of a comparison by a setting: every seed's point, the differences, and the bias apart."""

from __future__ import annotations

import textwrap
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from analysis.figures.marks import level_line, measure_axis
from analysis.figures.style import (
    GREY,
    ROLE_COLOUR,
    caption_inches,
    drawing,
    footer,
    write_caption,
)
from analysis.measures import ACCURACY
from analysis.negations import is_one_pair, negations_phrase
from analysis.settings import as_cell

if TYPE_CHECKING:
    from analysis.effects.groups import Compared, Group
    from analysis.effects.report import EffectsReport

PANEL_INCHES = 3.6
HEIGHT_INCHES = 2.9
LEFT_INCHES = 0.9  # of a panel, for its numbers and their name
GAP_INCHES = 0.95
ROW_INCHES = 0.26  # of a difference, and of a line of its name
NAME_INCHES = 1.9
LETTERS = 42  # of a line with the names of two settings
SPREAD = 0.22  # sideways, of the seeds of a setting
BIAS_MARKERS = "oD^vsP"


def figure_effects(report: EffectsReport) -> Figure:
    """Scores by setting, seed by seed; differences with intervals; the bias of negated tasks."""
    compared = report.compared
    panels = 2 if compared.pairs else 1
    caption = _caption(report)
    upper = max(3.0, 0.9 + 0.75 * len(compared.groups)) if panels == 1 else PANEL_INCHES
    width = max(7.0, LEFT_INCHES + panels * (upper + LEFT_INCHES))
    below = caption_inches(caption, width)
    pairs = combinations(map(_label, compared.groups), 2)
    names = [textwrap.fill(f"{second} - {first}", LETTERS) for first, second in pairs]
    lines = sum(len(name.splitlines()) for name in names)
    rows = ROW_INCHES * max(2, lines + 0.4 * len(names))
    height = 0.35 + HEIGHT_INCHES + GAP_INCHES + rows + 0.55 + below
    with drawing():
        figure = Figure(figsize=(width, height))
        bottom = (below + 0.55 + rows + GAP_INCHES) / height
        share = (width - LEFT_INCHES) / panels
        for place, draw in enumerate((_scores, _bias)[:panels]):
            left = (LEFT_INCHES + place * share) / width
            box = (left, bottom, (share - LEFT_INCHES) / width, HEIGHT_INCHES / height)
            draw(figure.add_axes(box), compared, report)
        left = (NAME_INCHES + 1.3) / width
        box = (left, (below + 0.55) / height, 0.98 - left - 1.2 / width, rows / height)
        _differences(figure.add_axes(box), report, names)
        runs = [run for group in compared.groups for run in group.runs]
        write_caption(figure, caption, footer(runs), below)
    return figure


def _scores(axes: Any, compared: Compared, report: EffectsReport) -> None:
    """A point for each seed, grey lines along seeds, mean and interval of each setting."""
    colour = ROLE_COLOUR["train" if compared.score == "train" else "held_out"]
    for first, second in pairwise(enumerate(compared.groups)):
        for seed in set(first[1].seeds) & set(second[1].seeds):
            x = [_place(index, group, seed) for index, group in (first, second)]
            y = [group.scores[seed] for _, group in (first, second)]
            axes.plot(x, y, color=GREY, lw=0.6, alpha=0.5, zorder=1)
    for index, (group, row) in enumerate(
        zip(compared.groups, report.groups.itertuples(), strict=True)
    ):
        x = [_place(index, group, seed) for seed in group.seeds]
        axes.scatter(x, list(group.scores.values()), s=16, color=colour, alpha=0.6, lw=0, zorder=2,
                     gid=f"seeds-{index}")  # fmt: skip
        error = [[row.mean - row.low], [row.high - row.mean]]
        axes.errorbar([index], [row.mean], error, fmt="_", ms=18, mew=2, lw=1.5, color="black",
                      zorder=3)  # fmt: skip
    for kind, name in (("chance", "chance"), ("fixed-policy", "fixed_policy")):
        levels = report.groups[name]
        if levels.nunique() == 1:
            level_line(axes, kind, levels.iloc[0], label=kind.replace("-", " "))
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="best")
    measure_axis(axes, compared.measure)
    axes.set_ylabel(_score_label(compared))
    _settings_axis(axes, compared)


def _bias(axes: Any, compared: Compared, report: EffectsReport) -> None:
    """The bias between negations, seed by seed; zero is no preference."""
    axes.axhline(0.0, color=GREY, lw=0.8)
    for place, pair in enumerate(compared.pairs):
        shift = 0.12 * (place - (len(compared.pairs) - 1) / 2)
        x = [
            _place(index, group, seed) + shift
            for index, group in enumerate(compared.groups)
            for seed in group.seeds
        ]
        y = [group.bias[pair][seed] for group in compared.groups for seed in group.seeds]
        marker = BIAS_MARKERS[place % len(BIAS_MARKERS)]
        axes.scatter(x, y, s=16, marker=marker, alpha=0.7, lw=0, color="#CC79A7" if not place
                     else f"C{place}", label=f"{pair[0]} over {pair[1]}")  # fmt: skip
    largest = max(0.05, *(abs(value) for value in axes.get_ylim()))
    axes.set_ylim(-largest, largest)
    measure_axis(axes, compared.measure)
    axes.set_ylabel("bias: half the difference")
    axes.legend(loc="best")
    _settings_axis(axes, compared)


def _differences(axes: Any, report: EffectsReport, names: list[str]) -> None:
    """A row for each two settings, with its corrected p."""
    effects = report.effects
    y = np.arange(len(effects))
    error = [effects.difference - effects.low, effects.high - effects.difference]
    axes.errorbar(effects.difference, y, xerr=error, fmt="o", ms=4, color="black", lw=1.2)
    axes.axvline(0.0, color=GREY, lw=0.8)
    axes.set_yticks(y, names, fontsize=8)
    axes.set_ylim(len(effects) - 0.5, -0.5)
    for place, p in zip(y, effects.p_holm, strict=True):
        axes.text(1.02, place, f"p = {p:.2g}", transform=axes.get_yaxis_transform(), va="center",
                  fontsize=8)  # fmt: skip
    if report.compared.measure is ACCURACY:
        axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:+.3g}")
    axes.set_xlabel(
        "difference" + (" in percent points" if report.compared.measure is ACCURACY else "")
    )


def _settings_axis(axes: Any, compared: Compared) -> None:
    names = [textwrap.fill(_label(group), LETTERS // 3) for group in compared.groups]
    axes.set_xticks(range(len(names)), names, fontsize=8)
    if len(compared.keys) == 1:
        axes.set_xlabel(compared.keys[0])
    axes.set_xlim(-0.5, len(names) - 0.5)


def _label(group: Group) -> str:
    """The value of one key; of several keys, which is which."""
    values = list(group.values.values())
    return str(as_cell(values[0])) if len(values) == 1 else group.name


def _place(index: int, group: Group, seed: int) -> float:
    """Seeds side by side, in their order."""
    step = 2 * SPREAD / max(1, len(group.seeds) - 1)
    return index + (group.seeds.index(seed) * step - SPREAD if len(group.seeds) > 1 else 0.0)


def _score_label(compared: Compared) -> str:
    name = {"held_out": "held-out", "train": "training"}.get(compared.score, compared.score)
    if is_one_pair(compared.tasks, compared.pairs):
        return f"{name} ability, {compared.measure.name}"
    return f"{name} {compared.measure.name}"


def _caption(report: EffectsReport) -> str:
    compared = report.compared
    at = (
        "the last evaluation of each run"
        if compared.generation is None
        else f"generation {compared.generation}"
    )
    tests = "sign flips of paired seeds" if report.effects.paired.all() else "permutations of seeds"
    corrected = (
        f", corrected for {len(report.effects)} comparisons (Holm)"
        if len(report.effects) > 1
        else ""
    )
    sentences = [
        f"Each point is a seed: its mean over {', '.join(compared.tasks)} at {at}. Bars: mean and "
        f"{report.confidence:.0%} bootstrap interval over seeds; grey lines join a seed. Below: "
        f"differences with their intervals; p of {tests}, two-sided{corrected}.",
        negations_phrase(compared.pairs),
    ]
    if compared.averaged_over:
        sentences.append(f"Averaged within each seed over {', '.join(compared.averaged_over)}.")
    return " ".join(filter(None, sentences))
