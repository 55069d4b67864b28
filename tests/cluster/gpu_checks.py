"""Checks of generations and evaluations on the GPU engine, run by `test_executors.py`.

In a process of their own, on a CUDA device or under Triton's interpreter; not named test_*, so that
the session's own process never collects them.
"""

# mypy: allow-untyped-defs, allow-incomplete-defs
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from cluster.executors import InProcessExecutor, Shard, run_shard
from evoplastic.engines.gpu import engine as gpu
from evoplastic.engines.gpu import launch as gpu_launch
from evoplastic.lifetime.population import simulate
from evoplastic.lifetime.shards import PopulationResult, ReplicateResult, ReplicateShard
from evoplastic.search import proposals
from evoplastic.search.config import ESConfig
from evoplastic.search.es import gradient
from evoplastic.search.mutation import perturbed_pairs
from tests.cluster.tiny import tiny_genome, tiny_problem
from tests.evoplastic.engines.gpu.process import (  # the fixtures serve every check below
    DEVICE,
    patch_once,  # noqa: F401
    uninitialised_memory_is_nan,  # noqa: F401
)
from tests.evoplastic.lifetime.populations import pair_shards

PROBLEM = replace(tiny_problem(num_trials=3), engine="gpu")
SEARCH = ESConfig(popsize=4)
CENTER_G = tiny_genome(PROBLEM).center_G
SIZE = PROBLEM.layout.size


@pytest.fixture
def launches(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, tuple[int, int, int], list[int]]]:
    """For each launch, its lives, their strides, and where their matrices lie."""
    seen = []
    bring_lives = gpu_launch.bring_lives

    def bring(*args):
        lives = bring_lives(*args)
        seen.append(
            (lives.num_individuals, lives.strides, [m.data_ptr() for m in lives.arrays[:2]])
        )
        return lives

    monkeypatch.setattr("evoplastic.engines.gpu.engine.bring_lives", bring)
    return seen


def test_a_generation_is_drawn_on_the_device_and_simulated_where_it_lies(
    launches, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = []

    def draw(*args, **options):
        drawn.append(perturbed_pairs(*args, **options))
        return drawn[-1]

    monkeypatch.setattr(proposals, "perturbed_pairs", draw)
    shards: list[Shard] = [*pair_shards(PROBLEM, SEARCH, 1, 2, 1)]
    results = InProcessExecutor().map(PROBLEM, CENTER_G, shards, lambda: False)

    (flat_PG,) = drawn
    assert flat_PG.device.type == DEVICE
    at = flat_PG.data_ptr()
    assert launches == [(4, (SIZE, SIZE, 0), [at, at + 4 * (SIZE // 2)])]

    plain_PG = perturbed_pairs(
        CENTER_G, PROBLEM.layout, SEARCH, PROBLEM.seed, 1, 0, 2, engine="reference"
    )
    assert torch.equal(flat_PG.cpu(), plain_PG)
    pairs = np.repeat(np.arange(2), 2)
    loss_P = np.concatenate([r.loss_P for r in results if isinstance(r, PopulationResult)])
    params = PROBLEM.params(plain_PG)
    expected = simulate(PROBLEM, params, pairs % 2, pairs, epoch=1, evaluation=False)
    np.testing.assert_array_equal(loss_P, expected.loss_PK.double().numpy()[:, -3:].mean(1))
    assert len(np.unique(loss_P)) == 3  # the first pair does not mutate


def test_mutants_leave_half_of_the_memory_to_their_lifetimes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gpu, "free_bytes", lambda device: 2 * 4 * (4 * SIZE))  # four genomes' room
    asked = []

    def simulate_nothing(problem, center_G, shard):
        asked.append(shard)
        zeros = np.zeros(shard.lifetimes)
        return PopulationResult(zeros, zeros, zeros, zeros[:, None][:, :0])

    shards = pair_shards(PROBLEM, SEARCH, 1, 5, 1)
    InProcessExecutor(simulate_nothing).map(PROBLEM, CENTER_G, shards, lambda: False)
    assert [shard.lifetimes for shard in asked] == [4, 4, 2]


def test_replicates_are_one_launch_of_one_genome_with_the_bits_of_every_shard(launches) -> None:
    shards: list[Shard] = [
        ReplicateShard(4, task, first, 1, False) for task in (0, 2) for first in (0, 1)
    ]
    results = InProcessExecutor().map(PROBLEM, CENTER_G, shards, lambda: False)
    assert [(lives, strides) for lives, strides, _ in launches] == [(4, (0, 0, 0))]
    for shard, result in zip(shards, results, strict=True):
        for ours, alone in zip(result, run_shard(PROBLEM, CENTER_G, shard), strict=True):
            np.testing.assert_array_equal(ours, alone)
    losses = [result.loss_L for result in results if isinstance(result, ReplicateResult)]
    assert len(np.unique(losses)) == 4


def test_the_gradient_is_the_one_of_the_reference_bit_for_bit() -> None:
    weights = np.array([0.25, -1e6])
    gradients = [
        gradient(weights, PROBLEM.layout, SEARCH, 3, 1, engine=engine)
        for engine in ("reference", "gpu")
    ]
    assert torch.equal(*gradients)
    assert bool((gradients[0] != 0.0).any())
