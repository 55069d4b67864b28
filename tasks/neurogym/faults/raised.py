"""Draw trials of somebody else's code so that one that raises costs that trial alone.

A trial's number is its place among all draws of one environment; the next number is drawn in place
of one that raises. So the trials of a seed are the same whoever draws them.
"""

from __future__ import annotations

import traceback
from collections.abc import Collection
from typing import Any, NamedTuple

CODE_FAULTS = (Exception, SystemExit)  # of somebody else's code; an interrupt is the user's own
NEW_TRIAL = "new_trial()"  # where a trial raised that nothing but its number decides about
MOST_IN_A_ROW = 20  # trials that raise one after the other before an environment is given up


class Raised(NamedTuple):
    """What a trial raised, in words."""

    trial: int  # its number among the draws
    where: str
    said: str
    traceback: str


def raised(trial: int, where: str, error: BaseException) -> Raised:
    """An error in words."""
    said = traceback.format_exception_only(error)[-1].strip()
    return Raised(trial, where, said, "".join(traceback.format_exception(error)))


class NextTrial:
    """Stands where an environment asks for its next trial; one that raises is drawn again.

    Args:
        top: the environment with its wrappers.
        left_out: numbers of trials that are drawn and passed over, because a step in them raises.
    """

    def __init__(self, top: Any, left_out: Collection[int] = ()) -> None:
        self.top, self.left_out = top, frozenset(left_out)
        self.drawn = 0
        self.raised: list[Raised] = []
        self.given_up = False

    def new_trial(self, **settings: Any) -> Any:
        """The next trial that does not raise.

        Raises:
            Exception: what the last of `MOST_IN_A_ROW` trials raised.
        """
        in_a_row = 0
        while True:
            number, self.drawn = self.drawn, self.drawn + 1
            try:
                trial = self.top.new_trial(**settings)
            except CODE_FAULTS as error:
                self.raised.append(raised(number, NEW_TRIAL, error))
                in_a_row += 1
                if in_a_row == MOST_IN_A_ROW:
                    self.given_up = True
                    raise
                continue
            if number not in self.left_out:
                return trial
