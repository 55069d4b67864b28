"""A run whose workers leave a trace of where they are: `recorded.py ADDRESS FOLDER WORKERS`.

FOLDER gets the run, and in `traces` a file for each shard: generation, node and process, and the
GPUs that the process sees.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import ray
from torch import Tensor

from cluster.config.run import RunConfig, load_config
from cluster.executors import Result, Shard, run_shard
from cluster.loop import evolve
from cluster.progress import make_progress
from cluster.workers.ray_executor import RayExecutor
from cluster.workers.staffing.request import parse_workers
from evoplastic.lifetime.problem import LifetimeProblem
from evoplastic.lifetime.shards import PopulationShard

SHARD_S = "SHARD_S"  # in the environment: how long each shard of a population takes at least


class Trace(NamedTuple):
    """Who did a shard."""

    generation: int
    node: str
    pid: int
    gpus: str


class Recorded:
    """Simulates a shard, slowly, and leaves its trace."""

    def __init__(self, folder: Path, seconds: float) -> None:
        self._folder, self._seconds = folder, seconds

    def __call__(self, problem: LifetimeProblem, center_G: Tensor, shard: Shard) -> Result:
        """Simulate."""
        if isinstance(shard, PopulationShard):
            node = ray.get_runtime_context().get_node_id()
            gpus = os.environ.get("CUDA_VISIBLE_DEVICES", "all")
            time.sleep(self._seconds)
            words = (shard.generation, node, os.getpid(), gpus or "none", time.monotonic_ns())
            (self._folder / "_".join(map(str, words))).touch()
        return run_shard(problem, center_G, shard)


def traces(folder: Path) -> list[Trace]:
    """All that were left, in the order of generations."""
    words = [file.name.split("_") for file in (folder / "traces").iterdir()]
    found = [Trace(int(w[0]), w[1], int(w[2]), w[3]) for w in words]
    return sorted(found)


def config() -> RunConfig:
    """Of a run of some generations with eight shards each."""
    return load_config(
        "smoke",
        [
            "engine=auto",
            "threads=1",
            "tracking.enabled=false",
            "search.popsize=8",
            "pairs_per_shard=1",
            "evolution.generations=16",
            "evaluation.every=100",
            "evaluation.controls=false",
            "evaluation.train_lifetimes=0",
            "evaluation.held_out_lifetimes=2",
        ],
    )


def run(address: str, folder: Path, words: str, environment: Mapping[str, str]) -> str:
    """The digest of the center of a run on a cluster."""
    (folder / "traces").mkdir()
    gpus = environment.get("GPUS")
    request = parse_workers(words, gpus_per_worker=None if gpus is None else float(gpus))
    recorded = Recorded(folder / "traces", float(environment.get(SHARD_S, "0")))
    executor = RayExecutor(request, address, simulate=recorded)
    try:
        outcome = evolve(
            config(), folder / "run", executor=executor, progress=make_progress(as_json=False)
        )
    finally:
        executor.close()
    return outcome.center_digest


if __name__ == "__main__":
    from tests.integration import recorded  # so that workers find the class under its own name

    print(f"digest {recorded.run(sys.argv[1], Path(sys.argv[2]), sys.argv[3], os.environ)}")
