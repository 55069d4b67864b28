"""Lifetimes of the reference, unrolled: the gradient of what they come to, by their genomes.

The states between blocks of trials are kept, and each block is lived a second time when the
gradient comes back to it (checkpointing; Chen et al. 2016, arXiv 1604.06174). An action is chosen
by comparing numbers, and what followed from it counts as given: no gradient goes through a choice.

Source: Miconi, Stanley & Clune 2018 (arXiv 1804.02464); Miconi et al. 2019 (arXiv 2002.10585).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from evoplastic.engines.reference.choosing import Choose, largest
from evoplastic.engines.reference.engine import Lives, begin
from evoplastic.engines.reference.stepping import TrialOutcome
from evoplastic.lifetime.batch import LifetimeBatch, LifetimeResult, PlasticParams
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.network.neurons import NeuronGroups
from evoplastic.network.state import NetworkState
from evoplastic.trials.tape import Tape

NUM_STATES = len(NetworkState._fields)


class Unrolled(NamedTuple):
    """Lifetimes that a gradient can go back through."""

    result: LifetimeResult
    log_chance_PK: Tensor | None  # of the drawn actions of each trial, where some are drawn
    entropy_PK: Tensor | None


def unroll(
    params: PlasticParams,
    groups: NeuronGroups,
    batch: LifetimeBatch,
    config: LifetimeConfig,
    *,
    trials: int | None = None,
    block: int = 1,
    choose: Choose = largest,
    dtype: torch.dtype = torch.float32,
) -> Unrolled:
    """Run P whole lifetimes with the numbers of `run_reference`, and remember how.

    Args:
        params: of the individuals, some of which require a gradient.
        groups: which neuron does what.
        batch: tasks and random streams of the individuals.
        config: everything else about the lifetime.
        trials: the last ones, which the gradient goes back through; none means all. What was
            learnt before them counts as given.
        block: trials between two states that are kept.
        choose: how actions come about.
        dtype: torch.float32, or torch.float64 for exact comparisons.
    """
    lives, state = begin(params, groups, batch, config, dtype=dtype, choose=choose)
    if lives.world is not None:
        lives = lives._replace(world=Tape(lives.world))
    given = 0 if trials is None else max(config.num_trials - trials, 0)
    outcomes: list[TrialOutcome] = []
    with torch.no_grad():
        for trial in range(given):
            state, outcome = lives.live_trial(trial, state)
            outcomes.append(outcome)
    for first in range(given, config.num_trials, block):
        numbers = range(first, min(first + block, config.num_trials))
        state, lived = _live_block(lives, numbers, state)
        outcomes += lived
    return Unrolled(
        lives.result(outcomes), _stacked(outcomes, "log_chance_P"), _stacked(outcomes, "entropy_P")
    )


def _live_block(
    lives: Lives, numbers: range, state: NetworkState
) -> tuple[NetworkState, list[TrialOutcome]]:
    """Some trials, of which only the state before them is kept."""
    place = lives.world.place if isinstance(lives.world, Tape) else 0

    def block(*before: Tensor) -> tuple[Tensor | None, ...]:
        if isinstance(lives.world, Tape):
            lives.world.place = place
        inner = NetworkState(*before)
        lived: list[Tensor | None] = []
        for trial in numbers:
            inner, outcome = lives.live_trial(trial, inner)
            lived += outcome
        return *inner, *lived

    found = checkpoint(block, *state, use_reentrant=False, preserve_rng_state=False)
    size = len(TrialOutcome._fields)
    outcomes = [
        TrialOutcome(*found[start : start + size]) for start in range(NUM_STATES, len(found), size)
    ]
    return NetworkState(*found[:NUM_STATES]), outcomes


def _stacked(outcomes: list[TrialOutcome], name: str) -> Tensor | None:
    parts = [getattr(outcome, name) for outcome in outcomes]
    return None if parts[0] is None else torch.stack(parts, dim=1)
