"""What trials of fixed timing show when: the periods of their stimuli, told apart by what is shown.

Nothing is known about a task by its name: a period begins where the observation of any trial
changes, and lasts while it stays as it is.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from evoplastic.trials.table import TrialTable
from evoplastic.trials.world import Task
from evoplastic.types import Int64Array

MOST_PERIODS = 8  # stimuli that change at every step are not periods


class Shown(NamedTuple):
    """One stimulus of a trial."""

    steps: tuple[int, int]  # half-open
    of_kind: Int64Array  # [kinds] which of its values each kind of trial shows, from 0 on


def shown_periods(table: TrialTable) -> list[Shown]:
    """The periods in which a trial shows something, and what each kind of trial shows then.

    Values are numbered in the order of their lines, lowest first; a period in which trials of one
    kind differ, as in a task with noise, is left out. Self-paced trials have none.

    >>> from tasks.two_stimulus.task import TwoStimulusTask
    >>> periods = shown_periods(TwoStimulusTask("and").trials())
    >>> [(each.steps, each.of_kind.tolist()) for each in periods]
    [((0, 8), [0, 0, 1, 1]), ((10, 18), [0, 1, 0, 1])]
    """
    if table.timing is None:
        return []
    stimulus_MTI = table.fixed.stimulus_MTI
    changes = (stimulus_MTI[:, 1:] != stimulus_MTI[:, :-1]).any((0, 2))
    edges = [0, *(np.flatnonzero(changes) + 1).tolist(), stimulus_MTI.shape[1]]
    periods = [(start, stop) for start, stop in pairwise(edges) if stimulus_MTI[:, start].any()]
    if len(periods) > MOST_PERIODS:
        return []
    found = []
    for steps in periods:
        shown_MI = stimulus_MTI[:, steps[0]]
        value_M = np.unique(shown_MI, axis=0, return_inverse=True)[1].reshape(-1)
        of_kind = np.full(int(table.kind_M.max()) + 1, -1, dtype=np.int64)
        of_kind[table.kind_M] = value_M
        if (of_kind[table.kind_M] == value_M).all():
            found.append(Shown(steps, of_kind))
    return found


def kind_names(table: Task) -> dict[int, str]:
    """Each kind of trial by what its stimuli show, in order; by its number where that is the same.

    >>> from tasks.two_stimulus.task import TwoStimulusTask
    >>> kind_names(TwoStimulusTask("and").trials())
    {0: '0 0', 1: '0 1', 2: '1 0', 3: '1 1'}
    """
    if not isinstance(table, TrialTable):
        return {}
    kinds = np.unique(table.kind_M).tolist()
    periods = shown_periods(table)
    names = [" ".join(str(period.of_kind[kind]) for period in periods) for kind in kinds]
    if not periods or len(set(names)) < len(names):
        names = [f"kind {kind}" for kind in kinds]
    return dict(zip(kinds, names, strict=True))
