"""Gradients of a population's lifetimes: whoever takes them, and what is learnt along them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from evoplastic.checks import UsageError
from evoplastic.genome.config import GenomeConfig
from evoplastic.genome.layout import Layout
from evoplastic.lifetime.asked import require_answerable
from evoplastic.lifetime.fields import genome_fields
from evoplastic.lifetime.problem import LifetimeProblem
from evoplastic.lifetime.shards import population_shards, simulate_population
from evoplastic.lifetime.unrolled import unrolled_bytes
from evoplastic.network.neurons import NeuronGroups
from evoplastic.search.asking import answered
from evoplastic.search.gradient.config import GradientConfig
from evoplastic.search.gradient.search import GradientSearch
from tests.evoplastic.engines.cases import make_bank, make_config

GROUPS = NeuronGroups(num_neurons=18)

CALM: dict[str, Any] = {"perturbation": {"amplitude": 0.0}}


def problem_of(rule: str = "backpropamine", **lifetime: Any) -> LifetimeProblem:
    config = make_config(
        rule={"name": rule, "first_trial": 1}, **{"num_trials": 3, "scored_trials": 2, **lifetime}
    )
    return LifetimeProblem(
        layout=Layout(GROUPS, genome_fields(config)),
        lifetime=config,
        train=(make_bank(0, num_entries=2),),
        held_out=(),
        seed=3,
        engine="reference",
    )


def search_of(problem: LifetimeProblem, **options: Any) -> GradientSearch:
    return GradientSearch(GradientConfig(**options), problem.layout, seed=3)


def test_gradients_do_not_depend_on_how_a_generation_is_cut() -> None:
    problem = problem_of()
    search = search_of(problem, popsize=6, together=2)
    center_G = problem.layout.initial(3, GenomeConfig())
    proposal = search.ask(search.init(center_G), 5)
    task_P = np.zeros(6, dtype=np.int64)
    found = []
    for size in (1, 4, 6):
        shards = population_shards(proposal, task_P, size)
        results = [simulate_population(problem, center_G, shard) for shard in shards]
        found.append([np.concatenate(column) for column in zip(*results, strict=True)])
    for whole, *others in zip(*found, strict=True):
        for other in others:
            np.testing.assert_array_equal(whole, other)
    gradient_PG = found[0][-1]
    assert gradient_PG.shape == (6, problem.layout.size)
    assert gradient_PG.dtype == np.float32
    assert len(np.unique(gradient_PG, axis=0)) == 6


def learn(problem: LifetimeProblem, generations: int, **options: Any) -> tuple[list, list]:
    search = search_of(problem, **options)
    state = search.init(problem.layout.initial(3, GenomeConfig()))
    losses, rewards = [], []
    task_P = np.zeros(search.popsize, dtype=np.int64)
    for generation in range(generations):
        proposal = search.ask(state, generation)
        (shard,) = population_shards(proposal, task_P, search.popsize)
        result = simulate_population(problem, search.center(state), shard)
        losses.append(result.loss_P.mean())
        rewards.append(result.reward_P.mean())
        state = search.tell(state, answered(proposal, result.beside_PX), result.loss_P).state
    return losses, rewards


def test_a_tiny_task_is_learned() -> None:
    losses, _ = learn(problem_of(**CALM), 30, popsize=4, learning_rate=0.1)
    assert np.mean(losses[-3:]) < 0.5 * np.mean(losses[:3])


def test_a_tiny_task_is_learned_by_its_rewards() -> None:
    problem = problem_of(fitness="reward", **CALM)
    options = {"popsize": 16, "together": 16, "learning_rate": 0.03, "entropy": 0.02}
    _, rewards = learn(problem, 30, objective="reinforce", discount=0.0, **options)
    assert np.mean(rewards[-5:]) > np.mean(rewards[:5]) + 0.15


def asked(**options: Any) -> Any:
    return GradientConfig(**options).asked


def test_a_rule_without_a_gradient_is_refused_with_those_that_have_one() -> None:
    for rule, why in (
        ("node_perturbation", "hard argmax"),
        ("node_perturbation_network", "credits noise"),
        ("cubed_fluctuations", "hard argmax"),
    ):
        with pytest.raises(UsageError, match=f"{why}.*use one of hebb, oja, abcd.*backpropamine"):
            require_answerable(problem_of(rule), asked())
    for rule in ("hebb", "oja", "abcd_rank_one", "backpropamine_retroactive"):
        require_answerable(problem_of(rule), asked())


def test_a_reward_has_no_gradient() -> None:
    with pytest.raises(UsageError, match=r"search\.objective=reinforce"):
        require_answerable(problem_of(fitness="reward"), asked())
    require_answerable(problem_of(fitness="reward"), asked(objective="reinforce"))
    with pytest.raises(UsageError, match="no gradient goes through a reward"):
        require_answerable(problem_of(reward_weight=0.5), asked())


def test_what_memory_does_not_hold_is_refused_with_its_size() -> None:
    with pytest.raises(UsageError, match=r"take .* GB, .* lower search\.together"):
        require_answerable(problem_of(), asked(together=1 << 28))


def test_memory_shrinks_with_blocks_and_trials() -> None:
    problem = problem_of(num_trials=100)
    whole = unrolled_bytes(problem, asked(block=100))
    assert unrolled_bytes(problem, asked()) < whole / 10
    assert unrolled_bytes(problem, asked(trials=5)) < unrolled_bytes(problem, asked())
