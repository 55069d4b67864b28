"""A population's lifetimes cut into shards: what a worker computes, pure and idempotent.

A shard says which pairs, or which lifetimes of the bare center; the worker draws the mutations,
the tasks, the trials and the perturbations itself, from their counters. Doing a shard twice, or
elsewhere, or later, gives the same bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from evoplastic.checks import require
from evoplastic.evolution.config import EvolutionConfig
from evoplastic.evolution.mutation import perturbed_pairs
from evoplastic.fitness import accuracy, lifetime_loss
from evoplastic.genome import GenomeLayout
from evoplastic.kernels.lifetime import run_lifetimes
from evoplastic.lifetime import LifetimeConfig
from evoplastic.network.neurons import NeuronGroups, require_fit
from evoplastic.noise import Purpose, bounded, philox, purpose_word, seed_key
from evoplastic.types import (
    LifetimeBatch,
    LifetimeResult,
    PlasticParams,
    StackedBanks,
    TrialBank,
    stack_banks,
)

Float64Array = NDArray[np.float64]
Int64Array = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class LifetimeProblem:
    """Everything a worker must know besides the center; constant for a run."""

    groups: NeuronGroups
    lifetime: LifetimeConfig
    evolution: EvolutionConfig
    train: tuple[TrialBank, ...]
    half_of_train: tuple[int, ...]  # 0 or 1, for `alternate_halves`
    held_out: tuple[TrialBank, ...]
    seed: int
    engine: str = "auto"
    threads: int = 0

    def __post_init__(self) -> None:
        for bank in self.train + self.held_out:
            require_fit(self.groups, bank.interface, bank.task)
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
    def layout(self) -> GenomeLayout:
        """How a flat genome maps to this network's tensors."""
        return GenomeLayout(self.groups)

    @property
    def banks(self) -> StackedBanks:
        """Training banks, then held-out banks."""
        return stack_banks([*self.train, *self.held_out])


class PairShard(NamedTuple):
    """Consecutive antithetic pairs of one generation."""

    generation: int
    first_pair: int
    num_pairs: int


class PairShardResult(NamedTuple):
    """Individual 2i is the + and 2i+1 the - of the shard's pair i."""

    loss_P: Float64Array
    accuracy_P: Float64Array  # over the scored trials
    task_P: Int64Array  # index into the training tasks


class ReplicateShard(NamedTuple):
    """Lifetimes of one unmutated genome on one task."""

    generation: int
    task: int  # index into training tasks, then held-out tasks
    first_lifetime: int
    num_lifetimes: int
    plastic: bool  # False: alpha = 0, the plasticity-off control


class ReplicateResult(NamedTuple):
    """L lifetimes of the same genome."""

    accuracy_L: Float64Array  # over the scored trials
    loss_L: Float64Array
    correct_LK: NDArray[np.bool_]


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


def live_pairs(problem: LifetimeProblem, center_G: Tensor, shard: PairShard) -> PairShardResult:
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
    )
    batch = LifetimeBatch(
        banks=problem.banks,
        task_P=task_P,
        seed=problem.seed,
        epoch=shard.generation,
        trial_stream_P=np.repeat(pairs, 2),
        perturb_stream_P=_perturb_streams(problem, np.repeat(pairs, 2)),
    )
    result = _run(problem, problem.layout.split(flat_PG), batch)
    return PairShardResult(
        loss_P=lifetime_loss(result, problem.lifetime),
        accuracy_P=accuracy(result, problem.lifetime.scored_trials),
        task_P=task_P,
    )


def live_replicates(
    problem: LifetimeProblem, center_G: Tensor, shard: ReplicateShard
) -> ReplicateResult:
    """Live replicates of one genome; lifetime l meets the same trials whatever the task."""
    lifetimes = np.arange(
        shard.first_lifetime, shard.first_lifetime + shard.num_lifetimes, dtype=np.int64
    )
    shape = (shard.num_lifetimes, len(center_G))
    params = problem.layout.split(center_G.expand(shape).contiguous())
    if not shard.plastic:
        params = PlasticParams(params.w_PNN, params.alpha_PNN.new_zeros(params.alpha_PNN.shape))
    batch = LifetimeBatch(
        banks=problem.banks,
        task_P=np.full(shard.num_lifetimes, shard.task, dtype=np.int64),
        seed=problem.seed,
        epoch=shard.generation,
        trial_stream_P=lifetimes,
        perturb_stream_P=lifetimes,
        evaluation=True,
    )
    result = _run(problem, params, batch)
    return ReplicateResult(
        accuracy_L=accuracy(result, problem.lifetime.scored_trials),
        loss_L=lifetime_loss(result, problem.lifetime),
        correct_LK=result.correct_PK.numpy(),
    )


def _perturb_streams(problem: LifetimeProblem, stream_P: Int64Array) -> Int64Array:
    shared = problem.lifetime.perturbation.noise == "shared"
    return np.zeros_like(stream_P) if shared else stream_P


def _run(problem: LifetimeProblem, params: PlasticParams, batch: LifetimeBatch) -> LifetimeResult:
    return run_lifetimes(
        params,
        problem.groups,
        batch,
        problem.lifetime,
        engine=problem.engine,
        threads=problem.threads,
    )
