"""Shards of a population: pure, idempotent, and sharing exactly what they should share."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from evoplastic.checks import UsageError
from evoplastic.genome.config import GenomeConfig
from evoplastic.genome.genome import Genome
from evoplastic.genome.layout import Layout
from evoplastic.lifetime.problem import LifetimeProblem
from evoplastic.lifetime.shards import (
    PopulationResult,
    ReplicateShard,
    simulate_population,
    simulate_replicates,
)
from evoplastic.network.neurons import NeuronGroups
from evoplastic.search.config import ESConfig
from evoplastic.search.es import EvolutionStrategy
from evoplastic.search.mutation import perturbed_pairs
from evoplastic.search.proposals import ArrayProposal
from evoplastic.search.protocol import slices
from evoplastic.trials.table import TrialTable
from tests.evoplastic.engines.cases import make_bank, make_config
from tests.evoplastic.lifetime.populations import pair_shard, pair_shards

LAYOUT = Layout(NeuronGroups(num_neurons=13))
# A gain below 1 keeps rounding from growing, so that lifetimes may be compared across batches.
CENTER_G = Genome.random(LAYOUT, 1, GenomeConfig(init_gain=0.7)).center_G
SEARCH = ESConfig(popsize=12)
TINY_MUTATIONS = replace(SEARCH, sigma=1e-9)  # only task, trials and noise tell lifetimes apart

PROBLEM = LifetimeProblem(
    layout=LAYOUT,
    lifetime=make_config(num_trials=6, scored_trials=4, perturbation={"quiet_trials": 1}),
    train=tuple(make_bank(seed, task=f"task{seed}") for seed in range(4)),
    held_out=(make_bank(9, task="held"),),
    seed=23,
    engine="reference",
)


def _equal(one: tuple[np.ndarray, ...], other: tuple[np.ndarray, ...]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def _run(
    problem: LifetimeProblem = PROBLEM,
    first: int = 0,
    pairs: int = 6,
    search: ESConfig = SEARCH,
    generation: int = 5,
) -> PopulationResult:
    shard = pair_shard(problem, search, generation, first, pairs)
    return simulate_population(problem, CENTER_G, shard)


@pytest.mark.parametrize(("num_pairs", "pairs_per_shard"), [(250, 16), (6, 6), (5, 8), (7, 1)])
def test_shards_cover_every_pair_once_and_in_order(num_pairs: int, pairs_per_shard: int) -> None:
    shards = pair_shards(PROBLEM, SEARCH, 3, num_pairs, pairs_per_shard)
    assert {shard.generation for shard in shards} == {3}
    streams = np.concatenate([shard.proposal.stream_P for shard in shards])
    tasks = np.concatenate([shard.task_P for shard in shards])
    assert streams.tolist() == np.repeat(np.arange(num_pairs), 2).tolist()
    assert tasks.tolist() == (streams % 4).tolist()
    assert all(shard.lifetimes == 2 * pairs_per_shard for shard in shards[:-1])


def test_a_shard_done_twice_or_elsewhere_gives_the_same_bits() -> None:
    first = _run()
    _run(first=2, pairs=3)
    shard = pair_shard(PROBLEM, SEARCH, 5, 0, 6)
    travelled = pickle.loads(pickle.dumps((PROBLEM, CENTER_G, shard)))
    assert _equal(first, _run())
    assert _equal(first, simulate_population(*travelled))
    assert len(pickle.dumps(shard)) < 1500, "genomes are drawn where they are needed"


def test_a_pair_is_the_same_in_any_shard() -> None:
    whole, part = _run(), _run(first=2, pairs=3)
    np.testing.assert_allclose(part.loss_P, whole.loss_P[4:10], rtol=0, atol=1e-5)


def test_another_generation_or_seed_is_another_life() -> None:
    losses = [
        _run().loss_P,
        _run(generation=6).loss_P,
        _run(replace(PROBLEM, seed=24)).loss_P,
    ]
    assert not np.array_equal(losses[0], losses[1])
    assert not np.array_equal(losses[0], losses[2])


def test_partners_share_trials_and_noise_and_pairs_do_not() -> None:
    result = _run(search=TINY_MUTATIONS)
    np.testing.assert_allclose(result.loss_P[0::2], result.loss_P[1::2], rtol=0, atol=1e-5)
    gaps = np.diff(np.sort(result.loss_P[0::2]))
    assert gaps.min() > 1e-4, "two pairs had the same lifetime"


def _one_task(num_entries: int, **perturbation: Any) -> LifetimeProblem:
    """One task, so that only trial order and noise tell two pairs apart."""
    lifetime = PROBLEM.lifetime
    return replace(
        PROBLEM,
        train=(make_bank(0, num_entries=num_entries, num_kinds=1),),
        lifetime=replace(lifetime, perturbation=replace(lifetime.perturbation, **perturbation)),
    )


@pytest.mark.parametrize("noise", ["pair", "shared"])
def test_noise_is_the_pairs_own_or_everybodys(noise: str) -> None:
    """With a single trial to ask, only the perturbations can tell two pairs apart."""
    problem = _one_task(1, noise=noise)
    spread = np.ptp(_run(problem, search=TINY_MUTATIONS).loss_P)
    if noise == "shared":
        assert spread < 1e-5
    else:
        assert spread > 1e-3
    replicates = simulate_replicates(problem, CENTER_G, ReplicateShard(5, 0, 0, 4, True))
    assert np.ptp(replicates.loss_L) > 1e-3, "replicates always have noise of their own"


def test_every_pair_and_every_replicate_has_its_own_order_of_trials() -> None:
    """Without perturbations, only the order of trials can tell two lifetimes apart."""
    problem = _one_task(5, amplitude=0.0)
    loss_P = _run(problem, search=TINY_MUTATIONS).loss_P
    np.testing.assert_allclose(loss_P[0::2], loss_P[1::2], rtol=0, atol=1e-5)
    assert np.diff(np.sort(loss_P[0::2])).min() > 1e-4
    replicates = simulate_replicates(problem, CENTER_G, ReplicateShard(5, 0, 0, 4, True))
    assert np.diff(np.sort(replicates.loss_L)).min() > 1e-4


def test_pair_zero_is_the_bare_center() -> None:
    result = _run(search=replace(SEARCH, sigma=0.5))
    assert result.loss_P[0] == result.loss_P[1]
    assert (np.abs(result.loss_P[2::2] - result.loss_P[3::2]) > 1e-4).all()


def test_mutants_meet_their_own_tasks_with_their_own_genomes() -> None:
    """Each individual of a shard equals a shard of its own with its task as the only one."""
    shard = pair_shard(PROBLEM, SEARCH, 5, 0, 6)
    result = simulate_population(PROBLEM, CENTER_G, shard)
    flat_PG = perturbed_pairs(CENTER_G, LAYOUT, SEARCH, 23, 5, 0, 6)
    for individual in (3, 6):
        problem = replace(PROBLEM, train=(PROBLEM.train[shard.task_P[individual]],))
        alone = pair_shard(problem, replace(SEARCH, sigma=1e-12), 5, individual // 2, 1)
        found = simulate_population(problem, flat_PG[individual], alone)
        np.testing.assert_allclose(found.loss_P, result.loss_P[individual], rtol=0, atol=1e-5)


def test_genomes_that_travel_as_an_array_have_the_lifetimes_of_those_drawn_in_place() -> None:
    drawn = pair_shard(PROBLEM, SEARCH, 5, 0, 6)
    flat_PG = perturbed_pairs(CENTER_G, LAYOUT, SEARCH, 23, 5, 0, 6)
    array = ArrayProposal(5, flat_PG.numpy(), drawn.proposal.group_P, drawn.proposal.stream_P)
    nowhere_G = torch.zeros(LAYOUT.size)
    expected = simulate_population(PROBLEM, CENTER_G, drawn)
    assert _equal(expected, simulate_population(PROBLEM, nowhere_G, drawn._replace(proposal=array)))
    for part in slices(array, 5):
        rows = slice(part.first, part.first + part.number)
        shard = drawn._replace(proposal=part, task_P=drawn.task_P[rows])
        found = simulate_population(PROBLEM, nowhere_G, pickle.loads(pickle.dumps(shard)))
        np.testing.assert_allclose(found.loss_P, expected.loss_P[rows], rtol=0, atol=1e-5)


def test_one_generation_equals_the_published_update() -> None:
    """Shards, pulls, gradient, Adam with weight decay, alpha >= 0: all of it, held to torch."""
    search = EvolutionStrategy(SEARCH, LAYOUT, seed=PROBLEM.seed)
    state = search.init(CENTER_G)
    loss_P = np.concatenate(
        [
            simulate_population(PROBLEM, CENTER_G, shard).loss_P
            for shard in pair_shards(PROBLEM, SEARCH, 5, 6, 4)
        ]
    )
    ours = search.center(search.tell(state, search.ask(state, 5), loss_P).state)

    flat_PG = perturbed_pairs(CENTER_G, LAYOUT, SEARCH, PROBLEM.seed, 5, 0, 6)
    mutation_PG = flat_PG.double() - CENTER_G.double()
    gradient_G = (mutation_PG * torch.from_numpy(loss_P)[:, None]).sum(0) / (12 * 0.03**2)
    parameter = torch.nn.Parameter(CENTER_G.clone())
    parameter.grad = gradient_G.float()
    torch.optim.Adam([parameter], lr=0.01, weight_decay=3e-4).step()
    theirs = parameter.detach().clone()
    theirs[LAYOUT.slices["alpha"]] = theirs[LAYOUT.slices["alpha"]].clamp(min=0.0)
    # Adam's first step is the sign of the gradient: compare where rounding cannot flip it.
    clear = gradient_G.abs() > 1e-3
    assert clear.float().mean() > 0.7
    np.testing.assert_allclose(ours[clear].numpy(), theirs[clear].numpy(), rtol=0, atol=1e-5)
    assert (ours != CENTER_G)[LAYOUT.mask_G].all()


def test_a_genome_that_fails_is_reported_as_such_not_raised() -> None:
    broken_G = CENTER_G.clone()
    broken_G[8 * 13 + 4] = float("nan")
    shard = pair_shard(PROBLEM, SEARCH, 5, 0, 2)
    result = simulate_population(PROBLEM, broken_G, shard)
    assert np.isnan(result.loss_P).all()
    assert np.isfinite(result.accuracy_P).all()


def test_replicates_are_pure_and_differ_from_one_another() -> None:
    shard = ReplicateShard(5, 4, 0, 5, True)
    result = simulate_replicates(PROBLEM, CENTER_G, shard)
    assert _equal(result, simulate_replicates(PROBLEM, CENTER_G, shard))
    assert result.correct_LK.shape == (5, 6)
    assert result.accuracy_L.tolist() == result.correct_LK[:, -4:].mean(1).tolist()
    assert np.diff(np.sort(result.loss_L)).min() > 1e-4
    later = simulate_replicates(
        PROBLEM, CENTER_G, shard._replace(first_lifetime=2, num_lifetimes=3)
    )
    np.testing.assert_allclose(later.loss_L, result.loss_L[2:], rtol=0, atol=1e-5)
    other = simulate_replicates(PROBLEM, CENTER_G, shard._replace(generation=6))
    assert not np.array_equal(other.loss_L, result.loss_L)


def test_replicates_of_two_tasks_meet_the_same_draws() -> None:
    """Two tasks that ask the same give the same lifetimes wherever they stand."""
    original = PROBLEM.train[1]
    assert isinstance(original, TrialTable)
    twin = replace(original, task="twin")
    problem = replace(PROBLEM, held_out=(make_bank(9, task="held"), twin))
    one = simulate_replicates(problem, CENTER_G, ReplicateShard(5, 1, 0, 3, True))
    other = simulate_replicates(problem, CENTER_G, ReplicateShard(5, 5, 0, 3, True))
    assert _equal(one, other)


def test_evaluation_never_reuses_the_draws_of_evolution() -> None:
    """Lifetime 0 of an evaluation and pair 0 bear the same stream number and yet differ."""
    problem = replace(PROBLEM, train=PROBLEM.train[:1])
    evolved = _run(problem, pairs=1)
    evaluated = simulate_replicates(problem, CENTER_G, ReplicateShard(5, 0, 0, 1, True))
    assert abs(evolved.loss_P[0] - evaluated.loss_L[0]) > 1e-4


def test_the_control_without_plasticity_has_no_effective_plastic_weights() -> None:
    problem = replace(
        PROBLEM, lifetime=make_config(num_trials=12, rule={"eta": 3.0, "first_trial": 0})
    )
    without_G = CENTER_G.clone()
    without_G[LAYOUT.slices["alpha"]] = 0.0
    plastic = simulate_replicates(problem, CENTER_G, ReplicateShard(5, 4, 0, 4, True))
    control = simulate_replicates(problem, CENTER_G, ReplicateShard(5, 4, 0, 4, False))
    bare = simulate_replicates(problem, without_G, ReplicateShard(5, 4, 0, 4, True))
    assert _equal(control, bare)
    assert np.abs(control.loss_L - plastic.loss_L).min() > 1e-6


def test_a_problem_whose_parts_do_not_fit_is_refused() -> None:
    with pytest.raises(UsageError, match="task 'wide' has 4 inputs"):
        replace(PROBLEM, held_out=(make_bank(0, task="wide", num_inputs=4),))
