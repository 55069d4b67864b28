"""Which share of a task's trials raises; a task of which too many do is refused.

The share is counted among the first trials of one seed, always the same, once a trial was seen to
raise. So a task is refused at once or never: not in the middle of a run.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from tasks.neurogym.environments import EnvSource
from tasks.neurogym.faults.reporting import check_command
from tasks.neurogym.refusals import Unbankable, refuse

SEED = 0
COUNTED_TRIALS = 500
ONE_IN = 100  # trials may raise
MOST_RAISED = COUNTED_TRIALS // ONE_IN


class Share(NamedTuple):
    """How many trials raised among those that were counted."""

    raised: int
    counted: int

    detail: str = ""  # what the last of them raised
    trial: int | None = None  # the number of that one, if it can be drawn again by that alone

    @property
    def is_rare(self) -> bool:
        """Whether the task can be used: up to 1 in 100, and a single one of few."""
        return self.raised <= max(1, self.counted // ONE_IN)


_known: dict[Any, Share] = {}


def known_share(source: EnvSource, way: str) -> Share | None:
    """What was counted before in this process; None before that.

    Args:
        source: the task.
        way: how its trials are met, "bank" or "stepping".
    """
    return _known.get(_key(source, way))


def remember(source: EnvSource, way: str, share: Share) -> None:
    """Keep what was counted."""
    _known[_key(source, way)] = share


def refuse_frequent(source: EnvSource, share: Share) -> None:
    """Raise if too many trials raise.

    Raises:
        Unbankable: they do.
    """
    if not share.is_rare:
        detail = (
            f"{share.detail}; {share.raised} of {share.counted} trials of seed {SEED} raise, and "
            f"1 in {ONE_IN} may (they are left out)"
        )
        if share.trial is not None:
            again = check_command(source, "--trial", share.trial, "--seed", SEED)
            detail += f"; mend the task, `{again}` shows one that raises"
        raise Unbankable(refuse("raises", source.name, detail))


def _key(source: EnvSource, way: str) -> Any:
    return source.task, json.dumps(dict(source.settings), default=repr), source.dt_ms, way
