"""What the driver itself costs, with workers that are only pretended and answer at once."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import psutil
import torch

from cluster.executors import Shard
from cluster.workers.dispatch import Dispatcher
from cluster.workers.portions import PIECE_S
from cluster.workers.ray_worker import array_digest
from evoplastic.genome.layout import Layout
from evoplastic.lifetime.problem import LifetimeProblem
from evoplastic.lifetime.shards import population_shards
from evoplastic.network.neurons import NeuronGroups
from evoplastic.search.config import ESConfig
from evoplastic.search.es import EvolutionStrategy
from tests.cluster.tiny import tiny_problem
from tests.cluster.workers.pretended import PretendedCrew

WORKERS = 1000
MILLION = 707  # neurons, whose w and alpha are a million numbers
PUBLISHED = 70


class Driver:
    """A search of many individuals at the head of a thousand workers."""

    def __init__(self, individuals: int, neurons: int, piece_s: float = PIECE_S) -> None:
        """`piece_s` = 0 keeps shards from being joined."""
        layout = Layout(NeuronGroups(num_neurons=neurons))
        self.problem: LifetimeProblem = replace(tiny_problem(), layout=layout, engine="cpu")
        self.search = EvolutionStrategy(ESConfig(popsize=individuals), layout, seed=1)
        self.state = self.search.init(torch.zeros(layout.size))
        self.crew = PretendedCrew(WORKERS)
        self.dispatcher = Dispatcher(self.crew, piece_s=piece_s)
        self.generation = 0

    def live(self, individuals_per_shard: int) -> int:
        """Hand out and take back a generation; how many pieces it went out in."""
        proposal = self.search.ask(self.state, self.generation)
        shards: list[Shard] = [
            *population_shards(proposal, proposal.group_P % 2, individuals_per_shard)
        ]
        center_G = self.search.center(self.state)
        array_digest(center_G.numpy())  # as a crew of Ray's takes it
        results = self.dispatcher.map(self.problem, center_G, shards, lambda: False)
        loss_P = np.concatenate([result[0] for result in results])
        assert loss_P.tolist() == list(range(self.search.popsize))
        self.generation += 1
        pieces = len(self.crew.handed)
        self.crew.handed.clear()
        return pieces


def seconds(act: Callable[[], object], repeats: int) -> list[float]:
    """Wall-clock seconds of each repetition after the first."""
    act()
    found = []
    for _ in range(repeats):
        began = time.perf_counter()
        act()
        found.append(time.perf_counter() - began)
    return found


def shard_rates(repeats: int) -> dict[int, list[float]]:
    """Seconds of generations of some numbers of shards, each handed out by itself."""
    found: dict[int, list[float]] = {}
    for shards in (1_000, 4_000, 16_000):
        driver = Driver(2 * shards, 14, piece_s=0.0)
        assert driver.live(2) == shards
        found[shards] = seconds(partial(driver.live, 2), repeats)
    return found


def large_generations(repeats: int) -> dict[int, list[float]]:
    """Seconds of 10,000 individuals of a million numbers, by the individuals of a shard."""
    driver = Driver(10_000, MILLION)
    return {size: seconds(partial(driver.live, size), repeats) for size in (50, 2)}


def memory_over(generations: int) -> list[tuple[int, float]]:
    """Resident MiB of this process after some numbers of generations."""
    driver = Driver(500, 14)
    marks = sorted({generations // 100, generations // 10, generations // 2, generations})
    found = []
    for generation in range(1, generations + 1):
        driver.live(50)
        if generation in marks:
            gc.collect()
            found.append((generation, psutil.Process(os.getpid()).memory_info().rss / 2**20))
    return found


def step_seconds(repeats: int) -> list[float]:
    """Seconds of the search's own step after 10,000 individuals of the published size."""
    driver = Driver(10_000, PUBLISHED)
    proposal = driver.search.ask(driver.state, 0)
    loss_P = np.random.default_rng(0).normal(size=10_000)
    return seconds(lambda: driver.search.tell(driver.state, proposal, loss_P), repeats)
