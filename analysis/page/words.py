"""Words of a report's story: numbers, tasks and times as a sentence says them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.measures import ACCURACY, Measure

DIGEST = re.compile(r"[0-9a-f]{64}")
DIGITS = 16  # of a digest that are shown
MOST_NAMED = 4  # tasks or settings that a sentence names


def number(measure: Measure, value: float) -> str:
    """A number of a measure with its unit.

    >>> number(ACCURACY, 0.9234)
    '92.3 %'
    """
    return f"{100 * value:.1f} %" if measure is ACCURACY else f"{value:.3g}"


def over_seeds(values: pd.Series, measure: Measure) -> str:
    """The mean over runs, of several with the lowest and the highest."""
    mean = number(measure, values.mean())
    if len(values) == 1:
        return mean
    low, high = number(measure, values.min()), number(measure, values.max())
    return f"{mean} ({low} to {high} over {len(values)} seeds)"


def each_task(scores: pd.DataFrame, measure: Measure) -> str:
    """Each task, or of many the worst and the best: a mean of two tasks that are each other's
    negation is the same for a network that has learnt half and for one that always says yes."""
    of_tasks = scores.groupby("task", sort=False)[measure.column("mean")].mean()
    if len(of_tasks) <= MOST_NAMED:
        return ", ".join(f"{task} {number(measure, mean)}" for task, mean in of_tasks.items())
    worst, best = of_tasks.idxmin(), of_tasks.idxmax()
    return (
        f"from {worst} {number(measure, of_tasks[worst])} to {best} "
        f"{number(measure, of_tasks[best])}"
    )


def mean_and_tasks(scores: pd.DataFrame, measure: Measure) -> str:
    """The mean over tasks beside the tasks; of rewards, each on a scale of its own, tasks alone."""
    if scores["task"].nunique() == 1:
        return number(measure, scores[measure.column("mean")].mean())
    if measure is not ACCURACY:
        return each_task(scores, measure)
    return (
        f"{number(measure, scores[measure.column('mean')].mean())} ({each_task(scores, measure)})"
    )


def tasks_phrase(role: str, tasks: list[str]) -> str:
    """Tasks by their number, few of them by name.

    >>> tasks_phrase("held_out", ["dms", "dnms"])
    'the 2 held-out tasks dms and dnms'
    """
    kind = "held-out" if role == "held_out" else "training"
    if len(tasks) == 1:
        return f"the {kind} task {tasks[0]}"
    named = f" {listed(tasks)}" if len(tasks) <= MOST_NAMED else ""
    return f"the {len(tasks)} {kind} tasks{named}"


def duration(seconds: float) -> str:
    """A time in words, nothing for none.

    >>> duration(0), duration(42), duration(150), duration(3 * 3600 + 300)
    ('', '42 s', '2 min 30 s', '3 h 5 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s" if seconds else ""
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def count(many: int, noun: str) -> str:
    """A number of things.

    >>> count(1, "run"), count(2, "run")
    ('1 run', '2 runs')
    """
    return f"{many} {noun}{'' if many == 1 else 's'}"


def listed(words: list[str]) -> str:
    """Words as a sentence lists them.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def without_places(value: Any) -> Any:
    """A setting as it means something elsewhere: of the path of a file its name alone.

    >>> without_places({"suite": "/home/me/own.yaml", "tasks": ["/home/me/t.py:T", "dms"]})
    {'suite': 'own.yaml', 'tasks': ['t.py:T', 'dms']}
    """
    if isinstance(value, dict):
        return {key: without_places(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [without_places(each) for each in value]
    if isinstance(value, str) and Path(value).is_absolute():
        return Path(value).name
    return value


def setting_word(value: Any) -> str:
    """A setting in a table or a name: without places, digests by their first digits."""
    kept = without_places(value)
    if isinstance(kept, str):
        return kept[:DIGITS] if DIGEST.fullmatch(kept) else kept
    return json.dumps(kept)
