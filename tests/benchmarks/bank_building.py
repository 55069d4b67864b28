"""What the trials of tasks that run freely cost to build, beside the generations that meet them."""

from __future__ import annotations

import time
from dataclasses import replace
from statistics import median
from typing import NamedTuple

from cluster.config.run import load_config, override_config
from cluster.experiment import build_experiment, train_banks
from evoplastic.lifetime.shards import simulate_population

RECIPE = "yang19-laptop"


class BankBuilding(NamedTuple):
    """Seconds, and how many generations meet the trials that were built."""

    build_s: tuple[float, ...]
    generation_s: tuple[float, ...]
    refresh_every: int

    @property
    def shares(self) -> tuple[float, ...]:
        """Share of building in the time of building and simulating, round by round."""
        return tuple(
            build / (build + self.refresh_every * generation)
            for build, generation in zip(self.build_s, self.generation_s, strict=True)
        )


def measure_building(repeats: int) -> BankBuilding:
    """Build the training trials of an epoch and simulate a generation on them, in turn."""
    config = load_config(RECIPE)
    experiment = build_experiment(config)
    whole = override_config(config, [f"pairs_per_shard={config.search.popsize}"])
    center_G = experiment.first_genome().center_G
    proposal = experiment.search.ask(experiment.search.init(center_G), 0)
    shard = replace(experiment, config=whole).population(proposal)[0]
    simulate_population(experiment.problem, center_G, shard)  # compiles
    build_s, generation_s = [], []
    for epoch in range(1, repeats + 1):
        begin = time.perf_counter()
        train_banks(config, experiment.suite, epoch)
        built = time.perf_counter()
        simulate_population(experiment.problem, center_G, shard)
        build_s.append(built - begin)
        generation_s.append(time.perf_counter() - built)
    return BankBuilding(tuple(build_s), tuple(generation_s), config.banks.refresh_every)


def report(repeats: int) -> list[str]:
    """A section of docs/performance.md."""
    measured = measure_building(repeats)
    percent = [100 * share for share in measured.shares]
    rows = [
        ("building the trials of all training tasks, s", measured.build_s),
        ("simulating a generation, all cores, s", measured.generation_s),
        ("building: percent of the time of building and simulating", percent),
    ]
    return [
        "## Building trials",
        "",
        f"`{RECIPE}` draws its training trials anew every {measured.refresh_every} generations.",
        "",
        "| | median | lowest | highest |",
        "|---|--:|--:|--:|",
        *(f"| {what} | {median(v):.2f} | {min(v):.2f} | {max(v):.2f} |" for what, v in rows),
        "",
    ]
