"""Checks of mutations on the GPU that `test_mutations.py` runs in a process of their own.

Not named test_*: the session's own process, where Triton is not interpreted, never collects them.
"""

# mypy: allow-untyped-defs, allow-incomplete-defs
from __future__ import annotations

import numpy as np
import pytest
import torch

from evoplastic.genome.config import GenomeConfig
from evoplastic.genome.genome import Genome
from evoplastic.genome.layout import Layout
from evoplastic.network.neurons import NeuronGroups
from evoplastic.random.counters import Purpose, normal, normal_from_words
from evoplastic.search.config import ESConfig
from evoplastic.search.mutation import accumulate_mutations, perturbed_pairs
from tests.evoplastic.engines.gpu.process import (  # the fixtures serve every check below
    DEVICE,
    patch_once,  # noqa: F401
    uninitialised_memory_is_nan,  # noqa: F401
)

triton = pytest.importorskip("triton")

import triton.language as tl  # noqa: E402

from evoplastic.engines.gpu.mutation_kernels import normal as normal_on_gpu  # noqa: E402
from evoplastic.engines.gpu.mutations import accumulate_pairs, perturb_pairs  # noqa: E402

BIG = 2**64 - 3  # a seed whose key fills both words


@triton.jit
def normal_probe(out, word_ptr, SIZE: tl.constexpr):
    """Normal numbers of SIZE words."""
    at = tl.arange(0, SIZE)
    tl.store(out + at, normal_on_gpu(tl.load(word_ptr + at).to(tl.uint32)))


def assert_same_bits(ours: np.ndarray, expected: np.ndarray) -> None:
    assert ours.dtype == expected.dtype
    unsigned = {4: np.uint32, 8: np.uint64}[ours.dtype.itemsize]
    np.testing.assert_array_equal(ours.view(unsigned), expected.view(unsigned))


def test_normal_numbers_of_ordinary_and_of_extreme_words_are_the_defined_ones() -> None:
    random = np.random.default_rng(0)
    ends = np.arange(1 << 12)  # beyond 5 standard deviations, where the second polynomial serves
    middle = (1 << 31) - (1 << 11) + ends
    anywhere = random.integers(0, 1 << 32, 1 << 12)
    words = np.concatenate([ends, (1 << 32) - 1 - ends, middle, anywhere])
    out = torch.empty(len(words), dtype=torch.float32, device=DEVICE)
    normal_probe[(1,)](
        out, torch.from_numpy(words).to(DEVICE), SIZE=len(words), enable_fp_fusion=False
    )
    expected = normal_from_words(words)
    assert expected.max() > 6.0
    assert expected.min() < -6.0
    assert_same_bits(out.cpu().numpy(), expected)


def mutation(sigma_G: np.ndarray, seed: int, generation: int, pair: int) -> np.ndarray:
    draws = normal(seed, Purpose.MUTATION, generation, pair, sigma_G.size)
    return np.asarray(sigma_G * draws)


def case(size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Center and mutation sizes of a genome of any length; some genes do not mutate."""
    random = np.random.default_rng(size)
    center_G = random.normal(size=size).astype(np.float32)
    sigma_G = random.uniform(0.01, 0.05, size=size).astype(np.float32)
    sigma_G[random.random(size) > 0.8] = 0.0
    return torch.from_numpy(center_G), torch.from_numpy(sigma_G)


@pytest.mark.parametrize(
    ("size", "seed"),
    [(1, 0), (7, BIG), (338, 0), (512, 23), (515, BIG), (2053, 0)],
)
def test_pairs_are_center_plus_and_minus_the_mutation(size: int, seed: int) -> None:
    center_G, sigma_G = case(size)
    for generation, first_pair in ((0, 0), (2**24 - 1, 6)):
        flat_PG = perturb_pairs(center_G, sigma_G, seed, generation, first_pair, 3, device=DEVICE)
        assert flat_PG.device.type == DEVICE
        ours, center = flat_PG.cpu().numpy(), center_G.numpy()
        for index in range(3):
            change = mutation(sigma_G.numpy(), seed, generation, first_pair + index)
            assert_same_bits(ours[2 * index], center + change)
            assert_same_bits(ours[2 * index + 1], center - change)
        assert size < 3 or not np.array_equal(ours[0], ours[1])


@pytest.mark.parametrize(("size", "seed"), [(1, 0), (7, 23), (338, BIG)])
def test_weighted_sum_runs_over_pairs_in_order(size: int, seed: int) -> None:
    _, sigma_G = case(size)
    # Of very different sizes, so that another order of summation is another sum.
    weights = np.array([0.3, 0.0, -1.7e6, 0.25, 1.7e6, -3e-7])
    expected = np.full(size, 0.125)
    for index, weight in enumerate(weights):
        expected += weight * mutation(sigma_G.numpy(), seed, 5, 2 + index).astype(np.float64)
    ours = np.full(size, 0.125)
    accumulate_pairs(ours, sigma_G, seed, 5, 2, weights, device=DEVICE)
    assert_same_bits(ours, expected)


def test_another_order_of_pairs_is_another_sum() -> None:
    """What the check above rests on."""
    _, sigma_G = case(338)
    weights = np.array([0.3, 0.0, -1.7e6, 0.25, 1.7e6, -3e-7])
    pulls = [
        weight * mutation(sigma_G.numpy(), 0, 5, 2 + index).astype(np.float64)
        for index, weight in enumerate(weights)
    ]
    assert not np.array_equal(sum(pulls), sum(reversed(pulls)))


@pytest.mark.parametrize(("unmutated_pair", "first_pair"), [(True, 0), (True, 3), (False, 0)])
def test_the_gpu_engine_draws_and_sums_what_the_reference_does(
    unmutated_pair: bool, first_pair: int
) -> None:
    layout = Layout(NeuronGroups(num_neurons=13))
    config = ESConfig(popsize=20, unmutated_pair=unmutated_pair)
    center_G = Genome.random(layout, 5, GenomeConfig()).center_G
    plain, ours = (
        perturbed_pairs(center_G, layout, config, 7, 2, first_pair, 3, engine=engine).cpu()
        for engine in ("reference", "gpu")
    )
    assert_same_bits(ours.numpy(), plain.numpy())
    assert torch.equal(plain[0], center_G) == (unmutated_pair and first_pair == 0)

    sums = []
    for engine in ("reference", "gpu"):
        sum_G = np.zeros(layout.size)
        weights = np.array([0.3, -1.7, 0.25])
        accumulate_mutations(sum_G, layout, config, 7, 2, first_pair, weights, engine=engine)
        sums.append(sum_G)
    assert_same_bits(sums[1], sums[0])
    assert np.any(sums[0] != 0.0)
