"""Shards over Ray workers: a few in flight each, put back in order, deaths survived.

A worker that dies, freezes, errs or answers something else loses its shards to the others and is
replaced. At-least-once is enough, because a shard is pure.
"""

from __future__ import annotations

import logging
import statistics
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from cluster.executors import (
    Reply,
    Result,
    Shard,
    ShardError,
    ShouldStop,
    Simulate,
    StopRequested,
    fault_in,
    run_shard,
)
from cluster.workers import ray_cluster
from cluster.workers.ray_worker import array_digest, portable_worker
from evoplastic.checks import EnvironmentFault, UsageError
from evoplastic.lifetime.problem import LifetimeProblem
from evoplastic.trials.faults import receive

logger = logging.getLogger(__name__)

IN_FLIGHT = 2  # a worker never waits for the driver, and never holds much
POLL_S = 0.2
MAX_ERRORS = 2  # an exception that comes back twice is the shard's own
MAX_LOSSES = 5  # workers that one shard may take with it
MAX_FAILED_STARTS = 5


@dataclass(eq=False)
class _Worker:
    actor: Any
    starting: Any  # reference that resolves when the process is up; None from then on
    since: float  # when it last showed progress
    in_flight: dict[Any, int] = field(default_factory=dict)  # reference -> index of the shard
    proven: bool = False  # has delivered before, so its engine is compiled


@dataclass
class _Job:
    """One call of `map`: what is left to do and what is done."""

    problem: LifetimeProblem
    center_digest: str
    shards: Sequence[Shard]
    refs: tuple[Any, Any]  # problem and center in Ray's store
    todo: deque[int]
    results: dict[int, Result] = field(default_factory=dict)
    errors: dict[int, int] = field(default_factory=dict)
    losses: dict[int, int] = field(default_factory=dict)


