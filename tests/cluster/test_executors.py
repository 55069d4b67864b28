"""Shards in the driver, and the check of what comes back."""

from __future__ import annotations

import numpy as np
import pytest

from cluster.executors import InProcessExecutor, Shard, StopRequested, fault_in, live_shard
from evoplastic.evolution.problem import (
    PairShard,
    PairShardResult,
    ReplicateResult,
    ReplicateShard,
    pair_shards,
)
from evoplastic.genome import Genome
from tests.cluster.tiny import tiny_problem

PROBLEM = tiny_problem()
CENTER_G = Genome.random(PROBLEM.groups, 0, PROBLEM.evolution).center_G
REPLICATES = ReplicateShard(0, 2, 0, 3, True)


def test_results_come_in_the_order_of_the_shards() -> None:
    shards: list[Shard] = [*reversed(pair_shards(1, 4, 1)), REPLICATES]
    results = InProcessExecutor().map(PROBLEM, CENTER_G, shards, lambda: False)
    for shard, result in zip(shards, results, strict=True):
        for ours, alone in zip(result, live_shard(PROBLEM, CENTER_G, shard), strict=True):
            np.testing.assert_array_equal(ours, alone)


def test_shards_together_are_the_whole_generation() -> None:
    executor = InProcessExecutor()
    whole, cut = (
        executor.map(PROBLEM, CENTER_G, pair_shards(1, 4, size), lambda: False) for size in (4, 1)
    )
    losses = [
        np.concatenate([result.loss_P for result in results if isinstance(result, PairShardResult)])
        for results in (whole, cut)
    ]
    np.testing.assert_array_equal(losses[0], losses[1])


def test_a_stop_is_heard_before_the_next_shard() -> None:
    lived: list[int] = []

    def live(problem, center_G, shard):  # type: ignore[no-untyped-def]
        lived.append(shard.first_pair)
        return live_shard(problem, center_G, shard)

    with pytest.raises(StopRequested):
        InProcessExecutor(live).map(
            PROBLEM, CENTER_G, pair_shards(0, 4, 1), lambda: len(lived) == 2
        )
    assert lived == [0, 1]


def _pairs(size: int) -> PairShardResult:
    return PairShardResult(np.zeros(size), np.zeros(size), np.zeros(size), np.zeros(size, int))


def _replicates(size: int, trials: int) -> ReplicateResult:
    return ReplicateResult(
        np.zeros(size),
        np.zeros(size),
        np.zeros(size),
        np.ones((size, trials), bool),
        np.ones((size, trials), np.float32),
    )


def test_what_is_right_has_no_fault() -> None:
    for shard in (PairShard(0, 0, 2), REPLICATES):
        assert fault_in(live_shard(PROBLEM, CENTER_G, shard), PROBLEM, shard) is None


@pytest.mark.parametrize(
    ("result", "shard", "fault"),
    [
        (_pairs(3), PairShard(0, 0, 2), "loss_P"),
        (_replicates(3, 4), REPLICATES, "correct_LK"),
        (_pairs(2), REPLICATES, "expected Repl"),
        (None, REPLICATES, "NoneType"),
    ],
)
def test_what_is_wrong_is_named(result: object, shard: PairShard, fault: str) -> None:
    found = fault_in(result, PROBLEM, shard)
    assert found is not None
    assert fault in found
