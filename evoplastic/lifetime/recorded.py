"""Lifetimes of one genome on one task, looked into: the same as an evaluation's, and recorded."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from evoplastic.engines.recorded import record_lifetimes
from evoplastic.lifetime.batch import LifetimeBatch, LifetimeResult, PlasticParams
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.lifetime.problem import LifetimeProblem
from evoplastic.lifetime.recording import Recorded, Recording
from evoplastic.lifetime.shards import ReplicateShard, run_replicates
from evoplastic.network.neurons import NeuronGroups


class RecordedLives(NamedTuple):
    """L lifetimes, and what was recorded of them."""

    result: LifetimeResult
    recorded: Recorded
    engine: str  # that ran


def record_replicates(
    problem: LifetimeProblem, center_G: Tensor, shard: ReplicateShard, recording: Recording
) -> RecordedLives:
    """Run the lifetimes of a shard, trial by trial where something is recorded."""
    kept: list[tuple[Recorded, str]] = []

    def run(
        params: PlasticParams,
        groups: NeuronGroups,
        batch: LifetimeBatch,
        config: LifetimeConfig,
        *,
        engine: str = "auto",
        threads: int = 0,
    ) -> LifetimeResult:
        result, recorded, ran = record_lifetimes(
            params, groups, batch, config, recording, engine=engine, threads=threads
        )
        kept.append((recorded, ran))
        return result

    result, _ = run_replicates(problem, center_G, [shard], run)
    ((recorded, engine),) = kept  # one task: one part
    return RecordedLives(result, recorded, engine)
