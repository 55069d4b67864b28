"""Two real Ray workers: what a piece costs on its way, and a generation beside one process."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from cluster.config.run import load_config
from cluster.executors import Executor, InProcessExecutor, Result, Shard
from cluster.experiment import build_experiment
from cluster.workers.dispatch import Dispatcher
from cluster.workers.ray_crew import RayCrew
from cluster.workers.ray_executor import RayExecutor
from cluster.workers.staffing.request import parse_workers
from evoplastic.lifetime.problem import LifetimeProblem
from evoplastic.lifetime.shards import PopulationResult
from tests.benchmarks.cluster.driver import Driver, seconds

WORKERS = 2


def answer_at_once(problem: LifetimeProblem, center_G: Tensor, shard: Shard) -> Result:
    """Nothing is simulated."""
    assert isinstance(shard.address[2], int)
    numbers = np.arange(shard.address[2], shard.address[2] + shard.lifetimes, dtype=np.float64)
    return PopulationResult(numbers, numbers, numbers, numbers[:, None][:, :0])


def pieces_per_second(repeats: int, pieces: int = 500) -> list[float]:
    """How many pieces a second go to two Ray workers that answer at once, and back."""
    driver = Driver(2 * pieces, 70, piece_s=0.0)
    crew = RayCrew(
        parse_workers(WORKERS), None, engine="cpu", start_timeout_s=180.0, simulate=answer_at_once
    )
    driver.dispatcher = Dispatcher(crew, piece_s=0.0)
    try:
        crew.gather(lambda: False)
        return [pieces / each for each in seconds(lambda: driver.live(2), repeats)]
    finally:
        driver.dispatcher.close()


def generations(rounds: int, words: list[str]) -> tuple[list[float], list[float]]:
    """Seconds of generations of `laptop` in one process of two threads, and by two workers."""
    experiment = build_experiment(load_config("laptop", ["engine=cpu", *words]))
    problem = replace(experiment.problem, threads=WORKERS)
    state = experiment.search.init(experiment.first_genome().center_G)
    center_G = experiment.search.center(state)
    executors: list[Executor] = [InProcessExecutor(), RayExecutor(WORKERS)]
    found: tuple[list[float], list[float]] = ([], [])
    losses: list[list[Tensor]] = [[], []]
    try:
        for generation in range(rounds + 2):  # the first two compile and learn how long it takes
            shards = experiment.population(experiment.search.ask(state, generation))
            for executor, taken, seen in zip(executors, found, losses, strict=True):
                began = time.perf_counter()
                results = executor.map(problem, center_G, [*shards], lambda: False)
                if generation > 1:
                    taken.append(time.perf_counter() - began)
                seen.append(torch.cat([torch.from_numpy(result[0]) for result in results]))
    finally:
        for executor in executors:
            executor.close()
    assert all(torch.equal(a, b) for a, b in zip(*losses, strict=True))
    return found
