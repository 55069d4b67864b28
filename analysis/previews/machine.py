"""A picture of a state machine: consecutive trials of somebody who knows the answers."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from analysis.figures.style import GREY, drawing, write_caption
from analysis.previews.picture import TARGET, Words, colour_bar, head, name_rows, row_labels, sizes
from evoplastic.checks import require
from evoplastic.trials.table import TrialTable
from evoplastic.types import Int64Array

STEP_INCHES = 0.22


class Walk(NamedTuple):
    """The steps of consecutive trials, S of them."""

    state_S: Int64Array
    action_S: Int64Array
    reward_S: NDArray[np.float32]
    trial_S: Int64Array


def walk(bank: TrialTable, num_trials: int) -> Walk:
    """Take the target action at each state (action 0 where there is none), trial after trial.

    Raises:
        UsageError: fewer than one trial, or more than the bank has.
    """
    require(
        1 <= num_trials <= len(bank.first_M),
        f"num_trials is {num_trials}, expected 1 to {len(bank.first_M)}",
    )
    states, trials = [], []
    for trial in range(num_trials):
        state = int(bank.first_M[trial])
        while state >= 0:
            states.append(state)
            trials.append(trial)
            state = int(bank.next_VO[state, max(int(bank.target_action_V[state]), 0)])
    state_S = np.array(states)
    action_S = np.maximum(bank.target_action_V[state_S], 0)
    return Walk(state_S, action_S, bank.reward_VO[state_S, action_S], np.array(trials))


def machine_preview(bank: TrialTable, num_trials: int = 12, words: Words | None = None) -> Figure:
    """Consecutive trials: what is shown, what each action would pay, and the reward.

    Raises:
        UsageError: fewer than one trial, or more than the bank has.
    """
    words, walked = words or Words(), walk(bank, num_trials)
    S, I, O = len(walked.state_S), bank.interface.num_inputs, bank.interface.num_outputs
    rows = [*row_labels(I, words.inputs), *row_labels(O, words.actions), (0.0, "00")]
    left = 0.55 + 0.068 * max(len(name) for _, name in rows)
    width = max(5.6, left + 1.0 + STEP_INCHES * S)
    height = 2.75 + 0.24 * (min(I, 12) + min(O, 12)) + 0.9
    with drawing():
        figure = Figure(figsize=(width, height))
        axes = figure.subplots(
            3, 1, sharex=True, height_ratios=(0.3 + 0.24 * min(I, 12), 0.3 + 0.24 * min(O, 12), 0.9)
        )
        figure.subplots_adjust(
            left=left / width,
            right=1 - 0.9 / width,
            top=1 - 0.95 / height,
            bottom=1.32 / height,
            hspace=0.25,
        )
        shown = _image(axes[0], bank.observation_VI[walked.state_S], "PuOr_r")
        paid = _image(axes[1], bank.reward_VO[walked.state_S], "RdBu")
        has_target = bank.target_action_V[walked.state_S] >= 0
        for place, colour in ((has_target, TARGET), (~has_target, GREY)):
            axes[1].plot(
                np.flatnonzero(place), walked.action_S[place], "o", ms=4.5, color=colour, mew=0
            )
        _draw_rewards(axes[2], walked)
        starts = np.flatnonzero(np.diff(walked.trial_S, prepend=-1))
        for panel in axes:
            for start in starts:
                panel.axvline(start - 0.5, color=GREY, lw=0.6, ls=":")
        axes[0].set_xlim(-0.5, S - 0.5)
        _number_trials(axes[0], starts)
        axes[2].set_xlabel(f"step of {bank.dt_ms:g} ms")
        axes[2].xaxis.set_major_locator(MaxNLocator(10, integer=True))
        name_rows(axes[0], "input", I, words.inputs)
        name_rows(axes[1], "action", O, words.actions)
        colour_bar(figure, axes[0], shown, "input")
        colour_bar(figure, axes[1], paid, "reward")
        caption = (
            "Above: inputs by step; dotted lines begin a trial. Middle: what each action would "
            "pay; dots are the actions taken, orange where one is the target: that of highest "
            "expected reward to somebody who knows the hidden state. Below: reward."
        )
        footer = (
            f"state machine, {sizes(bank.interface)}  |  step {bank.dt_ms:g} ms  |  "
            f"digest {bank.digest}"
        )
        write_caption(figure, caption, footer, bottom_inches=0.8)
        head(figure, bank.task, words.description)
    return figure


def _image(axes: Any, value_SX: NDArray[np.float32], colours: str) -> Any:
    largest = float(np.abs(value_SX).max()) or 1.0
    steps, rows = value_SX.shape
    return axes.imshow(
        value_SX.T,
        aspect="auto",
        origin="lower",
        cmap=colours,
        norm=TwoSlopeNorm(0.0, -largest, largest),
        interpolation="none",
        extent=(-0.5, steps - 0.5, -0.5, rows - 0.5),
    )


def _draw_rewards(axes: Any, walked: Walk) -> None:
    steps = np.arange(len(walked.reward_S))
    axes.bar(steps, walked.reward_S, width=0.7, color="#0072B2")
    axes.axhline(0.0, color=GREY, lw=0.6)
    axes.set_ylabel("reward")
    axes.yaxis.set_major_locator(MaxNLocator(3))


def _number_trials(axes: Any, starts: Int64Array) -> None:
    """Numbers of trials above their first steps, as many as fit."""
    apart = float(np.diff(starts).mean()) if len(starts) > 1 else 2.0
    every = int(np.ceil(1.5 / max(apart, 1.0)))
    for trial in range(0, len(starts), every):
        label = f"trial {trial}" if trial == 0 else str(trial)
        axes.text(
            starts[trial] - 0.4, 1.04, label, transform=axes.get_xaxis_transform(), fontsize=7
        )
