"""Waiting for workers: said now and then, and not forever."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from evoplastic.checks import Preempted

logger = logging.getLogger(__name__)

SAY_EVERY_S = 30.0


class Patience:
    """Of a driver that has nobody to give work to.

    Args:
        most_s: the longest wait at a time.
        clock: seconds that never go back.
    """

    def __init__(self, most_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most_s, self._clock = most_s, clock
        self._since: float | None = None
        self._said = 0.0

    def ease(self) -> None:
        """There are enough again."""
        self._since = None

    def strain(self, situation: Callable[[], str], on_the_way: Callable[[], bool]) -> None:
        """There are too few still.

        Args:
            situation: what is asked for, there and free, in words.
            on_the_way: whether a worker has found room and is about to be there.

        Raises:
            Preempted: the wait was long enough, and nobody is on the way.
        """
        now = self._clock()
        if self._since is None:
            self._since = self._said = now
        waited_s = now - self._since
        if now - self._said >= SAY_EVERY_S:
            self._said = now
            logger.warning(
                "waiting for workers since %.0f s, at most %.0f s: %s",
                waited_s,
                self._most_s,
                situation(),
            )
        if waited_s > self._most_s and not on_the_way():
            raise Preempted(
                f"no workers within {self._most_s:.0f} s: {situation()}; make room (end other "
                "jobs, add nodes), ask for less (--workers, --cpus-per-worker, --gpus-per-worker), "
                "or wait longer (--wait-for-workers SECONDS); the same command can be run again "
                "later"
            )
