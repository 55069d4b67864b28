"""Generations of `miconi2023` from end to end: search, mutants, lifetimes, gradient, held-out.

The recipe's own search and curriculum, without the loop that records and keeps runs.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import torch

from evoplastic.genome.config import GenomeConfig
from evoplastic.genome.layout import Layout
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.lifetime.problem import LifetimeProblem
from evoplastic.lifetime.shards import (
    PopulationShard,
    ReplicateShard,
    simulate_population,
    simulate_replicates,
)
from evoplastic.network.neurons import NeuronGroups
from evoplastic.search.config import ESConfig
from evoplastic.search.es import EvolutionStrategy, gradient
from evoplastic.search.moments import AdamState
from evoplastic.search.shaping import shape_losses
from tasks.curricula.curriculum import AlternateHalves, AlternateHalvesConfig
from tasks.two_stimulus.task import NAMES, TwoStimulusTask, parity_half
from tests.gpu.part import Row

HELD_OUT = ("dms", "dnms")
TRAIN = tuple(name for name in NAMES if name not in HELD_OUT)
GENERATIONS, LIFETIMES, SEED = 50, 64, 0


def rows(*, tiny: bool) -> Iterator[Row]:
    """Held-out accuracy before and after, and seconds per generation."""
    problem, search = published(tiny)
    strategy = EvolutionStrategy(search, problem.layout, seed=SEED, engine="gpu")
    suite = SimpleNamespace(train=TRAIN, half_of_train=tuple(parity_half(name) for name in TRAIN))
    curriculum = AlternateHalves(AlternateHalvesConfig(), suite, seed=SEED)
    state = strategy.init(problem.layout.initial(SEED, GenomeConfig()))
    lifetimes, generations = (1, 1) if tiny else (LIFETIMES, GENERATIONS)
    yield held_out(problem, state.center_G, 0, lifetimes)
    losses, seconds = [], []
    for generation in range(generations):
        begin = time.perf_counter()
        proposal = strategy.ask(state, generation)
        shard = PopulationShard(proposal, curriculum.tasks_of(generation, proposal.group_P))
        loss_P = simulate_population(problem, state.center_G, shard).loss_P
        shaped = shape_losses(loss_P, search)
        pull_G = gradient(
            shaped.weight_pairs, problem.layout, search, SEED, generation, engine="gpu"
        )
        if shaped.pulls:
            state = adam(state, pull_G, search, problem.layout)
        seconds.append(time.perf_counter() - begin)
        losses.append(float(np.nanmean(loss_P)))
    steady = seconds[1:] or seconds
    yield {
        "name": "search",
        "generations": generations,
        "seconds": sum(seconds),
        "seconds_per_generation": float(np.mean(steady)),
        "first_loss": losses[0],
        "last_loss": losses[-1],
        "holds": bool(torch.isfinite(state.center_G).all()),
    }
    yield held_out(problem, state.center_G, generations, lifetimes)


def published(tiny: bool) -> tuple[LifetimeProblem, ESConfig]:
    """The recipe `miconi2023`, whose numbers are the defaults."""
    lifetime, search, neurons = LifetimeConfig(), ESConfig(), 70
    if tiny:
        lifetime = replace(lifetime, num_trials=2, scored_trials=1)
        search, neurons = ESConfig(popsize=4), 13
    problem = LifetimeProblem(
        layout=Layout(NeuronGroups(num_neurons=neurons)),
        lifetime=lifetime,
        train=tuple(TwoStimulusTask(name).trials() for name in TRAIN),
        held_out=tuple(TwoStimulusTask(name).trials() for name in HELD_OUT),
        seed=SEED,
        engine="gpu",
    )
    return problem, search


def held_out(
    problem: LifetimeProblem, center_G: torch.Tensor, generation: int, lifetimes: int
) -> Row:
    """Accuracy of the bare center on the tasks that evolution never sees."""
    accuracy = {}
    for place, name in enumerate(HELD_OUT[: 1 if lifetimes == 1 else None]):
        shard = ReplicateShard(generation, len(TRAIN) + place, 0, lifetimes, plastic=True)
        found = simulate_replicates(problem, center_G, shard).accuracy_L
        accuracy[name] = float(found.mean())
    return {"name": f"held-out accuracy, generation {generation}", **accuracy}


def adam(
    state: AdamState,
    gradient_G: torch.Tensor,
    config: ESConfig,
    layout: Layout,
    generation: int = 0,
) -> AdamState:
    """The step of `evoplastic.search.es.update` without EvoTorch, bit for bit.

    Source: Kingma & Ba 2015 (ICLR), algorithm 1.
    """

    def constant(value: float) -> torch.Tensor:
        return torch.tensor(value, dtype=torch.float32)

    beta1, beta2 = constant(config.beta1), constant(config.beta2)
    descent_G = -(gradient_G + config.weight_decay * state.center_G * layout.unit_G)
    t = state.t + 1
    m_G = beta1 * state.m_G + (1 - beta1) * descent_G
    v_G = beta2 * state.v_G + (1 - beta2) * descent_G**2.0
    mean_G, square_G = m_G / (1 - beta1**t), v_G / (1 - beta2**t)
    step_G = constant(config.learning_rate_at(generation)) * mean_G
    stepped_G = state.center_G + step_G / (torch.sqrt(square_G) + constant(config.epsilon))
    center_G = layout.project(layout.stepped(state.center_G, stepped_G))
    return AdamState(center_G, m_G, v_G, t)
