"""What runs inside a Ray worker process; imports torch and the science, nothing else."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cluster.executors import Reply, Shard, Simulate
from cluster.workers.node_report import NodeReport, Question, report
from evoplastic.lifetime.problem import LifetimeProblem
from evoplastic.trials.faults import drain


def array_digest(array: NDArray[np.float32]) -> str:
    """SHA-256 (16 hexadecimal digits) of an array's bytes."""
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]


class Simulator:
    """Simulates shards on a fixed number of threads; keeps nothing between them."""

    def __init__(
        self, simulate: Simulate, threads: int, gpus: float, word: Mapping[str, Any]
    ) -> None:
        self._simulate, self._word = simulate, word
        self._threads = threads
        torch.set_num_threads(threads)
        if 0 < gpus < 1:
            from evoplastic.engines.gpu.engine import take_share

            take_share(gpus)

    def report(self, question: Question | None) -> NodeReport:
        """What this worker is; also the sign that the imports are done."""
        return report(self._word, question)

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
    looked up there: `cluster` could be the user's, and a node may have none of ours. So this class
    needs nothing but Ray where it arrives. Its first word is `node_facts.first_word`, called by
    value, after which our names are ours; then only what else came along, pickled once more, is
    loaded. What takes long is imported for that word too, so that a worker that has found room is
    there at once.
    """

    class ShardWorker:
        def __init__(self, first_word: bytes, threads: int, gpus: float) -> None:
            if not gpus:  # Ray leaves to whoever was given none those that are for others
                import os

                os.environ["CUDA_VISIBLE_DEVICES"] = ""
            self._first_word, self._given = first_word, (threads, gpus)
            self._worker: Any = None

        def report(self, driver: dict[str, Any], work: bytes) -> NodeReport | dict[str, Any]:
            import ray
            from ray import cloudpickle

            if self._worker is None:
                word = cloudpickle.loads(self._first_word)(driver)
                word["node_id"] = ray.get_runtime_context().get_node_id()
                if word["unfit"]:
                    said: dict[str, Any] = word
                    return said
                from cluster.workers.ray_worker import Simulator

                self._worker = Simulator(cloudpickle.loads(work)[1], *self._given, word)
            answer: NodeReport = self._worker.report(cloudpickle.loads(work)[0])
            return answer

        def simulate(self, problem: LifetimeProblem, center_G: Any, shard: Shard) -> Reply:
            reply: Reply = self._worker.simulate(problem, center_G, shard)
            return reply

    return ShardWorker
