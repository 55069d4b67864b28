"""Those who simulate, as the scheduling sees them: workers that come and go, and what they say.

`Dispatcher` (`dispatch.py`) decides who does what over this protocol and knows nothing of Ray; a
crew (`ray_crew.py`) starts, watches and ends workers and knows nothing of what is left to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from torch import Tensor

from cluster.executors import Shard
from evoplastic.lifetime.problem import LifetimeProblem


class Joined(NamedTuple):
    """A worker is up and takes shards from now on."""

    worker: int
    room_bytes: int = 0  # of a GPU, that genomes may take; 0 says that small pieces suit it


class Left(NamedTuple):
    """A worker is gone, and with it what it had in hand; nothing more is heard of it."""

    worker: int
    why: str  # goes on "a worker ..."


class Answered(NamedTuple):
    """A worker is done with a shard, if what it says holds."""

    worker: int
    ticket: int
    reply: object


class Failed(NamedTuple):
    """A worker raised an exception at a shard, and is ready for the next one."""

    worker: int
    ticket: int
    cause: BaseException | None  # None where it cannot be had
    text: str


Event = Joined | Left | Answered | Failed


class Crew(Protocol):
    """Workers that come and go, each known by a number that is never given again.

    A worker is first heard of when it has joined. How many there are to be, whether one that left
    is replaced, and how long nobody at all is waited for, is the crew's own affair.
    """

    @property
    def workers(self) -> int:
        """How many it means to have."""
        ...

    def begin(self, problem: LifetimeProblem, center_G: Tensor) -> str:
        """Say what shards belong to that are submitted from now on; the digest of the center.

        What was submitted before may still be answered. This is a moment between two calls of
        `map`, at which a crew may also grow or shrink.
        """
        ...

    def submit(self, worker: int, ticket: int, shard: Shard) -> None:
        """Give a worker that has joined, and not left, a shard to do after those it has.

        Never waits and never raises for a worker that dies meanwhile: `wait` reports that.

        Args:
            worker: who.
            ticket: what the answer is to be known by, never used before.
            shard: of what `begin` said last.
        """
        ...

    def wait(self, timeout_s: float) -> Sequence[Event]:
        """All that has happened, or what happens first; nothing if that takes too long.

        Raises:
            EnvironmentFault: there is nobody, and nobody is to be expected any more.
        """
        ...

    def dismiss(self, worker: int) -> None:
        """End a worker that is silent; not even that it left is heard of it any more."""
        ...

    def close(self) -> None:
        """End all workers, and give back what they run on."""
        ...
