"""Brain imitation: a term of the fitness that asks a network for activity like a recorded one.

    loss = loss of the lifetime + weight * (1 - similarity)

similarity is that of the mean rates of hidden neurons in each kind of trial, over the last trials
of the lifetime, with recorded activity in the same conditions (`similarity.py`): from 0 to 1 as
centred kernel alignment, from -1 to 1 as correlation of RDMs, which unlike the rank correlation of
figures moves with every small change.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from evoplastic.checks import require, require_known
from evoplastic.lifetime.imitation.activity import order_of
from evoplastic.lifetime.imitation.similarity import Float64Array
from evoplastic.trials.shown import kind_names
from evoplastic.trials.world import Task


class Wanted(NamedTuple):
    """Recorded activity as the kinds of trial of one task have it."""

    kinds: tuple[int, ...]
    matrix_CC: Float64Array  # of `matrix_of`, in the order of the kinds


class Imitation(NamedTuple):
    """The term, for the training tasks of a problem."""

    weight: float
    measure: str
    trials: int  # the last ones of a lifetime
    window_ms: tuple[float, float]  # of a trial, half-open
    wanted: Mapping[int, Wanted]  # by training task; tasks that are not there have no such term


def imitation_of(
    train: tuple[Task, ...],
    *,
    weight: float,
    measure: str,
    trials: int,
    window_ms: tuple[float, float],
    tasks: tuple[str, ...],
    conditions: tuple[str, ...],
    matrix_CC: Float64Array,
) -> Imitation:
    """The term for these training tasks.

    Args:
        train: training tasks.
        weight: of the term.
        measure: `rdm` or `cka`.
        trials: the last ones of a lifetime, whose rates are averaged.
        window_ms: of a trial, whose rates are averaged.
        tasks: that the activity was recorded in; none means all.
        conditions: recorded ones, in the order of the matrix.
        matrix_CC: of `similarity.matrix_of`.

    Raises:
        UsageError: an unknown task; a task of other conditions; a window without a step.
    """
    names = [task.task for task in train]
    for name in tasks:
        require_known("training task to imitate", name, names)
    wanted = {}
    for place, task in enumerate(train):
        if tasks and task.task not in tasks:
            continue
        known = kind_names(task)
        order = order_of(conditions, list(known.values()), task.task)
        wanted[place] = Wanted(tuple(known), matrix_CC[np.ix_(order, order)])
        start, stop = window_steps(window_ms, task.dt_ms)
        require(
            0 <= start < stop,
            f"the window of imitation, {window_ms[0]:g} to {window_ms[1]:g} ms, has no step of "
            f"task {task.task!r} (of {task.dt_ms:g} ms each); widen imitation.window_ms",
        )
    return Imitation(weight, measure, trials, window_ms, wanted)


def window_steps(window_ms: tuple[float, float], dt_ms: float) -> tuple[int, int]:
    """The steps of a window, half-open.

    >>> window_steps((200.0, 260.0), 20.0)
    (10, 13)
    """
    return int(window_ms[0] // dt_ms), int(-(-window_ms[1] // dt_ms))
