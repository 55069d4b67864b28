"""Workers that are none: a crew in one process whose members do as they are told.

The protocol is ours (`cluster/workers/crew.py`); nothing of Ray is imitated here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from heapq import heappop, heappush

import numpy as np
from torch import Tensor

from cluster.executors import Reply, Result, Shard
from cluster.workers.crew import Answered, Event, Joined, Left
from evoplastic.lifetime.problem import LifetimeProblem
from evoplastic.lifetime.shards import PopulationResult

Act = Callable[["PretendedCrew", int, int, Shard], None]


def at_once(crew: PretendedCrew, worker: int, ticket: int, shard: Shard) -> None:
    """Answer as soon as asked."""
    crew.answer(worker, ticket, shard)


def numbers_of(shard: Shard) -> Result:
    """A result that costs nothing: the numbers of the shard's individuals."""
    first = shard.address[2]
    assert isinstance(first, int)
    numbers = np.arange(first, first + shard.lifetimes, dtype=np.float64)
    return PopulationResult(numbers, numbers, numbers, numbers[:, None][:, :0])


class PretendedCrew:
    """Members who answer, or whatever else `act` makes them do when they are handed a shard."""

    def __init__(
        self,
        workers: int,
        act: Act = at_once,
        simulate: Callable[[Shard], Result] = numbers_of,
        most_events: int | None = None,
    ) -> None:
        """Begin with some members; `most_events` is how many are told at a time."""
        self.workers = workers
        self.now_s = 0.0  # a wait in vain passes the time
        self.calls = 0  # of the protocol's verbs
        self.handed: list[tuple[int, Shard]] = []
        self.dismissed: list[int] = []
        self.events: deque[Event] = deque(Joined(number) for number in range(workers))
        self._act, self._simulate, self._most = act, simulate, most_events
        self._next = workers
        self._later: list[tuple[float, int, Event]] = []
        self._busy_until: dict[int, float] = {}

    def begin(self, problem: LifetimeProblem, center_G: Tensor) -> str:
        """Nothing is sent."""
        self.calls += 1
        return "center"

    def submit(self, worker: int, ticket: int, shard: Shard) -> None:
        """Let a member act."""
        self.calls += 1
        self.handed.append((worker, shard))
        self._act(self, worker, ticket, shard)

    def wait(self, timeout_s: float) -> Sequence[Event]:
        """What has happened; nobody is waited for."""
        self.calls += 1
        if not self.events:
            self.now_s = min([self.now_s + timeout_s, *[at for at, _, _ in self._later[:1]]])
        while self._later and self._later[0][0] <= self.now_s:
            self.events.append(heappop(self._later)[2])
        number = len(self.events) if self._most is None else min(self._most, len(self.events))
        return [self.events.popleft() for _ in range(number)]

    def dismiss(self, worker: int) -> None:
        """Send one away and hire another."""
        self.calls += 1
        self.dismissed.append(worker)
        self.hire()

    def close(self) -> None:
        """Nothing is held."""

    def answer(self, worker: int, ticket: int, shard: Shard) -> None:
        """Bring home what a shard gives."""
        reply = Reply(shard.address, "center", self._simulate(shard))
        self.events.append(Answered(worker, ticket, reply))

    def answer_after(self, seconds: float, worker: int, ticket: int, shard: Shard) -> None:
        """Be at work for so long, after what the member has in hand."""
        self._busy_until[worker] = max(self._busy_until.get(worker, 0.0), self.now_s) + seconds
        reply = Reply(shard.address, "center", self._simulate(shard))
        event = Answered(worker, ticket, reply)
        heappush(self._later, (self._busy_until[worker], ticket, event))

    def hire(self) -> int:
        """One more member."""
        self.events.append(Joined(self._next))
        self._next += 1
        return self._next - 1

    def lose(self, worker: int) -> None:
        """A member dies, and what it had to say with it."""
        self.events = deque(event for event in self.events if event.worker != worker)
        self.events.append(Left(worker, "died"))
