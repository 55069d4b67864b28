"""A picture of trials of a free-running task: what is shown, asked and paid at each step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from analysis.style import GREY, drawing, write_caption
from evoplastic.checks import EnvironmentFault, require
from evoplastic.step_bank import StepBank
from evoplastic.types import NO_GROUND_TRUTH

SHADES = ("#E8E8E8", "#FFFFFF")
ASKED = "#D55E00"
LINES = ("#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C6BB1")
NAME_SPACING = 0.085  # of the axes: closer names of periods are moved apart
MAX_LINES = 8  # stimulus lines drawn as curves; more are drawn as an image
PANEL_INCHES = 2.7


def preview(bank: StepBank, num_trials: int = 3) -> Figure:
    """The first trials of a bank: stimulus lines above, rewards by action below.

    Raises:
        UsageError: fewer than one trial, or more than the bank has.
    """
    require(
        1 <= num_trials <= len(bank.num_steps_M),
        f"num_trials is {num_trials}, expected 1 to {len(bank.num_steps_M)}",
    )
    width = max(4.8, 0.4 + PANEL_INCHES * num_trials)
    height = 5.4
    with drawing():
        figure = Figure(figsize=(width, height))
        axes = figure.subplots(2, num_trials, squeeze=False, height_ratios=(1.25, 1))
        figure.subplots_adjust(
            left=0.62 / width,
            right=1 - 0.78 / width,
            top=1 - 0.78 / height,
            bottom=1.22 / height,
            hspace=0.16,
            wspace=0.16,
        )
        limits = _limits(bank, num_trials)
        for trial in range(num_trials):
            _stimulus(axes[0, trial], bank, trial, limits)
            _periods(axes[0, trial], bank, trial)
            image = _reward(axes[1, trial], bank, trial, num_trials)
            title = (
                "nothing asked" if bank.answer_M[trial] < 0 else f"answer {bank.answer_M[trial]}"
            )
            axes[0, trial].set_title(f"trial {trial}, {title}", pad=24)
            axes[1, trial].set_xlabel("time (s)")
            if trial:
                for row in range(2):
                    axes[row, trial].tick_params(labelleft=False)
        axes[0, 0].set_ylabel("input line" if _many(bank) else "input")
        axes[1, 0].set_ylabel("action")
        _colour_bar(figure, axes[1, -1], image, "reward")
        if _many(bank):
            _colour_bar(figure, axes[0, -1], axes[0, -1].images[0], "input")
        elif bank.interface.num_inputs > 1:
            axes[0, -1].legend(
                loc="upper left", bbox_to_anchor=(1.01, 1.02), title="line", handlelength=1.0
            )
        caption = (
            "Above: inputs by step, with the trial's periods. Below: reward by step and action; "
            + (
                "orange, the ground truth; "
                if (bank.ground_truth_MT != NO_GROUND_TRUTH).any()
                else "there is no ground truth; "
            )
            + "dots, actions that end the trial."
        )
        footer = f"{bank.task}  |  step {bank.dt_ms:g} ms  |  digest {bank.digest}"
        write_caption(figure, caption, footer, bottom_inches=0.66)
        figure.text(0.2 / width, 1 - 0.12 / height, bank.task, va="top", fontsize=11)
    return figure


def write_preview(bank: StepBank, path: Path, num_trials: int = 3) -> Path:
    """Draw the picture into a file; its ending says which format.

    Raises:
        UsageError: an ending that matplotlib does not know, or too many trials.
        EnvironmentFault: the file cannot be written.
    """
    figure = preview(bank, num_trials)
    known = figure.canvas.get_supported_filetypes()
    ending = path.suffix.removeprefix(".")
    require(
        ending in known, f"cannot draw a {path.name!r}, expected an ending such as .png or .svg"
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with drawing():
            figure.savefig(path)
    except OSError as error:
        raise EnvironmentFault(
            f"cannot write {path}: {error.strerror or error}; choose a file you may write"
        ) from error
    return path


def _many(bank: StepBank) -> bool:
    return bank.interface.num_inputs > MAX_LINES


def _limits(bank: StepBank, num_trials: int) -> tuple[float, float]:
    shown = bank.observation_MTI[:num_trials]
    low, high = min(float(shown.min()), 0.0), max(float(shown.max()), 0.1)
    free = 0.06 * (high - low)
    return low - free, high + free


def _extent_s(bank: StepBank, trial: int) -> float:
    return float(bank.num_steps_M[trial]) * bank.dt_ms / 1000


def _stimulus(axes: Any, bank: StepBank, trial: int, limits: tuple[float, float]) -> None:
    steps = int(bank.num_steps_M[trial])
    shown_TI = bank.observation_MTI[trial, :steps]
    length_s = _extent_s(bank, trial)
    if _many(bank):
        lines = shown_TI.shape[1]
        axes.imshow(
            shown_TI.T,
            aspect="auto",
            origin="lower",
            cmap="PuOr_r",
            norm=TwoSlopeNorm(0.0, -max(map(abs, limits)), max(map(abs, limits))),
            interpolation="none",
            extent=(0, length_s, -0.5, lines - 0.5),
        )
    else:
        edges_s = np.arange(steps + 1) * bank.dt_ms / 1000
        for line in range(shown_TI.shape[1]):
            colour = LINES[line]
            axes.stairs(shown_TI[:, line], edges_s, baseline=None, lw=1.1, color=colour, label=line)
        axes.set_ylim(*limits)
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
    name_at = -1.0
    for number, (name, start, stop) in enumerate(sorted(spans, key=lambda span: span[1])):
        left_s, right_s = start * bank.dt_ms / 1000, stop * bank.dt_ms / 1000
        if _many(bank):  # an image leaves no room for shades behind it
            axes.axvline(left_s, color=GREY, lw=0.6, ls=":")
        else:
            axes.axvspan(left_s, right_s, color=SHADES[number % 2], lw=0, zorder=0)
        if len(spans) <= 9:
            name_at = max(left_s / length_s, name_at + NAME_SPACING)
            axes.text(
                name_at,
                1.02,
                name,
                transform=axes.transAxes,
                rotation=28,
                fontsize=6.5,
                color=GREY,
                va="bottom",
            )


def _reward(axes: Any, bank: StepBank, trial: int, num_trials: int) -> Any:
    steps, length_s = int(bank.num_steps_M[trial]), _extent_s(bank, trial)
    reward_TO = bank.reward_MTO[trial, :steps]
    actions = reward_TO.shape[1]
    largest = max(float(np.abs(bank.reward_MTO[:num_trials]).max()), 1e-6)
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
    asked_T = bank.ground_truth_MT[trial, :steps].astype(float)
    asked_T[asked_T == NO_GROUND_TRUTH] = np.nan
    edges_s = np.arange(steps + 1) * bank.dt_ms / 1000
    axes.stairs(asked_T, edges_s, baseline=None, color=ASKED, lw=1.4)
    axes.set_ylim(-0.6, actions - 0.4)
    axes.set_xlim(0, length_s)
    axes.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    return image


def _colour_bar(figure: Any, axes: Any, image: Any, label: str) -> None:
    box = axes.get_position()
    width = figure.get_size_inches()[0]
    place = figure.add_axes((box.x1 + 0.1 / width, box.y0, 0.09 / width, box.height))
    bar = figure.colorbar(image, cax=place)
    bar.set_label(label, labelpad=1)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=7)
