"""Trials of users' tasks that raised: counted, and the first of each task kept to be shown.

What raises in somebody else's code costs that trial, not the run. Whoever draws or steps trials
notes here what was left out; whoever writes records takes it from here. Worker processes send
theirs along with results.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import NamedTuple

logger = logging.getLogger(__name__)


class TrialFault(NamedTuple):
    """A trial that raised, with all it takes to see it again."""

    task: str
    seed: int  # of the environment
    trial: int  # which of its draws, counted from 0
    where: str  # "new_trial()" or "step(2) at step 7"
    said: str  # what was raised, in a line
    traceback: str
    command: str  # that reproduces it
    actions: tuple[int, ...] | None = None  # taken before it, in an environment that is stepped

    @property
    def summary(self) -> str:
        """A sentence."""
        return (
            f"trial {self.trial} of task {self.task!r} (seed {self.seed}) raised in {self.where}: "
            f"{self.said}"
        )


class Faults(NamedTuple):
    """Trials of one task that raised."""

    number: int
    first: TrialFault


_pending: dict[str, Faults] = {}
_told: set[str] = set()


def note(fault: TrialFault) -> None:
    """Count a trial that was left out; the first of a task is said, once in a process."""
    receive({fault.task: Faults(1, fault)})


def receive(faults: Mapping[str, Faults]) -> None:
    """Count what another process noted."""
    for task, found in faults.items():
        before = _pending.get(task)
        _pending[task] = Faults(
            found.number + (before.number if before else 0), before.first if before else found.first
        )
        if task not in _told:
            _told.add(task)
            logger.warning(
                "%s. It is left out and the next one drawn; so are others that raise, which are "
                "counted (this is said once). To see it again: %s\n%s",
                found.first.summary,
                found.first.command,
                found.first.traceback,
            )


def drain() -> dict[str, Faults]:
    """What was noted since this was last asked, by task."""
    taken = dict(_pending)
    _pending.clear()
    return taken
