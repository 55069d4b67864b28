"""Shards end to end, cut anywhere: the same lifetimes, the same bits, in the same order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from cluster.config.run import load_config
from cluster.executors import run_shard
from cluster.experiment import build_experiment
from cluster.pieces import Line, Result, Shard
from evoplastic.lifetime.shards import (
    PopulationShard,
    ReplicateShard,
    ReplicateShards,
    population_shards,
)
from evoplastic.search.config import ESConfig
from evoplastic.search.proposals import ArrayProposal
from tests.cluster.tiny import tiny_genome, tiny_problem
from tests.evoplastic.lifetime import populations

PROBLEM = tiny_problem()
CENTER_G = tiny_genome(PROBLEM).center_G
SEARCH = ESConfig(popsize=8)
REPLICATES = ReplicateShard(0, 2, 0, 3, True)


def pair_shards(
    generation: int, num_pairs: int, size: int, first_pair: int = 0
) -> list[PopulationShard]:
    return populations.pair_shards(PROBLEM, SEARCH, generation, num_pairs, size, first_pair)


def array_shards(size: int) -> list[PopulationShard]:
    genomes_PG = CENTER_G.numpy() * np.linspace(0.5, 1.5, 7, dtype=np.float32)[:, None]
    number_P = np.arange(7)
    return population_shards(
        ArrayProposal(3, genomes_PG, number_P // 3, number_P), number_P % 2, size
    )


def addresses(line: Line, places: Sequence[tuple[int, int]]) -> list[tuple[str | int, ...]]:
    return [line.shard(start, stop).address for start, stop in places]


def assert_same(ours: Result, theirs: Result) -> None:
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(mine, other)


def test_only_individuals_that_follow_on_one_another_come_together() -> None:
    shards = [*pair_shards(1, 7, 2), *pair_shards(1, 2, 2, 9), *pair_shards(2, 1, 1, 11)]
    line = Line(shards)
    assert [(each.start, each.stop) for each in line.stretches] == [(0, 14), (14, 18), (18, 20)]
    assert {each.whole for each in line.stretches} == {2}
    assert [each.most for each in line.stretches] == [4, 4, 2]
    assert line.pieces(8) == [(0, 8), (8, 14), (14, 18), (18, 20)]
    assert line.pieces(0) == line.pieces(3) == [(at, at + 2) for at in range(0, 20, 2)]
    assert addresses(line, line.pieces(8)) == [
        ("population", 1, 0, 8),
        ("population", 1, 8, 6),
        ("population", 1, 18, 4),
        ("population", 2, 22, 2),
    ]
    whole = line.shard(0, 14)
    assert isinstance(whole, PopulationShard)
    np.testing.assert_array_equal(whole.task_P, whole.proposal.stream_P % 2)
    assert line.shard(4, 8) is shards[1]
    assert line.as_given(2, 14) == [(2, 4), (4, 8), (8, 12), (12, 14)]


def test_replicates_of_one_generation_and_plasticity_come_together() -> None:
    shards: list[Shard] = [
        ReplicateShard(1, task, first, 3, True) for task in (0, 2) for first in (0, 3)
    ]
    several = ReplicateShards(
        (REPLICATES._replace(generation=1), REPLICATES._replace(generation=1))
    )
    other: list[Shard] = [
        ReplicateShard(1, 0, 0, 3, False),
        ReplicateShard(2, 0, 0, 3, False),
        *pair_shards(2, 1, 1),
    ]
    line = Line([*shards, several, *other])
    assert [(each.start, each.stop) for each in line.stretches] == [
        (0, 18),
        (18, 21),
        (21, 24),
        (24, 26),
    ]
    assert line.shard(0, 12) == ReplicateShards(tuple(shards))  # type: ignore[arg-type]
    assert line.shard(2, 4) == ReplicateShards(
        (ReplicateShard(1, 0, 2, 1, True), ReplicateShard(1, 0, 3, 1, True))
    )
    assert line.shard(14, 16) == ReplicateShards(
        (ReplicateShard(1, 2, 2, 1, True), ReplicateShard(1, 2, 0, 1, True))
    )
    assert line.shard(16, 17) == ReplicateShard(1, 2, 1, 1, True)


def test_nothing_is_a_line_without_lifetimes() -> None:
    line = Line([])
    assert (line.stretches, line.pieces(3), line.apart({})) == ([], [], [])


@pytest.mark.parametrize("engine", ["reference", "cpu"])
@pytest.mark.parametrize("most", [1, 3, 4, 100])
def test_every_shard_gets_its_own_bits_however_the_line_is_cut(engine: str, most: int) -> None:
    problem = replace(PROBLEM, engine=engine)
    shards: list[Shard] = [
        *pair_shards(1, 5, 2),
        REPLICATES,
        ReplicateShard(0, 0, 2, 4, True),
        *array_shards(2),
    ]
    line = Line(shards)
    results = line.apart(
        {
            start: run_shard(problem, CENTER_G, line.shard(start, stop))
            for start, stop in line.pieces(most)
        }
    )
    for shard, result in zip(shards, results, strict=True):
        assert_same(result, run_shard(problem, CENTER_G, shard))


@pytest.mark.exhaustive
@pytest.mark.parametrize("engine", ["reference", "cpu"])
@pytest.mark.parametrize("most", [1, 2, 4, 6])
def test_large_networks_too(engine: str, most: int) -> None:
    words = ["num_neurons=70", f"engine={engine}", "modulation=gain"]
    experiment = build_experiment(load_config("smoke", words))
    center_G = experiment.first_genome().center_G
    state = experiment.search.init(center_G)
    line = Line(
        [
            *experiment.population(experiment.search.ask(state, 1)),
            ReplicateShard(1, 0, 0, 8, True),
        ]
    )
    whole, cut = (
        line.apart(
            {
                start: run_shard(experiment.problem, center_G, line.shard(start, stop))
                for start, stop in line.pieces(size)
            }
        )
        for size in (8, most)
    )
    for ours, theirs in zip(cut, whole, strict=True):
        assert_same(ours, theirs)
