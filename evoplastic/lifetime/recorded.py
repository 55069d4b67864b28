"""Lifetimes of one genome on one task, looked into: the same as an evaluation's, and recorded."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from evoplastic.engines.recorded import record_lifetimes
from evoplastic.engines.standing_in import Lifetimes, standing_in
from evoplastic.lifetime.batch import LifetimeResult
from evoplastic.lifetime.problem import LifetimeProblem
from evoplastic.lifetime.recording import Recorded, Recording
from evoplastic.lifetime.shards import ReplicateShard, run_replicates


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

    def live(lifetimes: Lifetimes, engine: str, threads: int) -> LifetimeResult:
        result, recorded, ran = record_lifetimes(
            *lifetimes, recording, engine=engine, threads=threads
        )
        kept.append((recorded, ran))
        return result

    result, _ = run_replicates(problem, center_G, [shard], standing_in(live))
    ((recorded, engine),) = kept  # one task: one part
    return RecordedLives(result, recorded, engine)
