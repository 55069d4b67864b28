"""What runs inside a Ray worker process; imports torch and the science, nothing else."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cluster.executors import Reply, Shard, Simulate
from cluster.workers.node_report import NodeReport, Question, report
from evoplastic.lifetime.problem import LifetimeProblem
from evoplastic.trials.faults import drain
from evoplastic.user_code import own_names


def array_digest(array: NDArray[np.float32]) -> str:
    """SHA-256 (16 hexadecimal digits) of an array's bytes."""
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]


class Simulator:
    """Simulates shards on a fixed number of threads; keeps nothing between them."""

    def __init__(self, simulate: Simulate, threads: int, gpus: float) -> None:
        self._simulate = simulate
        self._threads = threads
        torch.set_num_threads(threads)
        if 0 < gpus < 1:
            from evoplastic.engines.gpu.engine import take_share

            take_share(gpus)

    def report(self, question: Question | None) -> NodeReport:
        """What this worker is; also the sign that the imports are done."""
        return report(question)

    def simulate(
        self, problem: LifetimeProblem, center_G: NDArray[np.float32], shard: Shard
    ) -> Reply:
        """Do one unit of work."""
        problem = dataclasses.replace(problem, threads=self._threads)
        drain()  # what an attempt left behind that failed
        result = self._simulate(problem, torch.from_numpy(center_G.copy()), shard)
        return Reply(shard.address, array_digest(center_G), result, drain())


def portable_worker() -> type[Any]:
    """A `Simulator` as a class that travels with its code.

    Ray puts the current folder first on the path of its workers, and what travels by name would be
    looked up there: `cluster` could be the user's. To unpickle this class imports nothing but
    `evoplastic` and its `user_code.own_names`, from which on our names are ours. What takes long is
    imported for the first word, so that a worker that has found room is there at once.
    """

    class ShardWorker:
        ours = own_names

        def __init__(self, threads: int, gpus: float) -> None:
            if not gpus:  # Ray leaves to whoever was given none those that are for others
                import os

                os.environ["CUDA_VISIBLE_DEVICES"] = ""
            self._given = threads, gpus
            self._worker: Any = None

        def report(self, question: Question | None, simulate: Simulate) -> NodeReport:
            if self._worker is None:
                from cluster.workers.ray_worker import Simulator

                self._worker = Simulator(simulate, *self._given)
            return self._worker.report(question)

        def simulate(self, problem: LifetimeProblem, center_G: Any, shard: Shard) -> Reply:
            return self._worker.simulate(problem, center_G, shard)

    return ShardWorker
