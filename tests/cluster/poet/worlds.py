"""A run of POET in seconds, and rounds in which rewards are known beforehand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cluster.config.poet import PoetConfig
from cluster.config.run import RunConfig, load_config
from cluster.poet.building import world_of
from cluster.poet.environments import PoetState
from cluster.poet.rounds import Lived, Round
from cluster.poet.search import World
from evoplastic.genome.config import GenomeConfig
from evoplastic.genome.genome import Genome
from evoplastic.genome.layout import Layout
from evoplastic.network.neurons import NeuronGroups
from evoplastic.search.catalogue import SEARCHES
from evoplastic.search.config import ESConfig
from evoplastic.search.protocol import AnySearch
from evoplastic.search.together import Together
from tasks.machines.metatasks.form import MetaTask
from tasks.suites.loading import load_suite

LAYOUT = Layout(NeuronGroups(num_neurons=20, num_inputs=6))
SEARCH = ESConfig(popsize=4)
SEED = 3
OVERRIDES = (
    "engine=reference",
    "pairs_per_shard=8",
    "tracking.enabled=false",
    "evaluation.controls=false",
    "evaluation.every=8",
    "evolution.generations=5",
    "lifetime.num_trials=4",
    "lifetime.scored_trials=2",
    "search.popsize=4",
    "poet.capacity=2",
    "evaluation.held_out_lifetimes=1",
    "evaluation.train_lifetimes=0",
)
Reward = Callable[[str, Tensor], float]


def smoke(*overrides: str) -> RunConfig:
    """The recipe, on an engine that compiles nothing, with few measurements."""
    return load_config("poet-smoke", [*OVERRIDES, *overrides])


def poet(**options: object) -> PoetConfig:
    """Options under which everything may happen."""
    wide = {"minimal_criterion": (-3.0, 2.0), "solved": 2.0, "reproduce": -3.0, "lifetimes": 2}
    return PoetConfig.model_validate(wide | {"capacity": 3, "children": 1} | options)


def world(config: PoetConfig) -> World:
    """That of the suite `poet`."""
    return world_of(config, load_suite("poet"))


def make_search(seed: int) -> AnySearch:
    """A small search."""
    return SEARCHES["es"].build(SEARCH, LAYOUT, seed=seed, engine="cpu")


def genome(seed: int) -> Tensor:
    """A random genome."""
    return Genome.random(LAYOUT, seed, GenomeConfig()).center_G


def round_of(config: PoetConfig, reward: Reward, generation: int = 10) -> Round:
    """A round in which an individual's reward is a function of its task's name and its genome."""

    def table_of(task: MetaTask) -> Any:
        return task.name  # stands for its trials, which nobody reads

    def meet(tasks: tuple[Any, ...], centers_CG: Tensor, proposal: Together) -> Lived:
        genome_PG = proposal.genomes(centers_CG, LAYOUT)
        reward_P = np.array(
            [
                reward(tasks[place], own)
                for place, own in zip(proposal.group_P.tolist(), genome_PG, strict=True)
            ]
        )
        return Lived(-reward_P, reward_P)

    return Round(generation, config, SEED, meet, table_of, make_search)


def scored(state: PoetState, score_EE: object) -> PoetState:
    """The state with these scores known, those of own genomes the latest."""
    table = np.array(score_EE, dtype=np.float64)
    state = replace(state, score_EE=table)
    return state.changed(
        *(each.seen(float(table[each.number, each.number]), 5) for each in state.environments)
    )


def state_of(config: PoetConfig, names: int) -> PoetState:
    """Active environments that differ in names alone, each with a genome of its own."""
    seed = world(config).seeds[0]
    environments = tuple(
        replace(seed, number=n, form=f"{seed.form}{n}", task=replace(seed.task, name=f"e{n}"))
        for n in range(names)
    )
    pairs = {n: make_search(n).init(genome(n)) for n in range(names)}
    return PoetState(
        environments=environments,
        pairs=pairs,
        archived={},
        score_EE=np.full((names, names), np.nan),
    )


def reward_for(score: float) -> float:
    """What has to be paid for a score in the environments of `state_of`."""
    return 0.5 + 0.475 * score  # half by luck; 0.975 for who finds out in the first of 20 trials


def unlike(own: Tensor) -> float:
    """Next to nothing, and not the same for any two genomes: a search has something to go by."""
    return 1e-9 * float(own.double().sum())


def same(a: Tensor, b: Tensor) -> bool:
    """Whether two genomes are equal, bit for bit."""
    return bool(torch.equal(a, b))
