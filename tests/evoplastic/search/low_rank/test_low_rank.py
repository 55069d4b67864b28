"""Mutations of low rank: their rank and variance, and a gradient that is theirs."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch

from evoplastic.genome.fields import Field
from evoplastic.genome.layout import Layout
from evoplastic.network.neurons import NeuronGroups
from evoplastic.search.low_rank.config import LowRankESConfig
from evoplastic.search.low_rank.mutation import LowRankMutations
from evoplastic.search.low_rank.search import LowRankES
from evoplastic.search.shaping import shape_losses

GROUPS = NeuronGroups(num_neurons=20)
VECTOR = Field(
    name="tau",
    title="a vector",
    shape="N",
    init=lambda groups, seed, config: torch.zeros(20),
    scale=3.0,
)
LAYOUT = Layout(GROUPS, (*Layout(GROUPS).fields, VECTOR))


@pytest.mark.parametrize("rank", [1, 3])
def test_a_matrix_mutates_by_a_matrix_of_that_rank(rank: int) -> None:
    options = LowRankESConfig(rank=rank, sigma=0.5)
    mutations = LowRankMutations(LAYOUT, options, seed=1)
    assert mutations.draws == 2 * rank * 40 + 20
    fields = LAYOUT.split(torch.from_numpy(mutations.of_pair(2, 7)[None]))
    for name in ("w", "alpha"):
        free = fields[name][0][GROUPS.num_unconnected :]
        assert int(torch.linalg.matrix_rank(free.double(), atol=1e-5)) == rank
    assert not fields["w"][0][: GROUPS.num_unconnected].any()
    assert not mutations.of_pair(2, 0).any()


@pytest.mark.parametrize("rank", [1, 4])
def test_each_number_mutates_with_mean_0_and_variance_sigma_squared(rank: int) -> None:
    mutations = LowRankMutations(LAYOUT, LowRankESConfig(rank=rank, sigma=0.5), seed=1)
    drawn = np.stack([mutations.of_pair(0, pair) for pair in range(1, 400)])
    for name, size in (("w", 0.5), ("alpha", 0.5), ("tau", 1.5)):
        part = drawn[:, LAYOUT.slices[name]][:, LAYOUT.mask_G[LAYOUT.slices[name]].numpy()]
        assert abs(part.mean()) < 0.05 * size
        assert part.std() == pytest.approx(size, rel=0.05)


def test_a_rank_that_saves_nothing_is_a_mutation_in_full() -> None:
    full = LowRankMutations(LAYOUT, LowRankESConfig(rank=10), seed=1)
    assert full.draws == LAYOUT.size
    assert LowRankMutations(LAYOUT, LowRankESConfig(rank=9), seed=1).draws < LAYOUT.size


@pytest.mark.parametrize("last_sigma", [None, 0.05])
def test_the_gradient_weighs_the_mutations_of_the_individuals(last_sigma: float | None) -> None:
    """With sigma as it is in that generation, where it is annealed."""
    options = LowRankESConfig(
        popsize=12,
        sigma=0.1,
        last_sigma=last_sigma,
        annealing_generations=0 if last_sigma is None else 8,
    )
    sigma = options.es.sigma_at(4)
    assert (sigma < 0.1) == (last_sigma is not None)
    search = LowRankES(options, LAYOUT, seed=3)
    center_G = torch.from_numpy(np.random.default_rng(0).random(LAYOUT.size, np.float32))
    state = search.init(center_G)
    proposal = search.ask(state, 4)
    loss_P = np.random.default_rng(1).random(12)
    genomes_PG = proposal.genomes(center_G, LAYOUT).double()
    mutation_PG = genomes_PG - center_G.double()
    expected_G = (torch.from_numpy(loss_P)[:, None] * mutation_PG).sum(0) / (12 * sigma**2)
    tau_PG = mutation_PG[2:, LAYOUT.slices["tau"]]
    assert float(tau_PG.std()) == pytest.approx(3 * sigma, rel=0.2)
    got_G = search._gradient(shape_losses(loss_P, options.es).weight_pairs, 4)
    torch.testing.assert_close(got_G.double(), expected_G, rtol=1e-4, atol=1e-5)


def test_what_travels_does_not_grow_with_the_genome() -> None:
    small, large = (
        LowRankES(LowRankESConfig(), Layout(NeuronGroups(num_neurons=neurons)), seed=0)
        for neurons in (20, 200)
    )
    sizes = [
        len(pickle.dumps(search.ask(search.init(torch.zeros(4)), 0))) for search in (small, large)
    ]
    assert sizes[0] == sizes[1] < 1000
