"""A population's lifetimes cut into shards: what a worker computes, pure and idempotent.

A shard says which pairs, or which lifetimes of the bare center; the worker draws the mutations,
the tasks, the trials and the perturbations itself, from their counters. Doing a shard twice, or
elsewhere, or later, gives the same bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from evoplastic.checks import require
from evoplastic.engines import choose_engine
from evoplastic.genome.genome import GenomeLayout
from evoplastic.lifetime.batch import LifetimeResult, PlasticParams
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.lifetime.fitness import accuracy, lifetime_loss, reward
from evoplastic.lifetime.population import live, stack
from evoplastic.network.neurons import NeuronGroups, require_fit, require_lines
from evoplastic.random.counters import Purpose, bounded, philox, purpose_word, seed_key
from evoplastic.search.config import EvolutionConfig
from evoplastic.search.mutation import perturbed_pairs
from evoplastic.trials.stacked import StackedTables
from evoplastic.trials.wiring import WiringConfig
from evoplastic.trials.world import Task

Float64Array = NDArray[np.float64]
Int64Array = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class LifetimeProblem:
    """Everything a worker must know besides the center; constant for a run."""

    groups: NeuronGroups
    lifetime: LifetimeConfig
    evolution: EvolutionConfig
    train: tuple[Task, ...]
    half_of_train: tuple[int, ...]  # 0 or 1, for `alternate_halves`
    held_out: tuple[Task, ...]
    seed: int
    wiring: WiringConfig | None = None  # of self-paced tasks
    engine: str = "auto"
    threads: int = 0

    def __post_init__(self) -> None:
        for task in self.tasks:
            fits = require_lines if task.timing is None else require_fit
            fits(self.groups, task.interface, task.task)
        require(
            self.wiring is None or self.wiring.interface == self.groups.interface,
            f"tasks are wired to {self.wiring and self.wiring.interface}, the network has "
            f"{self.groups.interface}; use a network of the suite's interface",
        )
        require(
            len(self.half_of_train) == len(self.train),
            f"{len(self.train)} training tasks but {len(self.half_of_train)} halves",
        )
        if self.evolution.alternate_halves:
            for half in (0, 1):
                require(
                    half in self.half_of_train,
                    f"alternate_halves needs training tasks in both halves, half {half} is empty; "
                    "set evolution.alternate_halves to false",
                )

    @property
    def chosen_engine(self) -> str:
        """The engine that lives this problem here, and draws and sums its mutations."""
        return choose_engine(self.engine, free=self.wiring is not None)

    @property
    def layout(self) -> GenomeLayout:
        """How a flat genome maps to this network's tensors."""
        return GenomeLayout(self.groups)

    @property
    def tasks(self) -> tuple[Task, ...]:
        """Training tasks, then held-out tasks."""
        return self.train + self.held_out

    @cached_property
    def stacked(self) -> tuple[StackedTables | None, Int64Array]:
        """The tables among the tasks laid end to end, and the place of each task among them."""
        return stack(self.tasks)

    @property
    def has_answers(self) -> NDArray[np.bool_]:
        """For each task, whether its trials can be right or wrong."""
        return np.array([task.has_answers for task in self.tasks])

    def __getstate__(self) -> dict[str, object]:
        """What travels to workers: they lay the tables end to end themselves."""
        return {name: value for name, value in vars(self).items() if name != "stacked"}


class PairShard(NamedTuple):
    """Consecutive antithetic pairs of one generation."""

    generation: int
    first_pair: int
    num_pairs: int


class PairShardResult(NamedTuple):
    """Individual 2i is the + and 2i+1 the - of the shard's pair i."""

    loss_P: Float64Array
    accuracy_P: Float64Array  # over the scored trials; NaN for a task without answers
    reward_P: Float64Array  # mean of a scored trial
    task_P: Int64Array  # index into the training tasks


class ReplicateShard(NamedTuple):
    """Lifetimes of one unmutated genome on one task."""

    generation: int
    task: int  # index into training tasks, then held-out tasks
    first_lifetime: int
    num_lifetimes: int
    plastic: bool  # False: alpha = 0, the plasticity-off control


