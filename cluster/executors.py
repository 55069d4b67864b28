"""Who lives the shards of a generation: the same work in the same order, wherever it runs.

An executor takes shards and gives back their results in the shards' order. A shard is pure, so an
executor may run one twice or elsewhere without changing a bit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from torch import Tensor

from evoplastic.evolution.problem import (
    LifetimeProblem,
    PairShard,
    PairShardResult,
    ReplicateResult,
    ReplicateShard,
    live_pairs,
    live_replicates,
)

Shard = PairShard | ReplicateShard
Result = PairShardResult | ReplicateResult
Live = Callable[[LifetimeProblem, Tensor, Shard], Result]
ShouldStop = Callable[[], bool]


class StopRequested(Exception):
    """Somebody asked the run to stop; the generation in flight is abandoned."""


class ShardError(RuntimeError):
    """A shard cannot be lived, whoever tries."""


class Reply(NamedTuple):
    """A result together with what it answers, so that a stray one is recognised."""

    shard: Shard
    center_digest: str
    result: Result


class Executor(Protocol):
    """What the loop needs from whoever does the work."""

    @property
    def workers(self) -> int:
        """Worker processes; 0 means the work is done in the driver."""
        ...

    @property
    def retried_shards(self) -> int:
        """Shards handed out again since the start, because a worker died, froze or erred."""
        ...

    def map(
        self,
        problem: LifetimeProblem,
        center_G: Tensor,
        shards: Sequence[Shard],
        should_stop: ShouldStop,
    ) -> list[Result]:
        """Results in the order of the shards.

        Raises:
            StopRequested: `should_stop` said so before all shards were done.
            ShardError: a shard fails again and again.
        """
        ...

    def close(self) -> None:
        """Give back what the executor holds."""
        ...


def live_shard(problem: LifetimeProblem, center_G: Tensor, shard: Shard) -> Result:
    """Do one unit of work."""
    if isinstance(shard, PairShard):
        return live_pairs(problem, center_G, shard)
    return live_replicates(problem, center_G, shard)


def lifetimes_of(shard: Shard) -> int:
    """Lifetimes that a shard holds."""
    return 2 * shard.num_pairs if isinstance(shard, PairShard) else shard.num_lifetimes


def fault_in(result: object, problem: LifetimeProblem, shard: Shard) -> str | None:
    """What is wrong with a result that came back for a shard, or None."""
    expected: dict[str, tuple[int, ...]]
    if isinstance(shard, PairShard):
        kind: type = PairShardResult
        expected = dict.fromkeys(PairShardResult._fields, (2 * shard.num_pairs,))
    else:
        kind = ReplicateResult
        lifetimes, trials = shard.num_lifetimes, problem.lifetime.num_trials
        expected = dict.fromkeys(ReplicateResult._fields, (lifetimes,))
        expected["correct_LK"] = expected["reward_LK"] = (lifetimes, trials)
    if not isinstance(result, kind):
        return f"it is a {type(result).__name__}, expected {kind.__name__}"
    for name, shape in expected.items():
        came = np.shape(getattr(result, name))
        if came != shape:
            return f"{name} has shape {came}, expected {shape}"
    return None


class InProcessExecutor:
    """Lives the shards one after another in the calling process, on the engine's own threads."""

    workers = 0
    retried_shards = 0

    def __init__(self, live: Live = live_shard) -> None:
        self._live = live

    def map(
        self,
        problem: LifetimeProblem,
        center_G: Tensor,
        shards: Sequence[Shard],
        should_stop: ShouldStop,
    ) -> list[Result]:
        """Results in the order of the shards; see `Executor.map`."""
        results = []
        for shard in shards:
            if should_stop():
                raise StopRequested
            results.append(self._live(problem, center_G, shard))
        return results

    def close(self) -> None:
        """Nothing is held."""
