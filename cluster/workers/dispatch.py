"""Who does which shard: a few in flight with each worker, put back in order, deaths survived.

A worker that dies, freezes, errs or answers something else loses its shards to the others.
At-least-once is enough, because a shard is pure. Workers may join and leave at any time.
"""

from __future__ import annotations

import logging
import statistics
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from torch import Tensor

from cluster.executors import (
    Reply,
    Result,
    Shard,
    ShardError,
    ShouldStop,
    StopRequested,
    fault_in,
)
from cluster.workers.crew import Answered, Crew, Event, Failed, Joined, Left
from evoplastic.checks import EnvironmentFault, UsageError
from evoplastic.lifetime.problem import LifetimeProblem
from evoplastic.trials.faults import receive

logger = logging.getLogger(__name__)

IN_FLIGHT = 2  # a worker never waits for the driver, and never holds much
POLL_S = 0.2
MAX_ERRORS = 2  # an exception that comes back twice is the shard's own
MAX_LOSSES = 5  # workers that one shard may take with it


@dataclass(eq=False)
class _Worker:
    number: int
    since: float  # when it last showed progress
    in_flight: dict[int, int] = field(default_factory=dict)  # ticket -> index of the shard
    proven: bool = False  # has delivered before, so its engine is compiled


@dataclass
class _Job:
    """One call of `map`: what is left to do and what is done."""

    problem: LifetimeProblem
    center_digest: str
    shards: Sequence[Shard]
    todo: deque[int]
    results: dict[int, Result] = field(default_factory=dict)
    errors: dict[int, int] = field(default_factory=dict)
    losses: dict[int, int] = field(default_factory=dict)


