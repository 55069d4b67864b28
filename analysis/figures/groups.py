"""Held-out meta-tasks by family: reward beside chance, fixed and best adaptive policy, controls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.figures.style import (
    CONDITION_LABEL,
    CONDITION_MARKER,
    GREY,
    LEVEL_LOOK,
    ROLE_COLOUR,
    caption_inches,
    drawing,
    footer,
    write_caption,
)
from analysis.groups import GROUP, groups_table
from analysis.measures import CHANCE_MEANS, FIXED_POLICY_MEANS, REGRET_MEANS, REWARD
from analysis.store import RunRecords

GROUP_INCHES, LEFT, RIGHT = 1.1, 0.75, 1.9
HEIGHT, TOP, BOTTOM = 2.7, 0.3, 0.5
HALF = 0.36  # of the width of a group, that levels take
LEVELS = {  # column, look, label
    "chance": (REWARD.chance, LEVEL_LOOK["chance"], "chance"),
    "fixed-policy": (REWARD.fixed_policy, LEVEL_LOOK["fixed-policy"], "fixed policy"),
    "adaptive": ("reward_adaptive", LEVEL_LOOK["oracle"], "best adaptive policy"),
}
OFFSETS = {"plasticity_off": 0.17, "random_genome": 0.28}  # of the controls, from the middle


def figure_groups(runs: Sequence[RunRecords]) -> Figure | None:
    """Reward of the last evaluation by family; None where no family has a best adaptive level."""
    table = groups_table(runs)
    table = table[table["reward_adaptive"].notna()]
    if not len(table):
        return None
    plastic = table[table["condition"] == "plastic"].reset_index(drop=True)
    over = "seeds" if len(runs) > 1 else "tasks"
    caption = (
        f"Reward of a trial over the last {runs[0].scored_trials} of {runs[0].num_trials} trials "
        "of a lifetime, mean over the tasks of a family of held-out tasks, with the range over "
        f"{over}; the distance to the best adaptive policy is the regret. {CHANCE_MEANS} "
        f"{FIXED_POLICY_MEANS} {REGRET_MEANS}"
    )
    width = LEFT + GROUP_INCHES * len(plastic) + RIGHT
    below = caption_inches(caption, width)
    height = TOP + HEIGHT + BOTTOM + below
    with drawing():
        figure = Figure(figsize=(width, height))
        box = (LEFT, below + BOTTOM, GROUP_INCHES * len(plastic), HEIGHT)
        axes = figure.add_axes(tuple(np.array(box) / (width, height, width, height)))
        _draw(axes, table, plastic)
        write_caption(figure, caption, footer(runs), below)
    return figure


def _draw(axes: Any, table: pd.DataFrame, plastic: pd.DataFrame) -> None:
    middle = np.arange(len(plastic))
    for kind, (column, look, label) in LEVELS.items():
        lines = axes.hlines(
            plastic[column],
            middle - HALF,
            middle + HALF,
            color=look["color"],
            lw=1.5,
            ls=look["ls"],
            label=label,
        )
        lines.set_gid(kind)
    mean, low, high = (plastic[REWARD.column(name)] for name in ("mean", "low", "high"))
    axes.errorbar(
        middle,
        mean,
        yerr=(mean - low, high - mean),
        color=ROLE_COLOUR["held_out"],
        fmt="o",
        ms=5,
        capsize=3,
        label=CONDITION_LABEL["plastic"],
        gid="plastic",
    )
    for condition, offset in OFFSETS.items():
        found = table[table["condition"] == condition].set_index(GROUP)["reward_mean"]
        axes.plot(
            middle + offset,
            [found.get(group, np.nan) for group in plastic[GROUP]],
            color=GREY,
            ls="",
            marker=CONDITION_MARKER[condition],
            ms=4,
            label=CONDITION_LABEL[condition],
            gid=condition,
        )
    axes.set_xticks(middle, [f"{row[GROUP]}\n({row['tasks']})" for _, row in plastic.iterrows()])
    axes.set_xlim(-0.5, len(plastic) - 0.5)
    axes.set_ylabel("reward of a trial")
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0)
