"""A population's lifetimes cut into shards: what a worker computes, pure and idempotent.

A shard says which individuals of a proposal, or which lifetimes of one genome; the worker makes
their genomes, trials and perturbations itself, from their counters. Doing a shard twice, or
elsewhere, or later, gives the same bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from evoplastic.engines import RunLifetimes, run_lifetimes
from evoplastic.lifetime.asked import simulate_asked
from evoplastic.lifetime.batch import LifetimeResult
from evoplastic.lifetime.fitness import accuracy, lifetime_loss, reward
from evoplastic.lifetime.imitation.measuring import simulate_imitating
from evoplastic.lifetime.population import simulate
from evoplastic.lifetime.problem import LifetimeProblem
from evoplastic.lifetime.streams.scoring import Weights, courses_of, weights_of
from evoplastic.search.asking import FloatArray
from evoplastic.search.protocol import Proposal, slices
from evoplastic.types import Int64Array

Float64Array = NDArray[np.float64]


class PopulationShard(NamedTuple):
    """Consecutive individuals of one generation, each with its task."""

    proposal: Proposal
    task_P: Int64Array  # index into the training tasks

    @property
    def generation(self) -> int:
        """That of all individuals."""
        return self.proposal.generation

    @property
    def lifetimes(self) -> int:
        """How many individuals."""
        return self.proposal.number

    @property
    def address(self) -> tuple[str | int, ...]:
        """What tells this shard from any other of the run."""
        return "population", self.generation, self.proposal.first, self.lifetimes

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.proposal})"


class PopulationResult(NamedTuple):
    """One lifetime of each individual of a shard."""

    loss_P: Float64Array
    accuracy_P: Float64Array  # over the scored trials; NaN for a task without answers
    reward_P: Float64Array  # mean of a scored trial
    beside_PX: FloatArray  # what the proposal asked for beside losses; X = 0 if nothing


class ReplicateShard(NamedTuple):
    """Lifetimes of one unmutated genome on one task."""

    generation: int
    task: int  # index into training tasks, then held-out tasks
    first_lifetime: int
    num_lifetimes: int
    plastic: bool  # False: alpha = 0, the plasticity-off control

    @property
    def lifetimes(self) -> int:
        """How many."""
        return self.num_lifetimes

    @property
    def address(self) -> tuple[str | int, ...]:
        """What tells this shard from any other of the run."""
        return "replicates", *self


class ReplicateShards(NamedTuple):
    """Shards of one genome, generation and plasticity that are simulated at once."""

    shards: tuple[ReplicateShard, ...]

    @property
    def generation(self) -> int:
        """That of all of them."""
        return self.shards[0].generation

    @property
    def plastic(self) -> bool:
        """Whether all of them are."""
        return self.shards[0].plastic

    @property
    def lifetimes(self) -> int:
        """How many, all together."""
        return sum(shard.lifetimes for shard in self.shards)

    @property
    def address(self) -> tuple[str | int, ...]:
        """What tells these shards from any others of the run."""
        return tuple(word for shard in self.shards for word in shard.address)


class ReplicateResult(NamedTuple):
    """L lifetimes of the same genome, shard after shard."""

    accuracy_L: Float64Array  # over the scored trials; NaN for a task without answers
    loss_L: Float64Array
    reward_L: Float64Array  # mean of a scored trial
    correct_LK: NDArray[np.bool_]
    reward_LK: NDArray[np.float32]


def population_shards(
    proposal: Proposal, task_P: Int64Array, individuals: int
) -> list[PopulationShard]:
    """Cut a generation into shards of fixed size, whoever will simulate them.

    Args:
        proposal: all individuals.
        task_P: the training task of each.
        individuals: most individuals of a shard, see `slices`.
    """
    before = proposal.first
    return [
        PopulationShard(part, task_P[part.first - before : part.first - before + part.number])
        for part in slices(proposal, individuals)
    ]


def simulate_population(
    problem: LifetimeProblem, center_G: Tensor, shard: PopulationShard
) -> PopulationResult:
    """Run one lifetime of each individual; those of a stream share trials and perturbations."""
    flat_PG = shard.proposal.genomes(
        center_G, problem.layout, threads=problem.threads, engine=problem.chosen_engine
    )
    added_P: Float64Array | float = 0.0
    if problem.imitation is None:
        result, beside_PX = simulate_asked(
            problem, flat_PG, shard.task_P, shard.proposal, epoch=shard.generation
        )
    else:
        result, added_P = simulate_imitating(
            problem,
            flat_PG,
            shard.task_P,
            shard.proposal.stream_P,
            problem.imitation,
            epoch=shard.generation,
        )
        beside_PX = np.empty((len(shard.task_P), 0))
    weights = weights_of(courses_of(problem.tasks), shard.task_P, problem.lifetime)
    loss_PK, score_PK = weights or (None, None)
    return PopulationResult(
        loss_P=lifetime_loss(result, problem.lifetime, loss_PK) + added_P,
        accuracy_P=_accuracy(problem, result, shard.task_P, weights),
        reward_P=reward(result, problem.lifetime.scored_trials, score_PK),
        beside_PX=beside_PX,
    )


def simulate_replicates(
    problem: LifetimeProblem,
    center_G: Tensor,
    *shards: ReplicateShard,
    run: RunLifetimes = run_lifetimes,
) -> ReplicateResult:
    """Run replicates of one genome; lifetime l meets the same trials whatever the task.

    Args:
        problem: tasks, network and lifetime.
        center_G: the genome.
        shards: which lifetimes.
        run: the engines, or what looks into them.
    """
    result, task_P = run_replicates(problem, center_G, shards, run)
    weights = weights_of(courses_of(problem.tasks), task_P, problem.lifetime)
    loss_PK, score_PK = weights or (None, None)
    return ReplicateResult(
        accuracy_L=_accuracy(problem, result, task_P, weights),
        loss_L=lifetime_loss(result, problem.lifetime, loss_PK),
        reward_L=reward(result, problem.lifetime.scored_trials, score_PK),
        correct_LK=result.correct_PK.numpy(),
        reward_LK=result.reward_PK.numpy(),
    )


def run_replicates(
    problem: LifetimeProblem,
    center_G: Tensor,
    shards: Sequence[ReplicateShard],
    run: RunLifetimes = run_lifetimes,
) -> tuple[LifetimeResult, Int64Array]:
    """The lifetimes of some shards, and the task of each.

    All are views of the one genome: it is not copied for each of them.
    """
    generation, plastic = shards[0].generation, shards[0].plastic
    assert all((shard.generation, shard.plastic) == (generation, plastic) for shard in shards)
    lifetimes = np.concatenate(
        [
            np.arange(shard.first_lifetime, shard.first_lifetime + shard.num_lifetimes)
            for shard in shards
        ]
    )
    task_P = np.repeat([shard.task for shard in shards], [shard.num_lifetimes for shard in shards])
    one = problem.params(center_G[None], without=() if plastic else ("alpha",))
    params = one.each(lambda tensor: tensor.expand(len(task_P), *tensor.shape[1:]))
    result = simulate(
        problem, params, task_P, lifetimes, epoch=generation, evaluation=True, run=run
    )
    return result, task_P


def _accuracy(
    problem: LifetimeProblem, result: LifetimeResult, task_P: Int64Array, weights: Weights | None
) -> Float64Array:
    share_P = accuracy(result, problem.lifetime.scored_trials, weights and weights.score_PK)
    return np.where(problem.has_answers[task_P], share_P, np.nan)
