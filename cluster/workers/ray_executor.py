"""Shards over Ray workers: a dispatcher at the head of a crew of Ray actors."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from cluster.executors import Result, Shard, ShouldStop, Simulate, run_shard
from cluster.workers.dispatch import Dispatcher
from cluster.workers.ray_crew import RayCrew
from evoplastic.lifetime.problem import LifetimeProblem


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
        self._crew = RayCrew(
            workers,
            address,
            threads_per_worker=threads_per_worker,
            start_timeout_s=start_timeout_s,
            simulate=simulate,
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
        return self._dispatcher.map(problem, center_G, shards, should_stop)

    def worker_pids(self, timeout_s: float = 60.0) -> list[int]:
        """Process ids of the workers, once they are up."""
        return self._crew.pids(timeout_s)

    def close(self) -> None:
        """End the workers, and the cluster where it is ours."""
        self._dispatcher.close()
