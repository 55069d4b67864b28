"""Compiled and plain mutations are the same numbers."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from evoplastic.genome.config import GenomeConfig
from evoplastic.genome.genome import Genome
from evoplastic.genome.layout import Layout
from evoplastic.network.neurons import NeuronGroups
from evoplastic.search.config import ESConfig
from evoplastic.search.mutation import accumulate_mutations, perturbed_pairs

LAYOUT = Layout(NeuronGroups(num_neurons=21))


@pytest.mark.parametrize("unmutated_pair", [True, False])
@pytest.mark.parametrize("first_pair", [0, 3])
def test_compiled_mutations_equal_plain_ones_bit_for_bit(
    unmutated_pair: bool, first_pair: int
) -> None:
    config = ESConfig(popsize=20, unmutated_pair=unmutated_pair)
    center_G = Genome.random(LAYOUT, 5, GenomeConfig()).center_G
    plain, compiled = (
        perturbed_pairs(center_G, LAYOUT, config, 7, 2, first_pair, 4, engine=engine)
        for engine in ("reference", "cpu")
    )
    assert torch.equal(plain, compiled)
    bare = bool(torch.equal(plain[0], center_G))
    assert bare == (unmutated_pair and first_pair == 0)


@pytest.mark.parametrize("unmutated_pair", [True, False])
def test_compiled_gradient_equals_the_plain_one_bit_for_bit(unmutated_pair: bool) -> None:
    config = ESConfig(popsize=20, unmutated_pair=unmutated_pair)
    weights = np.array([0.3, 0.0, -1.7, 0.25])
    sums = []
    for engine in ("reference", "cpu"):
        sum_G = np.full(LAYOUT.size, 0.125)
        accumulate_mutations(sum_G, LAYOUT, config, 7, 2, 0, weights, engine=engine)
        sums.append(sum_G)
    np.testing.assert_array_equal(sums[0], sums[1])
    assert np.any(sums[0] != 0.125)


def test_a_gradient_does_not_depend_on_how_the_pairs_are_cut() -> None:
    config, weights = ESConfig(popsize=12), np.array([0.3, 1.0, -1.7e6, 0.25, 1.7e6, -3e-7])
    whole = np.zeros(LAYOUT.size)
    accumulate_mutations(whole, LAYOUT, config, 7, 2, 0, weights)
    for cuts in ((3,), (1, 2, 5), (1, 2, 3, 4, 5)):
        sum_G = np.zeros(LAYOUT.size)
        for first, stop in itertools.pairwise((0, *cuts, 6)):
            accumulate_mutations(sum_G, LAYOUT, config, 7, 2, first, weights[first:stop])
        np.testing.assert_array_equal(sum_G, whole)
