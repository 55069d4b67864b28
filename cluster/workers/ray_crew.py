"""A crew of Ray actors: started, watched, ended and replaced."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from cluster.executors import Shard, Simulate
from cluster.workers import ray_cluster
from cluster.workers.crew import Answered, Event, Failed, Joined, Left
from cluster.workers.ray_worker import array_digest, portable_worker
from evoplastic.checks import EnvironmentFault, UsageError
from evoplastic.lifetime.problem import LifetimeProblem

logger = logging.getLogger(__name__)

MAX_FAILED_STARTS = 5
FETCH_TIMEOUT_S = 30.0  # for a result that is ready, from whatever node it lies on


@dataclass(eq=False)
class _Actor:
    number: int
    handle: Any
    starting: Any  # reference that resolves when the process is up; None from then on
    since: float  # when it was asked to start
    tickets: dict[Any, int] = field(default_factory=dict)  # reference -> ticket


class RayCrew:
    """As many actors as were asked for, if the cluster has CPUs for them; see `Crew`."""

    def __init__(
        self,
        workers: int | None,
        address: str | None,
        *,
        threads_per_worker: int,
        start_timeout_s: float,
        simulate: Simulate,
    ) -> None:
        """Connect and start the workers; the arguments are those of `RayExecutor`."""
        if workers is not None and workers < 1:
            raise UsageError(f"--workers is {workers}, expected at least 1 worker process")
        self.workers, self._ours = ray_cluster.connect(workers, address)
        import ray

        self._ray = ray
        self._actor_class = ray.remote(num_cpus=1, max_restarts=0)(portable_worker())
        self._simulate = simulate
        self._threads = threads_per_worker
        self._start_timeout_s = start_timeout_s
        self._put_problem: tuple[LifetimeProblem, Any] | None = None
        self._refs: tuple[Any, Any] | None = None  # problem and center in Ray's store
        self._failed_starts = 0
        self._started = 0
        self._actors: dict[int, _Actor] = {}
        self._owner: dict[Any, _Actor] = {}  # of each reference that is waited for
        for _ in range(self.workers):
            self._start()

    def begin(self, problem: LifetimeProblem, center_G: Tensor) -> str:
        """Put problem and center where workers find them; see `Crew.begin`."""
        if self._put_problem is None or self._put_problem[0] is not problem:
            self._put_problem = (problem, self._ray.put(problem))
        center = center_G.numpy()
        self._refs = (self._put_problem[1], self._ray.put(center))
        now = time.monotonic()
        for actor in self._actors.values():
            actor.since = now
        return array_digest(center)

    def submit(self, worker: int, ticket: int, shard: Shard) -> None:
        """Call an actor; see `Crew.submit`."""
        assert self._refs is not None
        actor = self._actors[worker]
        ref = actor.handle.simulate.remote(*self._refs, shard)
        actor.tickets[ref] = ticket
        self._owner[ref] = actor

    def wait(self, timeout_s: float) -> Sequence[Event]:
        """See `Crew.wait`.

        Raises:
            EnvironmentFault: worker processes do not start, or none came up in time.
        """
        refs = list(self._owner)
        done, waiting = self._ray.wait(refs, num_returns=1, timeout=timeout_s)
        if done and waiting:  # whatever else is ready comes along
            more, _ = self._ray.wait(waiting, num_returns=len(waiting), timeout=0)
            done = [*done, *more]
        events: list[Event] = []
        for ref in done:
            actor = self._owner.get(ref)
            if actor is not None:  # else it ended with another reference of this batch
                events += (
                    self._finish_start(actor) if ref is actor.starting else self._take(actor, ref)
                )
        self._replace_slow_starters()
        return events

    def dismiss(self, worker: int) -> None:
        """End an actor and start another; see `Crew.dismiss`."""
        self._replace(self._actors[worker])

    def pids(self, timeout_s: float) -> list[int]:
        """Process ids of the workers, once they are up."""
        pids: list[int] = self._ray.get(
            [actor.handle.pid.remote() for actor in self._actors.values()], timeout=timeout_s
        )
        return pids

    def close(self) -> None:
        """End the workers, and the cluster where it is ours."""
        for actor in self._actors.values():
            self._ray.kill(actor.handle)
        self._actors, self._owner = {}, {}
        if self._ours:
            self._ray.shutdown()

    def _start(self) -> None:
        handle = self._actor_class.remote(self._simulate, self._threads)
        starting = handle.pid.remote()
        actor = _Actor(self._started, handle, starting, time.monotonic())
        self._started += 1
        self._actors[actor.number] = self._owner[starting] = actor

    def _finish_start(self, actor: _Actor) -> list[Event]:
        try:
            self._ray.get(actor.starting)
        except self._ray.exceptions.RayError as error:
            self._failed_starts += 1
            if self._failed_starts >= MAX_FAILED_STARTS:
                raise EnvironmentFault(f"worker processes do not start: {error}") from error
            logger.warning("a worker did not start; another one is started")
            self._replace(actor)
            return []
        del self._owner[actor.starting]
        actor.starting = None
        self._failed_starts = 0
        return [Joined(actor.number)]

    def _take(self, actor: _Actor, ref: Any) -> list[Event]:
        ticket = actor.tickets[ref]
        try:
            reply = self._ray.get(ref, timeout=FETCH_TIMEOUT_S)
        except self._ray.exceptions.RayTaskError as error:
            event: Event = Failed(actor.number, ticket, error.cause, str(error))
        except self._ray.exceptions.RayError as error:
            self._replace(actor)
            return [Left(actor.number, type(error).__name__)]
        else:
            event = Answered(actor.number, ticket, reply)
        del actor.tickets[ref], self._owner[ref]
        return [event]

    def _replace_slow_starters(self) -> None:
        now = time.monotonic()
        for actor in [each for each in self._actors.values() if each.starting is not None]:
            if now - actor.since <= self._start_timeout_s:
                continue
            if all(other.starting is not None for other in self._actors.values()):
                raise EnvironmentFault(
                    f"no worker process came up within {self._start_timeout_s:.0f} s; is the "
                    "cluster full, or its nodes gone?"
                )
            logger.warning("a worker did not start in %.0f s", self._start_timeout_s)
            self._replace(actor)

    def _replace(self, actor: _Actor) -> None:
        self._ray.kill(actor.handle)
        del self._actors[actor.number]
        for ref in [*actor.tickets, *([actor.starting] if actor.starting is not None else [])]:
            del self._owner[ref]
        self._start()
