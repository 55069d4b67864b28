"""Shards of antithetic pairs, each pair on the training task of its number."""

from __future__ import annotations

from evoplastic.lifetime.problem import LifetimeProblem
from evoplastic.lifetime.shards import PopulationShard, population_shards
from evoplastic.search.config import ESConfig
from evoplastic.search.proposals import AntitheticProposal


def pair_shards(
    problem: LifetimeProblem,
    config: ESConfig,
    generation: int,
    num_pairs: int,
    pairs_per_shard: int,
    first_pair: int = 0,
) -> list[PopulationShard]:
    """Consecutive pairs of a generation, cut into shards."""
    proposal = AntitheticProposal(config, problem.seed, generation, 2 * first_pair, 2 * num_pairs)
    return population_shards(proposal, proposal.group_P % len(problem.train), 2 * pairs_per_shard)


def pair_shard(
    problem: LifetimeProblem, config: ESConfig, generation: int, first_pair: int, num_pairs: int
) -> PopulationShard:
    """Consecutive pairs of a generation as one shard."""
    (shard,) = pair_shards(problem, config, generation, num_pairs, num_pairs, first_pair)
    return shard