class RayExecutor:
    """Simulates shards in worker processes of a Ray cluster."""

    def __init__(
        self,
        workers: int | None = None,
        address: str | None = None,
        *,
        threads_per_worker: int = 1,
        deadline_s: float = 30.0,
        first_deadline_s: float = 600.0,
        start_timeout_s: float = 180.0,
        simulate: Simulate = run_shard,
    ) -> None:
        """Connect and start the workers.

        Args:
            workers: worker processes; None means one per CPU of the cluster.
            address: HOST:PORT of a running cluster, or "auto"; None starts one on this machine.
            threads_per_worker: threads of the engine in each worker.
            deadline_s: a worker silent for longer than this, and than four times what its shard
                usually takes, counts as frozen.
            first_deadline_s: the same for a worker's first shard: an engine may be compiling.
            start_timeout_s: the longest wait for the first worker to be up.
            simulate: what a worker does with a shard.

        Raises:
            UsageError: no cluster at the address, or a number of workers below 1.
            EnvironmentFault: Ray is missing or does not start.
        """
        if workers is not None and workers < 1:
            raise UsageError(f"--workers is {workers}, expected at least 1 worker process")
        self.workers, self._ours = ray_cluster.connect(workers, address)
        import ray

        self._ray = ray
        self._actor_class = ray.remote(num_cpus=1, max_restarts=0)(portable_worker())
        self._simulate = simulate
        self._threads = threads_per_worker
        self._deadline_s, self._first_deadline_s = deadline_s, first_deadline_s
        self._start_timeout_s = start_timeout_s
        self._seconds_per_lifetime: deque[float] = deque(maxlen=100)
        self._put_problem: tuple[LifetimeProblem, Any] | None = None
        self._failed_starts = 0
        self.retried_shards = 0
        self._workers = [self._start_worker() for _ in range(self.workers)]

    def map(
        self,
        problem: LifetimeProblem,
        center_G: Tensor,
        shards: Sequence[Shard],
        should_stop: ShouldStop,
    ) -> list[Result]:
        """Results in the order of the shards; see `Executor.map`.

        Raises:
            EnvironmentFault: no worker comes up.
        """
        job = self._job(problem, center_G, shards)
        for worker in self._workers:
            worker.since = time.monotonic()
        try:
            while len(job.results) < len(shards):
                if should_stop():
                    raise StopRequested
                self._hand_out(job)
                self._receive(job)
                self._replace_silent(job)
        finally:
            self._forget()
        return [job.results[index] for index in range(len(shards))]

    def worker_pids(self, timeout_s: float = 60.0) -> list[int]:
        """Process ids of the workers, once they are up."""
        pids: list[int] = self._ray.get(
            [worker.actor.pid.remote() for worker in self._workers], timeout=timeout_s
        )
        return pids

    def close(self) -> None:
        """End the workers, and the cluster where it is ours."""
        for worker in self._workers:
            self._ray.kill(worker.actor)
        self._workers = []
        if self._ours:
            self._ray.shutdown()

    def _job(self, problem: LifetimeProblem, center_G: Tensor, shards: Sequence[Shard]) -> _Job:
        if self._put_problem is None or self._put_problem[0] is not problem:
            self._put_problem = (problem, self._ray.put(problem))
        center = center_G.numpy()
        refs = (self._put_problem[1], self._ray.put(center))
        return _Job(problem, array_digest(center), shards, refs, deque(range(len(shards))))

    def _start_worker(self) -> _Worker:
        actor = self._actor_class.remote(self._simulate, self._threads)
        return _Worker(actor, actor.pid.remote(), time.monotonic())

    def _hand_out(self, job: _Job) -> None:
        """Give shards to the least loaded workers that are up."""
        ready = [worker for worker in self._workers if worker.starting is None]
        while job.todo and ready:
            worker = min(ready, key=lambda worker: len(worker.in_flight))
            if len(worker.in_flight) >= IN_FLIGHT:
                return
            if not worker.in_flight:
                worker.since = time.monotonic()
            index = job.todo.popleft()
            ref = worker.actor.simulate.remote(*job.refs, job.shards[index])
            worker.in_flight[ref] = index

    def _receive(self, job: _Job) -> None:
        """Wait a moment for anything: a worker that is up, a result, a death."""
        owner = {ref: worker for worker in self._workers for ref in worker.in_flight}
        owner |= {worker.starting: worker for worker in self._workers if worker.starting}
        done, _ = self._ray.wait(list(owner), num_returns=1, timeout=POLL_S)
        for ref in done:
            worker = owner[ref]
            if ref is worker.starting:
                self._finish_start(worker, job)
            elif ref in worker.in_flight:
                self._take(worker, ref, job)

    def _finish_start(self, worker: _Worker, job: _Job) -> None:
        try:
            self._ray.get(worker.starting)
        except self._ray.exceptions.RayError as error:
            self._failed_starts += 1
            if self._failed_starts >= MAX_FAILED_STARTS:
                raise EnvironmentFault(f"worker processes do not start: {error}") from error
            self._replace(worker, job, "did not start")
            return
        worker.starting = None
        worker.since = time.monotonic()
        self._failed_starts = 0

    def _take(self, worker: _Worker, ref: Any, job: _Job) -> None:
        index = worker.in_flight[ref]
        try:
            reply = self._ray.get(ref, timeout=self._deadline_s)
        except self._ray.exceptions.RayTaskError as error:
            del worker.in_flight[ref]
            self._shard_failed(index, job, error.cause, str(error))
            return
        except self._ray.exceptions.RayError as error:
            self._replace(worker, job, type(error).__name__)
            return
        del worker.in_flight[ref]
        now = time.monotonic()
        self._seconds_per_lifetime.append((now - worker.since) / job.shards[index].lifetimes)
        worker.since, worker.proven = now, True
        fault = _fault_in_reply(reply, job, index)
        if fault is None:
            job.results[index] = reply.result
            receive(reply.faults)
        else:
            self._shard_failed(index, job, None, f"the result is not the shard's: {fault}")

    def _shard_failed(self, index: int, job: _Job, cause: Any, text: str) -> None:
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

    def _replace_silent(self, job: _Job) -> None:
        """Replace workers that show no sign of life; they may be frozen, or out of reach."""
        now = time.monotonic()
        for worker in list(self._workers):
            if worker.starting is None:
                limit_s = self._deadline(worker, job)
            else:
                limit_s = self._start_timeout_s
            if now - worker.since <= limit_s:
                continue
            if worker.starting is not None and all(other.starting for other in self._workers):
                raise EnvironmentFault(
                    f"no worker process came up within {self._start_timeout_s:.0f} s; is the "
                    "cluster full, or its nodes gone?"
                )
            self._replace(worker, job, f"was silent for {limit_s:.0f} s")

    def _deadline(self, worker: _Worker, job: _Job) -> float:
        """Seconds that a worker may need for the shard it is at."""
        if not worker.in_flight:
            return float("inf")
        if not worker.proven:
            return self._first_deadline_s
        shard = job.shards[next(iter(worker.in_flight.values()))]
        usual_s = statistics.median(self._seconds_per_lifetime) * shard.lifetimes
        return max(self._deadline_s, 4.0 * usual_s)

    def _replace(self, worker: _Worker, job: _Job, why: str) -> None:
        logger.warning("a worker %s; its %d shards go out again", why, len(worker.in_flight))
        self._ray.kill(worker.actor)
        lost = sorted(worker.in_flight.values())
        for index in lost[:1]:  # the first in flight is the one that was being simulated
            job.losses[index] = job.losses.get(index, 0) + 1
            if job.losses[index] >= MAX_LOSSES:
                raise ShardError(
                    f"{job.shards[index]} took {MAX_LOSSES} workers with it; is there memory "
                    "enough for it? A smaller pairs_per_shard takes less"
                )
        self._hand_back(lost, job)
        self._workers[self._workers.index(worker)] = self._start_worker()

    def _hand_back(self, indices: list[int], job: _Job) -> None:
        job.todo.extendleft(reversed(indices))
        self.retried_shards += len(indices)

    def _forget(self) -> None:
        """Forget what is in flight when a job breaks off; late results find nobody waiting."""
        for worker in self._workers:
            worker.in_flight.clear()


def _fault_in_reply(reply: object, job: _Job, index: int) -> str | None:
    if not isinstance(reply, Reply):
        return f"it is a {type(reply).__name__}, expected Reply"
    if reply.address != job.shards[index].address:
        return f"it answers {reply.address}, expected {job.shards[index].address}"
    if reply.center_digest != job.center_digest:
        return f"it was simulated with center {reply.center_digest}, expected {job.center_digest}"
    return fault_in(reply.result, job.problem, job.shards[index])