class ReplicateShards(NamedTuple):
    """Shards of one genome, generation and plasticity that are lived at once."""

    shards: tuple[ReplicateShard, ...]

    @property
    def generation(self) -> int:
        """That of all of them."""
        return self.shards[0].generation

    @property
    def plastic(self) -> bool:
        """Whether all of them are."""
        return self.shards[0].plastic


class ReplicateResult(NamedTuple):
    """L lifetimes of the same genome, shard after shard."""

    accuracy_L: Float64Array  # over the scored trials; NaN for a task without answers
    loss_L: Float64Array
    reward_L: Float64Array  # mean of a scored trial
    correct_LK: NDArray[np.bool_]
    reward_LK: NDArray[np.float32]


def pair_shards(generation: int, num_pairs: int, pairs_per_shard: int) -> list[PairShard]:
    """Cut a generation into shards of fixed size, whoever will live them."""
    return [
        PairShard(generation, first, min(pairs_per_shard, num_pairs - first))
        for first in range(0, num_pairs, pairs_per_shard)
    ]


def tasks_of_pairs(problem: LifetimeProblem, generation: int, pairs: Int64Array) -> Int64Array:
    """The training task of each pair, uniform over the eligible ones.

    With `alternate_halves`, half (generation // 2) % 2 is eligible (Miconi 2023, code).
    """
    eligible = np.arange(len(problem.train))
    if problem.evolution.alternate_halves:
        eligible = eligible[np.array(problem.half_of_train) == (generation // 2) % 2]
    word, *_ = philox((0, 0, pairs, purpose_word(Purpose.TASK, generation)), seed_key(problem.seed))
    chosen: Int64Array = eligible[bounded(word, len(eligible))]
    return chosen


def simulate_pairs(problem: LifetimeProblem, center_G: Tensor, shard: PairShard) -> PairShardResult:
    """Live the mutants of a shard, partners sharing task, trials and perturbations."""
    pairs = np.arange(shard.first_pair, shard.first_pair + shard.num_pairs, dtype=np.int64)
    task_P = np.repeat(tasks_of_pairs(problem, shard.generation, pairs), 2)
    flat_PG = perturbed_pairs(
        center_G,
        problem.layout,
        problem.evolution,
        problem.seed,
        shard.generation,
        shard.first_pair,
        shard.num_pairs,
        threads=problem.threads,
        engine=problem.chosen_engine,
    )
    result = live(
        problem,
        problem.layout.split(flat_PG),
        task_P,
        np.repeat(pairs, 2),
        epoch=shard.generation,
        evaluation=False,
    )
    return PairShardResult(
        loss_P=lifetime_loss(result, problem.lifetime),
        accuracy_P=_accuracy(problem, result, task_P),
        reward_P=reward(result, problem.lifetime.scored_trials),
        task_P=task_P,
    )


def simulate_replicates(
    problem: LifetimeProblem, center_G: Tensor, *shards: ReplicateShard
) -> ReplicateResult:
    """Live replicates of one genome; lifetime l meets the same trials whatever the task.

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
    one = problem.layout.split(center_G[None])
    if not plastic:
        one = PlasticParams(one.w_PNN, torch.zeros_like(one.alpha_PNN))
    params = PlasticParams._make(matrix.expand(len(task_P), -1, -1) for matrix in one)
    result = live(problem, params, task_P, lifetimes, epoch=generation, evaluation=True)
    return ReplicateResult(
        accuracy_L=_accuracy(problem, result, task_P),
        loss_L=lifetime_loss(result, problem.lifetime),
        reward_L=reward(result, problem.lifetime.scored_trials),
        correct_LK=result.correct_PK.numpy(),
        reward_LK=result.reward_PK.numpy(),
    )


def _accuracy(problem: LifetimeProblem, result: LifetimeResult, task_P: Int64Array) -> Float64Array:
    share_P = accuracy(result, problem.lifetime.scored_trials)
    return np.where(problem.has_answers[task_P], share_P, np.nan)