class Dispatcher:
    """Hands shards to a crew and takes back their results."""

    def __init__(
        self,
        crew: Crew,
        *,
        deadline_s: float = 30.0,
        first_deadline_s: float = 600.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take a crew, of which nobody needs to be there yet.

        Args:
            crew: who simulates.
            deadline_s: a worker silent for longer than this, and than four times what its shard
                usually takes, counts as frozen.
            first_deadline_s: the same for a worker's first shard: an engine may be compiling.
            clock: seconds that never go back.
        """
        self._crew = crew
        self._deadline_s, self._first_deadline_s = deadline_s, first_deadline_s
        self._clock = clock
        self._seconds_per_lifetime: deque[float] = deque(maxlen=100)
        self._workers: dict[int, _Worker] = {}  # those who have joined, by number
        # Workers by how many shards they have in hand, those first that have waited longest.
        self._by_load: list[OrderedDict[int, _Worker]] = [OrderedDict() for _ in range(IN_FLIGHT)]
        self._events: deque[Event] = deque()  # heard and not yet met: an error may come between
        self._tickets = 0
        self._looked = 0.0  # when silent workers were last looked for
        self.retried_shards = 0

    @property
    def workers(self) -> int:
        """Worker processes that the crew means to have."""
        return self._crew.workers

    def map(
        self,
        problem: LifetimeProblem,
        center_G: Tensor,
        shards: Sequence[Shard],
        should_stop: ShouldStop,
    ) -> list[Result]:
        """Results in the order of the shards; see `Executor.map`.

        Raises:
            EnvironmentFault: the crew has nobody, and expects nobody.
        """
        digest = self._crew.begin(problem, center_G)
        job = _Job(problem, digest, shards, deque(range(len(shards))))
        now = self._clock()
        for worker in self._workers.values():
            worker.since = now
        try:
            while len(job.results) < len(shards):
                if should_stop():
                    raise StopRequested
                self._hand_out(job)
                self._events.extend(self._crew.wait(POLL_S))
                while self._events:
                    self._meet(self._events.popleft(), job)
                self._dismiss_silent(job)
        finally:
            self._forget()
        return [job.results[index] for index in range(len(shards))]

    def close(self) -> None:
        """Let the crew go."""
        self._workers.clear()
        self._crew.close()

    def _hand_out(self, job: _Job) -> None:
        """Give shards to the least loaded workers."""
        while job.todo:
            free = next((workers for workers in self._by_load if workers), None)
            if free is None:
                return
            worker = next(iter(free.values()))
            if not worker.in_flight:
                worker.since = self._clock()
            index = job.todo.popleft()
            self._tickets += 1
            self._crew.submit(worker.number, self._tickets, job.shards[index])
            self._set_aside(worker)
            worker.in_flight[self._tickets] = index
            self._put_back(worker)

    def _meet(self, event: Event, job: _Job) -> None:
        if isinstance(event, Joined):
            worker = self._workers[event.worker] = _Worker(event.worker, self._clock())
            self._put_back(worker)
        elif event.worker not in self._workers:
            return  # of one that was dismissed
        elif isinstance(event, Left):
            self._lose(self._workers[event.worker], job, event.why)
        elif event.ticket in self._workers[event.worker].in_flight:
            self._take(self._workers[event.worker], event, job)

    def _take(self, worker: _Worker, event: Answered | Failed, job: _Job) -> None:
        self._set_aside(worker)
        index = worker.in_flight.pop(event.ticket)
        self._put_back(worker)
        if isinstance(event, Failed):
            self._shard_failed(index, job, event.cause, event.text)
            return
        now = self._clock()
        self._seconds_per_lifetime.append((now - worker.since) / job.shards[index].lifetimes)
        worker.since, worker.proven = now, True
        reply = event.reply
        fault = _fault_in_reply(reply, job, index)
        if fault is not None:
            self._shard_failed(index, job, None, f"the result is not the shard's: {fault}")
            return
        assert isinstance(reply, Reply)
        job.results[index] = reply.result
        receive(reply.faults)

    def _shard_failed(self, index: int, job: _Job, cause: BaseException | None, text: str) -> None:
        """Try a shard once more; say clearly what it raised when that does not help."""
        if isinstance(cause, (UsageError, EnvironmentFault)):
            raise cause
        job.errors[index] = job.errors.get(index, 0) + 1
        if job.errors[index] >= MAX_ERRORS:
            raise ShardError(
                f"{job.shards[index]} failed {MAX_ERRORS} times in worker processes: {text}"
            ) from cause
        logger.warning("%s is tried again: %s", job.shards[index], text.strip().splitlines()[-1])
        self._hand_back([index], job)

    def _dismiss_silent(self, job: _Job) -> None:
        """Dismiss workers that show no sign of life; they may be frozen, or out of reach."""
        now = self._clock()
        if now - self._looked < POLL_S:  # all are looked at, which must not be for every result
            return
        self._looked = now
        usual_s = statistics.median(self._seconds_per_lifetime or [0.0])
        for worker in list(self._workers.values()):
            limit_s = self._deadline(worker, job, usual_s)
            if now - worker.since > limit_s:
                self._crew.dismiss(worker.number)
                self._lose(worker, job, f"was silent for {limit_s:.0f} s")

    def _deadline(self, worker: _Worker, job: _Job, usual_s: float) -> float:
        """Seconds that a worker may need for the shard it is at."""
        if not worker.in_flight:
            return float("inf")
        if not worker.proven:
            return self._first_deadline_s
        shard = job.shards[next(iter(worker.in_flight.values()))]
        return max(self._deadline_s, 4.0 * usual_s * shard.lifetimes)

    def _lose(self, worker: _Worker, job: _Job, why: str) -> None:
        """Go on without a worker, whose shards go to others."""
        logger.warning("a worker %s; its %d shards go out again", why, len(worker.in_flight))
        self._set_aside(worker)
        del self._workers[worker.number]
        lost = list(worker.in_flight.values())
        for index in lost[:1]:  # the first in flight is the one that was being simulated
            job.losses[index] = job.losses.get(index, 0) + 1
            if job.losses[index] >= MAX_LOSSES:
                raise ShardError(
                    f"{job.shards[index]} took {MAX_LOSSES} workers with it; is there memory "
                    "enough for it? A smaller pairs_per_shard takes less"
                )
        self._hand_back(lost, job)

    def _hand_back(self, indices: list[int], job: _Job) -> None:
        job.todo.extendleft(reversed(indices))
        self.retried_shards += len(indices)

    def _set_aside(self, worker: _Worker) -> None:
        """Take a worker from where its load puts it, before that changes."""
        if len(worker.in_flight) < IN_FLIGHT:
            del self._by_load[len(worker.in_flight)][worker.number]

    def _put_back(self, worker: _Worker) -> None:
        if len(worker.in_flight) < IN_FLIGHT:
            self._by_load[len(worker.in_flight)][worker.number] = worker

    def _forget(self) -> None:
        """Forget what is in flight when a job breaks off; late results find nobody waiting."""
        for worker in self._workers.values():
            if worker.in_flight:
                self._set_aside(worker)
                worker.in_flight.clear()
                self._put_back(worker)


def _fault_in_reply(reply: object, job: _Job, index: int) -> str | None:
    if not isinstance(reply, Reply):
        return f"it is a {type(reply).__name__}, expected Reply"
    if reply.address != job.shards[index].address:
        return f"it answers {reply.address}, expected {job.shards[index].address}"
    if reply.center_digest != job.center_digest:
        return f"it was simulated with center {reply.center_digest}, expected {job.center_digest}"
    return fault_in(reply.result, job.problem, job.shards[index])
