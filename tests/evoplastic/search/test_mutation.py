"""Compiled and plain mutations are the same numbers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from evoplastic.genome.genome import Genome, GenomeLayout
from evoplastic.network.neurons import NeuronGroups
from evoplastic.search.config import EvolutionConfig
from evoplastic.search.mutation import accumulate_mutations, perturbed_pairs

GROUPS = NeuronGroups(num_neurons=21)
LAYOUT = GenomeLayout(GROUPS)


@pytest.mark.parametrize("unmutated_pair", [True, False])
@pytest.mark.parametrize("first_pair", [0, 3])
def test_compiled_mutations_equal_plain_ones_bit_for_bit(
    unmutated_pair: bool, first_pair: int
) -> None:
    config = EvolutionConfig(popsize=20, unmutated_pair=unmutated_pair)
    center_G = Genome.random(GROUPS, 5, config).center_G
    plain, compiled = (
        perturbed_pairs(center_G, LAYOUT, config, 7, 2, first_pair, 4, engine=engine)
        for engine in ("reference", "cpu")
    )
    assert torch.equal(plain, compiled)
    bare = bool(torch.equal(plain[0], center_G))
    assert bare == (unmutated_pair and first_pair == 0)


@pytest.mark.parametrize("unmutated_pair", [True, False])
def test_compiled_gradient_equals_the_plain_one_bit_for_bit(unmutated_pair: bool) -> None:
    config = EvolutionConfig(popsize=20, unmutated_pair=unmutated_pair)
    weights = np.array([0.3, 0.0, -1.7, 0.25])
    sums = []
    for engine in ("reference", "cpu"):
        sum_G = np.full(LAYOUT.size, 0.125)
        accumulate_mutations(sum_G, LAYOUT, config, 7, 2, 0, weights, engine=engine)
        sums.append(sum_G)
    np.testing.assert_array_equal(sums[0], sums[1])
    assert np.any(sums[0] != 0.125)
