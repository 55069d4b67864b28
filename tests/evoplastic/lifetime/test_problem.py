"""Shards of a population: pure, idempotent, and sharing exactly what they should share."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats

from evoplastic.checks import UsageError
from evoplastic.genome.genome import Genome
from evoplastic.lifetime.problem import (
    LifetimeProblem,
    PairShard,
    PairShardResult,
    ReplicateShard,
    pair_shards,
    simulate_pairs,
    simulate_replicates,
    tasks_of_pairs,
)
from evoplastic.network.neurons import NeuronGroups
from evoplastic.random.counters import Purpose, words
from evoplastic.search.config import EvolutionConfig
from evoplastic.search.es import GradientSum, initial_state, shape_losses, update
from evoplastic.search.mutation import perturbed_pairs
from evoplastic.trials.table import TrialTable
from tests.evoplastic.engines.cases import make_bank, make_config

GROUPS = NeuronGroups(num_neurons=13)
# A gain below 1 keeps rounding from growing, so that lifetimes may be compared across batches.
EVOLUTION = EvolutionConfig(popsize=12, init_gain=0.7)
CENTER_G = Genome.random(GROUPS, 1, EVOLUTION).center_G

PROBLEM = LifetimeProblem(
    groups=GROUPS,
    lifetime=make_config(num_trials=6, scored_trials=4, perturbation={"quiet_trials": 1}),
    evolution=EVOLUTION,
    train=tuple(make_bank(seed, task=f"task{seed}") for seed in range(4)),
    half_of_train=(0, 1, 0, 1),
    held_out=(make_bank(9, task="held"),),
    seed=23,
    engine="reference",
)


def _equal(one: tuple[np.ndarray, ...], other: tuple[np.ndarray, ...]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def _lives(problem: LifetimeProblem = PROBLEM, first: int = 0, pairs: int = 6) -> PairShardResult:
    return simulate_pairs(problem, CENTER_G, PairShard(5, first, pairs))


def _tiny_mutations(problem: LifetimeProblem = PROBLEM) -> LifetimeProblem:
    """Mutations far too small to matter, so that only task, trials and noise tell lives apart."""
    return replace(problem, evolution=replace(EVOLUTION, sigma=1e-9))


@pytest.mark.parametrize(("num_pairs", "pairs_per_shard"), [(250, 16), (6, 6), (5, 8), (7, 1)])
def test_shards_cover_every_pair_once_and_in_order(num_pairs: int, pairs_per_shard: int) -> None:
    shards = pair_shards(3, num_pairs, pairs_per_shard)
    assert {shard.generation for shard in shards} == {3}
    covered = [
        pair
        for shard in shards
        for pair in range(shard.first_pair, shard.first_pair + shard.num_pairs)
    ]
    assert covered == list(range(num_pairs))
    assert all(shard.num_pairs == pairs_per_shard for shard in shards[:-1])


def test_a_shard_done_twice_or_elsewhere_gives_the_same_bits() -> None:
    first = _lives()
    _lives(first=2, pairs=3)
    travelled = pickle.loads(pickle.dumps((PROBLEM, CENTER_G, PairShard(5, 0, 6))))
    assert _equal(first, _lives())
    assert _equal(first, simulate_pairs(*travelled))


def test_a_pair_lives_the_same_in_any_shard() -> None:
    whole, part = _lives(), _lives(first=2, pairs=3)
    assert np.array_equal(part.task_P, whole.task_P[4:10])
    np.testing.assert_allclose(part.loss_P, whole.loss_P[4:10], rtol=0, atol=1e-5)


def test_another_generation_or_seed_is_another_life() -> None:
    losses = [
        _lives().loss_P,
        simulate_pairs(PROBLEM, CENTER_G, PairShard(6, 0, 6)).loss_P,
        _lives(replace(PROBLEM, seed=24)).loss_P,
    ]
    assert not np.array_equal(losses[0], losses[1])
    assert not np.array_equal(losses[0], losses[2])


def test_partners_share_task_trials_and_noise_and_pairs_do_not() -> None:
    result = _lives(_tiny_mutations())
    assert np.array_equal(result.task_P[0::2], result.task_P[1::2])
    np.testing.assert_allclose(result.loss_P[0::2], result.loss_P[1::2], rtol=0, atol=1e-5)
    gaps = np.diff(np.sort(result.loss_P[0::2]))
    assert gaps.min() > 1e-4, "two pairs lived the same life"


def _one_task(num_entries: int, **perturbation: Any) -> LifetimeProblem:
    """One task and no mutations to speak of: only trial order and noise tell lives apart."""
    lifetime = PROBLEM.lifetime
    return replace(
        PROBLEM,
        train=(make_bank(0, num_entries=num_entries, num_kinds=1),),
        half_of_train=(0,),
        evolution=replace(EVOLUTION, sigma=1e-9, alternate_halves=False),
        lifetime=replace(lifetime, perturbation=replace(lifetime.perturbation, **perturbation)),
    )


@pytest.mark.parametrize("noise", ["pair", "shared"])
def test_noise_is_the_pairs_own_or_everybodys(noise: str) -> None:
    """With a single trial to ask, only the perturbations can tell two pairs apart."""
    problem = _one_task(1, noise=noise)
    spread = np.ptp(_lives(problem).loss_P)
    if noise == "shared":
        assert spread < 1e-5
    else:
        assert spread > 1e-3
    replicates = simulate_replicates(problem, CENTER_G, ReplicateShard(5, 0, 0, 4, True))
    assert np.ptp(replicates.loss_L) > 1e-3, "replicates always have noise of their own"


def test_every_pair_and_every_replicate_has_its_own_order_of_trials() -> None:
    """Without perturbations, only the order of trials can tell two lives apart."""
    problem = _one_task(5, amplitude=0.0)
    loss_P = _lives(problem).loss_P
    np.testing.assert_allclose(loss_P[0::2], loss_P[1::2], rtol=0, atol=1e-5)
    assert np.diff(np.sort(loss_P[0::2])).min() > 1e-4
    replicates = simulate_replicates(problem, CENTER_G, ReplicateShard(5, 0, 0, 4, True))
    assert np.diff(np.sort(replicates.loss_L)).min() > 1e-4


def test_pair_zero_is_the_bare_center() -> None:
    result = _lives(replace(PROBLEM, evolution=replace(EVOLUTION, sigma=0.5)))
    assert result.loss_P[0] == result.loss_P[1]
    assert (np.abs(result.loss_P[2::2] - result.loss_P[3::2]) > 1e-4).all()


def test_halves_of_the_tasks_alternate_every_two_generations() -> None:
    pairs = np.arange(200)
    for generation in range(9):
        tasks = tasks_of_pairs(PROBLEM, generation, pairs)
        eligible = {1, 3} if generation % 4 >= 2 else {0, 2}
        assert set(tasks.tolist()) == eligible, f"generation {generation}"


def test_without_alternation_every_task_is_drawn_alike() -> None:
    problem = replace(PROBLEM, evolution=replace(EVOLUTION, alternate_halves=False))
    tasks = tasks_of_pairs(problem, 0, np.arange(4_000))
    assert stats.chisquare(np.bincount(tasks, minlength=4)).pvalue > 1e-3
    assert len(np.bincount(tasks)) == 4, "a held-out task was drawn"
    assert not np.array_equal(tasks, tasks_of_pairs(problem, 1, np.arange(4_000)))
    # Draws of its own: the task must not foretell the first trial, drawn on the same stream.
    drawn = [int(words(23, Purpose.TASK, 0, pair, 0, 1)[0]) for pair in range(50)]
    assert tasks[:50].tolist() == [word * 4 // 2**32 for word in drawn]


def test_mutants_live_their_own_genomes_on_their_own_tasks() -> None:
    """Each individual of a shard equals a shard of its own with its task as the only one."""
    result = _lives()
    flat_PG = perturbed_pairs(CENTER_G, PROBLEM.layout, EVOLUTION, 23, 5, 0, 6)
    for individual in (3, 6):
        alone = replace(
            PROBLEM,
            train=(PROBLEM.train[result.task_P[individual]],),
            half_of_train=(0,),
            evolution=replace(EVOLUTION, sigma=1e-12, alternate_halves=False),
        )
        lived = simulate_pairs(alone, flat_PG[individual], PairShard(5, individual // 2, 1))
        np.testing.assert_allclose(lived.loss_P, result.loss_P[individual], rtol=0, atol=1e-5)


def test_one_generation_equals_the_published_update() -> None:
    """Shards, pulls, gradient, Adam with weight decay, alpha >= 0: all of it, held to torch."""
    loss_P = np.concatenate(
        [simulate_pairs(PROBLEM, CENTER_G, shard).loss_P for shard in pair_shards(5, 6, 4)]
    )
    shaped = shape_losses(loss_P, EVOLUTION)
    total = GradientSum(PROBLEM.layout, EVOLUTION, PROBLEM.seed, 5)
    for shard in pair_shards(5, 6, 4):
        total.add(
            shard.first_pair,
            shaped.weight_pairs[shard.first_pair : shard.first_pair + shard.num_pairs],
        )
    ours = update(initial_state(CENTER_G), total.result(), EVOLUTION, PROBLEM.layout).center_G

    flat_PG = perturbed_pairs(CENTER_G, PROBLEM.layout, EVOLUTION, PROBLEM.seed, 5, 0, 6)
    mutation_PG = flat_PG.double() - CENTER_G.double()
    gradient_G = (mutation_PG * torch.from_numpy(loss_P)[:, None]).sum(0) / (12 * 0.03**2)
    parameter = torch.nn.Parameter(CENTER_G.clone())
    parameter.grad = gradient_G.float()
    torch.optim.Adam([parameter], lr=0.01, weight_decay=3e-4).step()
    theirs = parameter.detach().clone()
    theirs[PROBLEM.layout.alpha_slice] = theirs[PROBLEM.layout.alpha_slice].clamp(min=0.0)
    # Adam's first step is the sign of the gradient: compare where rounding cannot flip it.
    clear = gradient_G.abs() > 1e-3
    assert clear.float().mean() > 0.7
    np.testing.assert_allclose(ours[clear].numpy(), theirs[clear].numpy(), rtol=0, atol=1e-5)
    assert (ours != CENTER_G)[PROBLEM.layout.mask_G].all()


def test_a_genome_that_fails_is_reported_as_such_not_raised() -> None:
    broken_G = CENTER_G.clone()
    broken_G[8 * 13 + 4] = float("nan")
    result = simulate_pairs(PROBLEM, broken_G, PairShard(5, 0, 2))
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
    problem = replace(
        PROBLEM,
        train=PROBLEM.train[:1],
        half_of_train=(0,),
        evolution=replace(EVOLUTION, alternate_halves=False),
    )
    evolved = simulate_pairs(problem, CENTER_G, PairShard(5, 0, 1))
    evaluated = simulate_replicates(problem, CENTER_G, ReplicateShard(5, 0, 0, 1, True))
    assert abs(evolved.loss_P[0] - evaluated.loss_L[0]) > 1e-4


def test_the_control_without_plasticity_has_no_effective_plastic_weights() -> None:
    problem = replace(
        PROBLEM, lifetime=make_config(num_trials=12, rule={"eta": 3.0, "first_trial": 0})
    )
    without_G = CENTER_G.clone()
    without_G[problem.layout.alpha_slice] = 0.0
    plastic = simulate_replicates(problem, CENTER_G, ReplicateShard(5, 4, 0, 4, True))
    control = simulate_replicates(problem, CENTER_G, ReplicateShard(5, 4, 0, 4, False))
    bare = simulate_replicates(problem, without_G, ReplicateShard(5, 4, 0, 4, True))
    assert _equal(control, bare)
    assert np.abs(control.loss_L - plastic.loss_L).min() > 1e-6


def test_a_problem_whose_parts_do_not_fit_is_refused() -> None:
    with pytest.raises(UsageError, match="task 'wide' has 4 inputs"):
        replace(PROBLEM, held_out=(make_bank(0, task="wide", num_inputs=4),))
    with pytest.raises(UsageError, match="4 training tasks but 3 halves"):
        replace(PROBLEM, half_of_train=(0, 1, 0))
    with pytest.raises(UsageError, match="half 1 is empty"):
        replace(PROBLEM, half_of_train=(0, 0, 0, 0))
