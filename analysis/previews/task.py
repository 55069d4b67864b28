"""A picture of trials of a self-paced task: observations, target actions and rewards by step."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure

from analysis.figures.style import GREY, drawing, write_caption
from analysis.previews.picture import (
    TARGET,
    Words,
    colour_bar,
    head,
    name_rows,
    row_labels,
    sizes,
    time_ticks,
)
from evoplastic.checks import require
from evoplastic.trials.step_bank import StepBank
from evoplastic.types import NO_TARGET

SHADES = ("#E8E8E8", "#FFFFFF")
LINES = ("#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C6BB1")
NAME_INCHES = 0.17  # closer names of periods are moved apart
MAX_LINES = 8  # input lines drawn as curves, each in a row; more are drawn as an image
ROW = 0.85  # of the distance of two rows: from the smallest to the largest input
PANEL_INCHES = 2.7
NARROWEST = 0.45  # of the longest trial's panel


def preview(bank: StepBank, num_trials: int = 3, words: Words | None = None) -> Figure:
    """The first trials of a bank: input lines above, rewards by action below.

    Raises:
        UsageError: fewer than one trial, or more than the bank has.
    """
    require(
        1 <= num_trials <= len(bank.num_steps_M),
        f"num_trials is {num_trials}, expected 1 to {len(bank.num_steps_M)}",
    )
    words = words or Words()
    length_s = np.array([_extent_s(bank, trial) for trial in range(num_trials)])
    share = np.maximum(length_s / length_s.max(), NARROWEST)
    left = 0.55 + 0.068 * max(map(len, _names(bank, words)))
    width = max(5.6, left + 0.9 + PANEL_INCHES * float(share.sum()))
    height = 5.9
    with drawing():
        figure = Figure(figsize=(width, height))
        axes = figure.subplots(
            2, num_trials, squeeze=False, height_ratios=(1.3, 1), width_ratios=share
        )
        figure.subplots_adjust(
            left=left / width,
            right=1 - 0.85 / width,
            top=1 - 1.22 / height,
            bottom=1.28 / height,
            hspace=0.14,
            wspace=0.14,
        )
        span = _span(bank, num_trials)
        for trial in range(num_trials):
            _stimulus(axes[0, trial], bank, trial, span)
            _periods(axes[0, trial], bank, trial)
            image = _reward(axes[1, trial], bank, trial, num_trials)
            axes[0, trial].set_title(_title(bank, trial, words), pad=27, fontsize=9)
            axes[1, trial].set_xlabel("time (s)")
            for row in range(2):
                axes[row, trial].xaxis.set_major_locator(time_ticks(float(length_s.max())))
            for row in range(2 if trial else 0):
                axes[row, trial].tick_params(left=False, labelleft=False)
        name_rows(axes[0, 0], "input", bank.interface.num_inputs, words.inputs)
        name_rows(axes[1, 0], "action", bank.interface.num_outputs, words.actions)
        colour_bar(figure, axes[1, -1], image, "reward")
        if _many(bank):
            colour_bar(figure, axes[0, -1], axes[0, -1].images[0], "input")
        write_caption(figure, _caption(bank, span), _footer(bank), bottom_inches=0.72)
        head(figure, bank.task, words.description)
    return figure


def _names(bank: StepBank, words: Words) -> list[str]:
    """Every row name that will be written."""
    rows = ((bank.interface.num_inputs, words.inputs), (bank.interface.num_outputs, words.actions))
    return ["00", *(name for count, names in rows for _, name in row_labels(count, names))]


def _caption(bank: StepBank, span: tuple[float, float]) -> str:
    return (
        "Above: inputs by step, with the trial's periods"
        + ("" if _many(bank) else f", on one scale, from {span[0]:.2g} to {span[1]:.2g}")
        + ". Below: reward by step and action; "
        + (
            "orange, the target action; "
            if (bank.ground_truth_MT != NO_TARGET).any()
            else "there is no target action; "
        )
        + "dots, actions that end the trial."
    )


def _footer(bank: StepBank) -> str:
    return f"{sizes(bank.interface)}  |  step {bank.dt_ms:g} ms  |  digest {bank.digest}"


def _title(bank: StepBank, trial: int, words: Words) -> str:
    """The answer, and what it is worth."""
    answer = int(bank.answer_M[trial])
    if answer < 0:
        return f"trial {trial}: no answer"
    action_T = np.maximum(bank.ground_truth_MT[trial], 0)
    step_T = np.arange(len(action_T))
    last = int(bank.ends_MTO[trial, step_T, action_T].argmax())
    reward = float(bank.reward_MTO[trial, step_T, action_T][: last + 1].sum())
    named = words.actions[answer] if words.actions else answer
    return f"trial {trial}: answer {named}, reward {reward:.3g}"


def _many(bank: StepBank) -> bool:
    return bank.interface.num_inputs > MAX_LINES


def _span(bank: StepBank, num_trials: int) -> tuple[float, float]:
    """The smallest and the largest input, 0 among them."""
    shown = bank.observation_MTI[:num_trials]
    return min(float(shown.min()), 0.0), max(float(shown.max()), 1e-6)


def _extent_s(bank: StepBank, trial: int) -> float:
    return float(bank.num_steps_M[trial]) * bank.dt_ms / 1000


def _stimulus(axes: Any, bank: StepBank, trial: int, span: tuple[float, float]) -> None:
    steps = int(bank.num_steps_M[trial])
    shown_TI = bank.observation_MTI[trial, :steps]
    length_s = _extent_s(bank, trial)
    lines = shown_TI.shape[1]
    largest, scale = max(-span[0], span[1]), ROW / (span[1] - span[0])
    if _many(bank):
        axes.imshow(
            shown_TI.T,
            aspect="auto",
            origin="lower",
            cmap="PuOr_r",
            norm=TwoSlopeNorm(0.0, -largest, largest),
            interpolation="none",
            extent=(0, length_s, -0.5, lines - 0.5),
        )
    else:
        edges_s = np.arange(steps + 1) * bank.dt_ms / 1000
        for line in range(lines):
            axes.axhline(line, color="#BFBFBF", lw=0.5, zorder=1)
            row_T = line + scale * shown_TI[:, line]
            axes.stairs(row_T, edges_s, baseline=None, lw=1.1, color=LINES[line], zorder=2)
        axes.set_ylim(scale * span[0] - 0.15, lines - 1 + scale * span[1] + 0.15)
    axes.set_xlim(0, length_s)
    axes.tick_params(labelbottom=False)


def _periods(axes: Any, bank: StepBank, trial: int) -> None:
    """Shades between period edges, with names above that stay readable when periods are short."""
    spans = [
        (name, start, stop)
        for name, (start, stop) in zip(bank.period_names, bank.period_MQ2[trial], strict=True)
        if stop > start
    ]
    length_s = _extent_s(bank, trial)
    spacing = NAME_INCHES / (axes.get_position().width * axes.figure.get_size_inches()[0])
    name_at = -1.0
    for number, (name, start, stop) in enumerate(sorted(spans, key=lambda span: span[1])):
        left_s, right_s = start * bank.dt_ms / 1000, stop * bank.dt_ms / 1000
        if _many(bank):  # an image leaves no space for shades behind it
            axes.axvline(left_s, color=GREY, lw=0.6, ls=":")
        else:
            axes.axvspan(left_s, right_s, color=SHADES[number % 2], lw=0, zorder=0)
        if len(spans) <= 9:
            name_at = max(left_s / length_s, name_at + spacing)
            axes.text(
                name_at,
                1.02,
                name,
                transform=axes.transAxes,
                rotation=32,
                fontsize=6.5,
                color=GREY,
                va="bottom",
            )


def _reward(axes: Any, bank: StepBank, trial: int, num_trials: int) -> Any:
    steps, length_s = int(bank.num_steps_M[trial]), _extent_s(bank, trial)
    reward_TO = bank.reward_MTO[trial, :steps]
    actions = reward_TO.shape[1]
    largest = float(np.abs(bank.reward_MTO[:num_trials]).max()) or 1.0
    image = axes.imshow(
        reward_TO.T,
        aspect="auto",
        origin="lower",
        cmap="RdBu",
        norm=TwoSlopeNorm(0.0, -largest, largest),
        interpolation="none",
        extent=(0, length_s, -0.5, actions - 0.5),
    )
    time_s = (np.arange(steps) + 0.5) * bank.dt_ms / 1000
    step, action = np.nonzero(bank.ends_MTO[trial, :steps])
    every = max(1, steps // 50)
    kept = (step % every == 0) | (step == steps - 1)
    axes.plot(time_s[step[kept]], action[kept], ".", color="black", ms=2.2, mew=0)
    target_T = bank.ground_truth_MT[trial, :steps].astype(float)
    target_T[target_T == NO_TARGET] = np.nan
    edges_s = np.arange(steps + 1) * bank.dt_ms / 1000
    axes.stairs(target_T, edges_s, baseline=None, color=TARGET, lw=1.4)
    axes.set_ylim(-0.6, actions - 0.4)
    axes.set_xlim(0, length_s)
    return image
