"""All tasks at one generation: a row for each task, a dot for each setting, levels beside them."""

from __future__ import annotations

from typing import Any, NamedTuple

import pandas as pd

from analysis.generalization import ROLES
from analysis.measures import ACCURACY
from analysis.page.contents import Contents
from analysis.page.drawing import Scale, Tick
from analysis.page.series import MOST_TASKS, thinned
from analysis.page.words import number

WIDTH, ROW, TOP, BOTTOM = 520.0, 26.0, 8.0, 40.0
LABELS = 190.0  # width of the column of names
LONGEST = 22  # characters of a name that fit there


class TaskRow(NamedTuple):
    """One task."""

    label: str
    full: str  # where the label is cut
    y: float
    chance: float | None  # places
    fixed_policy: float | None


class Strip(NamedTuple):
    """The figure, with the newest numbers; `data` has those of all generations."""

    alt: str
    height: float
    rows: tuple[TaskRow, ...]
    ticks: tuple[Tick, ...]
    looks: tuple[tuple[str, str], ...]  # class and name of each setting
    dots: tuple[dict[str, Any], ...]
    note: str
    left_out: int
    newest: str  # what is drawn, in words
    data: dict[str, Any]


def strip_of(contents: Contents) -> Strip | None:
    """The figure of all tasks that have accuracy; None where none has."""
    found = [
        (role, task)
        for role in reversed(ROLES)
        for task in contents.tasks(role)
        if ACCURACY in contents.measures(role, task)
    ]
    if not found:
        return None
    shown = found[:MOST_TASKS]
    x = Scale(0.0, 1.0, LABELS, WIDTH - 16.0)
    rows = tuple(_row(contents, role, task, place, x) for place, (role, task) in enumerate(shown))
    frames = _frames(contents, shown)
    newest, dots = frames[-1]
    looks = _looks(contents)
    height = TOP + ROW * len(rows) + BOTTOM
    return Strip(
        alt=_alt(shown, dots, contents, newest),
        height=height,
        rows=rows,
        ticks=tuple(Tick(x(each / 100), f"{each}") for each in range(0, 101, 20)),
        looks=looks,
        dots=tuple(_dot(each, rows, x, contents, looks) for each in dots),
        note=_note(contents),
        left_out=len(found) - len(shown),
        newest=newest,
        data={
            "names": [name for name, _ in frames],
            "dots": [[_placed(each, x) for each in dots] for _, dots in frames],
        },
    )


class Dot(NamedTuple):
    """One setting on one task at one generation."""

    row: int
    setting: int
    role: str
    mean: float
    low: float
    high: float


def _frames(contents: Contents, tasks: list[tuple[str, str]]) -> list[tuple[str, list[Dot]]]:
    """Dots by generation, at most some hundred of them; last, the newest evaluation of each run."""
    scores = [contents.of(role, task) for role, task in tasks]
    generations = sorted({int(g) for own in scores for g in own["generation"]})
    frames = [
        (
            f"generation {generations[place]}",
            _dots([own[own["generation"] == generations[place]] for own in scores], tasks),
        )
        for place in thinned(len(generations))
    ]
    newest = [
        own[own["generation"] == own.groupby("run_id")["generation"].transform("max")]
        for own in scores
    ]
    last = ("the newest generation of each run", _dots(newest, tasks))
    return frames if last[1] == frames[-1][1] else [*frames, last]


def _dots(scores: list[pd.DataFrame], tasks: list[tuple[str, str]]) -> list[Dot]:
    return [
        Dot(place, int(number), tasks[place][0], *_spread(of_setting))
        for place, own in enumerate(scores)
        for number, of_setting in own[own["mean"].notna()].groupby("setting")
    ]


def _spread(own: pd.DataFrame) -> tuple[float, float, float]:
    if len(own) > 1:
        return float(own["mean"].mean()), float(own["mean"].min()), float(own["mean"].max())
    row = own.iloc[0]
    return float(row["mean"]), float(row["q25"]), float(row["q75"])


def _row(contents: Contents, role: str, task: str, place: int, x: Scale) -> TaskRow:
    own = contents.of(role, task)
    levels = [own[column].mean() for column in (ACCURACY.chance, ACCURACY.fixed_policy)]
    chance, fixed = (None if level != level else x(level) for level in levels)
    label = task if len(task) <= LONGEST else f"{task[: LONGEST - 1]}…"
    return TaskRow(label, task, TOP + ROW * (place + 0.5), chance, fixed)


def _looks(contents: Contents) -> tuple[tuple[str, str], ...]:
    if len(contents.settings) == 1:
        return (("held_out", "held-out tasks"), ("train", "training tasks"))
    return tuple((f"setting{place % 8}", name) for place, name in enumerate(contents.names))


def _dot(
    dot: Dot,
    rows: tuple[TaskRow, ...],
    x: Scale,
    contents: Contents,
    looks: tuple[tuple[str, str], ...],
) -> dict[str, Any]:
    alone = len(contents.settings) == 1
    count = len(contents.settings)
    shift = 0.0 if alone else 14.0 * ((dot.setting + 0.5) / count - 0.5)
    placed = _placed(dot, x)
    return {
        "key": placed[0],
        "look": dot.role if alone else looks[dot.setting][0],
        "y": round(rows[dot.row].y + shift, 1),
        "x": placed[1],
        "low": placed[2],
        "high": placed[3],
        "told": placed[4],
    }


def _placed(dot: Dot, x: Scale) -> list[Any]:
    """Key, places of the mean and of both ends of its bar, and the number in words."""
    key = f"{dot.row}-{dot.setting}"
    ends = f"{100 * dot.low:.0f} to {100 * dot.high:.0f}"
    told = f"{number(ACCURACY, dot.mean)} ({ends})"
    return [key, x(dot.mean), x(dot.low), x(dot.high), told]


def _note(contents: Contents) -> str:
    spread = "lowest and highest seed" if contents.has_seeds else "quartiles over lifetimes"
    return f"Dot: mean; bar: {spread}. Thin mark: chance. Thick mark: best fixed policy."


def _alt(tasks: list[tuple[str, str]], dots: list[Dot], contents: Contents, when: str) -> str:
    parts = []
    for dot in dots[:12]:
        role, task = tasks[dot.row]
        name = f"{task}{' (held out)' if role == 'held_out' else ''}"
        own = f", {contents.names[dot.setting]}" if len(contents.settings) > 1 else ""
        parts.append(f"{name}{own} {number(ACCURACY, dot.mean)}")
    more = f"; and {len(dots) - 12} more" if len(dots) > 12 else ""
    return f"Share correct on each task at {when}: {'; '.join(parts)}{more}."
