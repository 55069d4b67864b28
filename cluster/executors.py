"""Who simulates the shards of a generation: the same work in the same order, wherever it runs.

An executor takes shards and gives back their results in the shards' order. A shard is pure, so an
executor may run one twice or elsewhere without changing a bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, Protocol, TypeVar

import numpy as np
from torch import Tensor

from cluster.pieces import Line, Result, Shard, replicates
from evoplastic.lifetime.problem import LifetimeProblem
from evoplastic.lifetime.shards import (
    PopulationResult,
    PopulationShard,
    ReplicateResult,
    simulate_population,
    simulate_replicates,
)
from evoplastic.search.asking import asked_of, width
from evoplastic.trials.faults import Faults

Simulate = Callable[[LifetimeProblem, Tensor, Shard], Result]
ShouldStop = Callable[[], bool]
T = TypeVar("T")

MOST_GENOME_BYTES = 4 << 30  # genomes that may stand in memory at a time


class StopRequested(Exception):
    """Somebody asked the run to stop; the generation in flight is abandoned."""


class ShardError(RuntimeError):
    """A shard cannot be simulated, whoever tries."""


class Reply(NamedTuple):
    """A result together with what it answers, so that a stray one is recognised."""

    address: tuple[str | int, ...]  # of the shard
    center_digest: str
    result: Result
    faults: Mapping[str, Faults] = MappingProxyType({})  # trials that raised on the way, by task


class Executor(Protocol):
    """What the loop needs from whoever does the work."""

    @property
    def workers(self) -> int:
        """Worker processes; 0 means the work is done in the driver."""
        ...

    def settle(self, problem: LifetimeProblem, should_stop: ShouldStop) -> str:
        """The engine that simulates a problem, never "auto": settled where the work is done.

        Raises:
            StopRequested: `should_stop` said so before anybody was there to ask.
            UsageError: the problem's engine cannot run there.
            Preempted: nobody is there to ask, for too long.
        """
        ...

    def remarks(self) -> list[tuple[str, str]]:
        """What is to be written down since the last call: a kind of fault, and a message."""
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


def run_shard(problem: LifetimeProblem, center_G: Tensor, shard: Shard) -> Result:
    """Do one unit of work."""
    if isinstance(shard, PopulationShard):
        return simulate_population(problem, center_G, shard)
    return simulate_replicates(problem, center_G, *replicates(shard))


def fault_in(result: object, problem: LifetimeProblem, shard: Shard) -> str | None:
    """What is wrong with a result that came back for a shard, or None."""
    lifetimes, trials = shard.lifetimes, problem.lifetime.num_trials
    kind: type[Result] = PopulationResult
    if not isinstance(shard, PopulationShard):
        kind = ReplicateResult
    expected: dict[str, tuple[int, ...]] = dict.fromkeys(kind._fields, (lifetimes,))
    if isinstance(shard, PopulationShard):
        beside = width(asked_of(shard.proposal), problem.layout.size)
        expected["beside_PX"] = (lifetimes, beside)
    else:
        expected["correct_LK"] = expected["reward_LK"] = (lifetimes, trials)
    if not isinstance(result, kind):
        return f"it is a {type(result).__name__}, expected {kind.__name__}"
    for name, shape in expected.items():
        came = np.shape(getattr(result, name))
        if came != shape:
            return f"{name} has shape {came}, expected {shape}"
    return None


def genome_room_bytes(engine: str) -> int:
    """Bytes that genomes may take at a time here: on a GPU, half of its memory is for lifetimes."""
    if engine != "gpu":
        return MOST_GENOME_BYTES
    from evoplastic.engines.gpu.engine import free_bytes, gpu_device

    return min(MOST_GENOME_BYTES, free_bytes(gpu_device()) // 2)


def _unless(should_stop: ShouldStop, things: Sequence[T]) -> Iterator[T]:
    """One thing after the other, until somebody asks to stop."""
    for thing in things:
        if should_stop():
            raise StopRequested
        yield thing


class InProcessExecutor:
    """Simulates the shards in the calling process, on the engine's own threads.

    Only a whole generation, or all replicates of an evaluation, fill a GPU: there, shards that can
    be joined are simulated as one batch and its result is cut. No engine lets the lifetime of an
    individual depend on its neighbours, so the results are those of one shard after another.
    """

    workers = 0
    retried_shards = 0

    def __init__(self, simulate: Simulate = run_shard, *, whole: bool | None = None) -> None:
        """Take how a shard is simulated, and whether in a batch: by default on a GPU only."""
        self._simulate = simulate
        self._whole = whole

    def map(
        self,
        problem: LifetimeProblem,
        center_G: Tensor,
        shards: Sequence[Shard],
        should_stop: ShouldStop,
    ) -> list[Result]:
        """Results in the order of the shards; see `Executor.map`."""
        by_itself = problem.chosen_engine == "gpu" and problem.may_be_cut
        if not (by_itself if self._whole is None else self._whole):
            return [
                self._simulate(problem, center_G, shard) for shard in _unless(should_stop, shards)
            ]
        line = Line(shards)
        most = genome_room_bytes(problem.chosen_engine) // (4 * problem.layout.size)
        return line.apart(
            {
                start: self._simulate(problem, center_G, line.shard(start, stop))
                for start, stop in _unless(should_stop, line.pieces(most))
            }
        )

    def settle(self, problem: LifetimeProblem, should_stop: ShouldStop) -> str:
        """See `Executor.settle`."""
        return problem.chosen_engine

    def remarks(self) -> list[tuple[str, str]]:
        """There is nothing to say."""
        return []

    def close(self) -> None:
        """Nothing is held."""
