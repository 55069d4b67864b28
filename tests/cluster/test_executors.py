"""Shards in the driver, and the check of what comes back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from torch import Tensor

from cluster.executors import (
    InProcessExecutor,
    Result,
    Shard,
    StopRequested,
    fault_in,
    run_shard,
)
from evoplastic.lifetime.problem import LifetimeProblem
from evoplastic.lifetime.shards import (
    PopulationResult,
    PopulationShard,
    ReplicateResult,
    ReplicateShard,
    ReplicateShards,
)
from evoplastic.search.config import ESConfig
from tests.cluster.tiny import tiny_genome, tiny_problem
from tests.evoplastic.engines.gpu.process import needs_gpu, needs_triton, run_checks
from tests.evoplastic.lifetime import populations

PROBLEM = tiny_problem()
CENTER_G = tiny_genome(PROBLEM).center_G
SEARCH = ESConfig(popsize=8)
REPLICATES = ReplicateShard(0, 2, 0, 3, True)


def pair_shards(
    generation: int, num_pairs: int, pairs_per_shard: int, first_pair: int = 0
) -> list[PopulationShard]:
    return populations.pair_shards(
        PROBLEM, SEARCH, generation, num_pairs, pairs_per_shard, first_pair
    )


def pair_shard(generation: int, first_pair: int, num_pairs: int) -> PopulationShard:
    return populations.pair_shard(PROBLEM, SEARCH, generation, first_pair, num_pairs)


def addresses(shards: Sequence[Shard]) -> list[tuple[str | int, ...]]:
    return [shard.address for shard in shards]


def test_results_come_in_the_order_of_the_shards() -> None:
    shards: list[Shard] = [*reversed(pair_shards(1, 4, 1)), REPLICATES]
    results = InProcessExecutor().map(PROBLEM, CENTER_G, shards, lambda: False)
    for shard, result in zip(shards, results, strict=True):
        for ours, alone in zip(result, run_shard(PROBLEM, CENTER_G, shard), strict=True):
            np.testing.assert_array_equal(ours, alone)


def test_shards_together_are_the_whole_generation() -> None:
    executor = InProcessExecutor()
    whole, cut = (
        executor.map(PROBLEM, CENTER_G, pair_shards(1, 4, size), lambda: False) for size in (4, 1)
    )
    losses = [
        np.concatenate(
            [result.loss_P for result in results if isinstance(result, PopulationResult)]
        )
        for results in (whole, cut)
    ]
    np.testing.assert_array_equal(losses[0], losses[1])


@pytest.mark.parametrize("engine", ["reference", "cpu"])
def test_a_generation_simulated_as_one_batch_gives_every_shard_its_own_bits(engine: str) -> None:
    problem = replace(PROBLEM, engine=engine)
    shards: list[Shard] = [*pair_shards(1, 4, 1), REPLICATES, *pair_shards(2, 4, 3)]
    asked: list[Shard] = []

    def simulate(problem: LifetimeProblem, center_G: Tensor, shard: Shard) -> Result:
        asked.append(shard)
        return run_shard(problem, center_G, shard)

    results = InProcessExecutor(simulate, whole=True).map(problem, CENTER_G, shards, lambda: False)
    whole: list[Shard] = [pair_shard(1, 0, 4), REPLICATES, pair_shard(2, 0, 4)]
    assert addresses(asked) == addresses(whole)
    for shard, result in zip(shards, results, strict=True):
        assert fault_in(result, problem, shard) is None
        for ours, alone in zip(result, run_shard(problem, CENTER_G, shard), strict=True):
            np.testing.assert_array_equal(ours, alone)


@needs_triton
def test_the_gpu_simulates_a_generation_and_an_evaluation_under_the_interpreter() -> None:
    run_checks("../../../cluster/gpu_checks.py", interpreted=True)


@needs_triton
@needs_gpu
def test_the_gpu_simulates_a_generation_and_an_evaluation() -> None:
    run_checks("../../../cluster/gpu_checks.py", interpreted=False)


@pytest.mark.parametrize("engine", ["reference", "cpu"])
@pytest.mark.parametrize("plastic", [True, False])
def test_replicates_simulated_as_one_batch_give_every_shard_its_own_bits(
    engine: str, plastic: bool
) -> None:
    problem = replace(PROBLEM, engine=engine)
    shards: list[Shard] = [
        ReplicateShard(4, task, first, size, plastic)
        for task in (0, 2)  # one of training, and the held-out one
        for first, size in ((0, 3), (3, 3), (6, 1))
    ]
    asked: list[Shard] = []

    def simulate(problem: LifetimeProblem, center_G: Tensor, shard: Shard) -> Result:
        asked.append(shard)
        return run_shard(problem, center_G, shard)

    results = InProcessExecutor(simulate, whole=True).map(problem, CENTER_G, shards, lambda: False)
    assert [len(shard.shards) for shard in asked if isinstance(shard, ReplicateShards)] == [6]
    for shard, result in zip(shards, results, strict=True):
        assert fault_in(result, problem, shard) is None
        for ours, alone in zip(result, run_shard(problem, CENTER_G, shard), strict=True):
            np.testing.assert_array_equal(ours, alone)
    losses = np.concatenate([r.loss_L for r in results if isinstance(r, ReplicateResult)])
    assert len(np.unique(losses)) == len(losses), "lifetimes that are alike would pass mixed up"


def test_a_stop_is_heard_before_the_next_shard() -> None:
    done: list[int] = []

    def simulate(problem, center_G, shard):  # type: ignore[no-untyped-def]
        done.append(shard.proposal.first)
        return run_shard(problem, center_G, shard)

    with pytest.raises(StopRequested):
        InProcessExecutor(simulate).map(
            PROBLEM, CENTER_G, pair_shards(0, 4, 1), lambda: len(done) == 2
        )
    assert done == [0, 2]


def _pairs(size: int) -> PopulationResult:
    return PopulationResult(np.zeros(size), np.zeros(size), np.zeros(size), np.zeros((size, 0)))


def _replicates(size: int, trials: int) -> ReplicateResult:
    return ReplicateResult(
        np.zeros(size),
        np.zeros(size),
        np.zeros(size),
        np.ones((size, trials), bool),
        np.ones((size, trials), np.float32),
    )


def test_what_is_right_has_no_fault() -> None:
    shards: list[Shard] = [pair_shard(0, 0, 2), REPLICATES]
    for shard in shards:
        assert fault_in(run_shard(PROBLEM, CENTER_G, shard), PROBLEM, shard) is None


@pytest.mark.parametrize(
    ("result", "shard", "fault"),
    [
        (_pairs(3), pair_shard(0, 0, 1), "loss_P"),
        (_replicates(3, 4), REPLICATES, "correct_LK"),
        (_pairs(2), REPLICATES, "expected Repl"),
        (None, REPLICATES, "NoneType"),
    ],
)
def test_what_is_wrong_is_named(result: object, shard: Shard, fault: str) -> None:
    found = fault_in(result, PROBLEM, shard)
    assert found is not None
    assert fault in found
