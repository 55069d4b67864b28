"""A picture of a stream: which task is taught and which are probed, by trial of the lifetime."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from analysis.figures.style import COLOURS, GREY, caption_inches, drawing, write_caption
from analysis.previews.picture import head
from evoplastic.checks import require
from evoplastic.trials.course import Course
from evoplastic.trials.table import TrialTable

ROW_INCHES, WIDTH = 0.34, 7.2
MOST_ROWS = 40


def course_preview(table: TrialTable, description: str = "") -> Figure:
    """A row for each task: bars where it is taught, thin ones where it is probed.

    Raises:
        UsageError: a table without a course, or one of more tasks than can be drawn.
    """
    course = table.course
    require(course is not None, f"task {table.task!r} is no stream, it has no parts to draw")
    assert course is not None
    rows = len(course.tasks)
    require(rows <= MOST_ROWS, f"stream {table.task!r} has {rows} tasks, {MOST_ROWS} can be drawn")
    parts = [part for number, part in enumerate(course.parts) if _taught(course, number)]
    caption = (
        f"{course.num_trials} trials of a lifetime, {int(course.probe_K.sum())} of them probes, at "
        f"which nothing is learnt. Parts: {', '.join(parts)}. Nothing tells the network which task "
        "it is in."
    )
    below = caption_inches(caption, WIDTH)
    height = 0.8 + rows * ROW_INCHES + below + 0.5
    with drawing():
        figure = Figure(figsize=(WIDTH, height))
        left = 0.3 + 0.075 * max(map(len, course.tasks))
        axes = figure.add_axes(
            (
                left / WIDTH,
                (below + 0.55) / height,
                1 - (left + 0.25) / WIDTH,
                rows * ROW_INCHES / height,
            )
        )
        for task in range(rows):
            colour = COLOURS[task % len(COLOURS)]
            for probe, high in ((False, 0.8), (True, 0.3)):
                spans = _spans((course.task_K == task) & (course.probe_K == probe))
                axes.broken_barh(
                    spans,
                    (task - high / 2, high),
                    facecolor=GREY if probe else colour,
                    edgecolor="none",
                )
        axes.set_yticks(range(rows), course.tasks)
        axes.set_ylim(rows - 0.4, -0.6)
        axes.set_xlim(0, course.num_trials)
        axes.set_xlabel("trial of the lifetime")
        axes.tick_params(axis="y", length=0)
        handles = [Patch(color=COLOURS[0], label="taught"), Patch(color=GREY, label="probed")]
        figure.legend(handles=handles, loc="upper right", ncols=2, borderaxespad=0.4)
        write_caption(figure, caption, f"step {table.dt_ms:g} ms  |  digest {table.digest}", below)
        head(figure, table.task, description)
    return figure


def _taught(course: Course, part: int) -> bool:
    return bool(((course.part_K == part) & ~course.probe_K).any())


def _spans(chosen_K: np.ndarray) -> list[tuple[int, int]]:
    """First trial and length of each run of chosen trials."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], chosen_K.astype(np.int8), [0]])))
    return [(int(a), int(b - a)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
