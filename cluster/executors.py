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

MOST_GENOME_BYTES = 4 << 30  # mutants that may stand in memory at a time


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


def together(shards: Sequence[Shard], most_pairs: int) -> list[tuple[Shard, list[Shard]]]:
    """Shards whose pairs follow on one another as one, with the shards that it stands for.

    Args:
        shards: any shards; their order is kept.
        most_pairs: most pairs that become one; a shard with more stands for itself.
    """
    runs: list[tuple[Shard, list[Shard]]] = []
    for shard in shards:
        whole, parts = runs[-1] if runs else (shard, [])
        if (
            parts
            and isinstance(whole, PairShard)
            and isinstance(shard, PairShard)
            and shard.generation == whole.generation
            and shard.first_pair == whole.first_pair + whole.num_pairs
            and whole.num_pairs + shard.num_pairs <= most_pairs
        ):
            runs[-1] = (whole._replace(num_pairs=whole.num_pairs + shard.num_pairs), parts)
            parts.append(shard)
        else:
            runs.append((shard, [shard]))
    return runs


def _apart(result: Result, parts: list[Shard]) -> list[Result]:
    """The results of the shards that one shard stood for."""
    if len(parts) == 1:
        return [result]
    stops = np.cumsum([lifetimes_of(shard) for shard in parts])
    return [
        PairShardResult._make(array_P[stop - lifetimes_of(shard) : stop] for array_P in result)
        for shard, stop in zip(parts, stops, strict=True)
    ]


class InProcessExecutor:
    """Lives the shards in the calling process, on the engine's own threads.

    Only a whole generation fills a GPU: there, shards whose pairs follow on one another are lived
    as one batch and its result is cut. No engine lets the life of an individual depend on its
    neighbours, so the results are those of one shard after another.
    """

    workers = 0
    retried_shards = 0

    def __init__(self, live: Live = live_shard, *, whole: bool | None = None) -> None:
        """Take how a shard is lived, and whether as part of a batch: by default on a GPU only."""
        self._live = live
        self._whole = whole

    def map(
        self,
        problem: LifetimeProblem,
        center_G: Tensor,
        shards: Sequence[Shard],
        should_stop: ShouldStop,
    ) -> list[Result]:
        """Results in the order of the shards; see `Executor.map`."""
        whole = problem.chosen_engine == "gpu" if self._whole is None else self._whole
        most_pairs = MOST_GENOME_BYTES // (8 * problem.layout.size) if whole else 0
        results: list[Result] = []
        for shard, parts in together(shards, most_pairs):
            if should_stop():
                raise StopRequested
            results += _apart(self._live(problem, center_G, shard), parts)
        return results

    def close(self) -> None:
        """Nothing is held."""
