"""A quadratic whose smallest value within bounds is known, for any search to find.

    loss = |genome - target|^2

over 24 numbers, 2 of them masked, 12 with a lower bound that the target of some is below, and with
mutations twice as large.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from evoplastic.genome.config import GenomeConfig
from evoplastic.genome.fields import Field
from evoplastic.genome.layout import Layout
from evoplastic.network.neurons import NeuronGroups
from evoplastic.search.asking import Unrolling, answered, asked_of
from evoplastic.search.catalogue import SEARCHES
from evoplastic.search.protocol import AnySearch, Proposal

POPSIZE = 40
FEW = Layout(
    NeuronGroups(num_neurons=12),
    (
        Field(
            name="free",
            title="without bounds, two of them masked",
            shape="N",
            init=lambda groups, seed, config: torch.zeros(12),
            mutable=lambda groups: torch.arange(12) < 10,
        ),
        Field(
            name="bounded",
            title="with a lower bound and a scale",
            shape="N",
            init=lambda groups, seed, config: torch.full((12,), 0.5),
            lower=0.0,
            scale=2.0,
        ),
    ),
)


class Found(NamedTuple):
    """How near a search came."""

    share: float  # of the squared distance from the optimum that is left
    seconds: float


def target(layout: Layout = FEW) -> Tensor:
    """Where the loss is 0 [G]: the same draws for every layout, 0 where nothing may mutate."""
    random = np.random.default_rng(1)
    target_G = torch.from_numpy(random.normal(0.3, 0.5, layout.size).astype(np.float32))
    return torch.where(layout.mask_G, target_G, torch.zeros(()))


def losses(
    search: AnySearch, state: Any, proposal: Proposal, layout: Layout = FEW
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The loss [P] of each individual of a proposal."""
    genomes_PG = proposal.genomes(search.center(state), layout)
    distance: np.ndarray[Any, np.dtype[np.float64]] = (
        (genomes_PG - target(layout)).double().square().sum(1).numpy()
    )
    return distance


def replied(search: AnySearch, state: Any, proposal: Proposal, layout: Layout = FEW) -> Proposal:
    """A proposal with what it asks for beside losses: gradients, or behaviour.

    d loss / d genome = 2 (genome - target);  behaviour = the first numbers of the genome
    """
    asked = asked_of(proposal)
    if asked is None:
        return proposal
    genomes_PG = proposal.genomes(search.center(state), layout)
    if isinstance(asked, Unrolling):
        return answered(proposal, (2.0 * (genomes_PG - target(layout))).numpy())
    return answered(proposal, genomes_PG[:, : len(asked.names)].double().numpy())


def find(name: str, evaluations: int, seed: int, **options: Any) -> Found:
    """Let a search look for the optimum.

    Args:
        name: an entry of SEARCHES; its options at their defaults, but for 40 individuals of one
            lifetime each.
        evaluations: of the loss; rounded up to whole generations.
        seed: run seed.
        options: of the search.
    """
    entry = SEARCHES[name]
    chosen = entry.options(**{"popsize": POPSIZE, **options})
    if hasattr(chosen, "lifetimes"):
        chosen = replace(chosen, lifetimes=1)
    search = entry.build(chosen, FEW, seed=seed, engine="cpu")
    first_G = FEW.initial(seed, GenomeConfig())
    optimum_G = FEW.project(target())
    state = search.init(first_G)
    search.warm_up(state)
    began = time.perf_counter()
    for generation in range(-(-evaluations // search.popsize)):
        proposal = search.ask(state, generation)
        loss_P = losses(search, state, proposal)
        state = search.tell(state, replied(search, state, proposal), loss_P).state
    left = float((search.center(state) - optimum_G).square().sum())
    whole = float((first_G - optimum_G).square().sum())
    return Found(left / whole, time.perf_counter() - began)
