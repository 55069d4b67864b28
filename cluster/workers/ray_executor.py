"""Shards over Ray workers: a dispatcher at the head of a crew of Ray actors."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from cluster.executors import Result, Shard, ShouldStop, Simulate, run_shard
from cluster.workers.dispatch import Dispatcher
from cluster.workers.ray_crew import RayCrew
from cluster.workers.staffing.request import WorkerRequest, parse_workers
from evoplastic.lifetime.problem import LifetimeProblem


class RayExecutor:
    """Simulates shards in worker processes of a Ray cluster."""

    def __init__(
        self,
        workers: object = None,
        address: str | None = None,
        *,
        engine: str = "auto",
        deadline_s: float = 30.0,
        first_deadline_s: float = 600.0,
        start_timeout_s: float = 180.0,
        simulate: Simulate = run_shard,
    ) -> None:
        """Connect and ask for the workers.

        Args:
            workers: a `WorkerRequest`, or words of `parse_workers`; None: as many as there is room
                for.
            address: HOST:PORT of a running cluster, or "auto"; None starts one on this machine.
            engine: that lifetimes will ask for; where that may be the GPU's, workers have one.
            deadline_s: a worker silent for longer than this, and than four times what its shard
                usually takes, counts as frozen.
            first_deadline_s: the same for a worker's first shard: an engine may be compiling.
            start_timeout_s: the longest wait for a worker to be up that has found room.
            simulate: what a worker does with a shard.

        Raises:
            UsageError: no cluster at the address, workers that it cannot have.
            EnvironmentFault: Ray is missing or does not start.
        """
        request = workers if isinstance(workers, WorkerRequest) else parse_workers(workers)
        self._crew = RayCrew(
            request, address, engine=engine, start_timeout_s=start_timeout_s, simulate=simulate
        )
        self._dispatcher = Dispatcher(
            self._crew, deadline_s=deadline_s, first_deadline_s=first_deadline_s
        )

    @property
    def workers(self) -> int:
        """Worker processes that are to be."""
        return self._dispatcher.workers

    @property
    def retried_shards(self) -> int:
        """See `Executor.retried_shards`."""
        return self._dispatcher.retried_shards

    def settle(self, problem: LifetimeProblem, should_stop: ShouldStop) -> str:
        """See `Executor.settle`."""
        return self._crew.settle(problem.engine, problem.demand, should_stop)

    def remarks(self) -> list[tuple[str, str]]:
        """See `Executor.remarks`."""
        return self._crew.remarks()

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
            Preempted: the cluster has no room for one for too long.
        """
        self._crew.gather(should_stop)
        return self._dispatcher.map(problem, center_G, shards, should_stop)

    def worker_pids(self, timeout_s: float = 60.0) -> list[int]:
        """Process ids of the workers, once they are up."""
        return self._crew.pids(timeout_s)

    def close(self) -> None:
        """End the workers, and the cluster where it is ours."""
        self._dispatcher.close()
