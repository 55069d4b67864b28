"""Shards laid end to end: simulated in pieces of any size, their results put back together.

Engines do not let the lifetime of an individual depend on its neighbours, and all that is random is
drawn by what it is for; so a line of lifetimes may be cut anywhere without changing a bit of any,
unless `LifetimeProblem.may_be_cut` says that this cannot be relied on.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

import numpy as np

from evoplastic.lifetime.shards import (
    PopulationResult,
    PopulationShard,
    ReplicateResult,
    ReplicateShard,
    ReplicateShards,
)
from evoplastic.search.protocol import Proposal

Shard = PopulationShard | ReplicateShard | ReplicateShards
Result = PopulationResult | ReplicateResult


class Stretch(NamedTuple):
    """Lifetimes that can be simulated at once, whatever shards they came in."""

    start: int  # place on the line
    stop: int
    whole: int  # lifetimes that are not cut apart, as a pair is not
    most: int  # lifetimes of the largest shard that was given
    population: bool  # individuals, not replicates


class Line:
    """The lifetimes of some shards, in their order; a piece of it is again a shard."""

    def __init__(self, shards: Sequence[Shard]) -> None:
        """Lay shards of any kind end to end."""
        self.shards = shards
        self._stops = list(accumulate(shard.lifetimes for shard in shards))
        breaks = [at + 1 for at, (a, b) in enumerate(pairwise(shards)) if not _follows(a, b)]
        firsts = [0, *breaks] if shards else []
        self.stretches = [
            self._stretch(first, stop) for first, stop in pairwise([*firsts, len(shards)])
        ]

    def shard(self, start: int, stop: int) -> Shard:
        """The lifetimes from one place to another of a stretch, cut between wholes, as one."""
        parts: list[Shard] = []
        for at in range(bisect_right(self._stops, start), len(self.shards)):
            shard = self.shards[at]
            first = self._stops[at] - shard.lifetimes
            if first >= stop:
                break
            inner = max(start - first, 0)
            number = min(stop - first, shard.lifetimes) - inner
            parts.append(shard if number == shard.lifetimes else _cut(shard, inner, number))
        return parts[0] if len(parts) == 1 else _joined(parts)

    def pieces(self, most: int) -> list[tuple[int, int]]:
        """All of the line in pieces of so many lifetimes, rounded down to wholes, at least one."""
        found = []
        for stretch in self.stretches:
            size = max(most // stretch.whole, 1) * stretch.whole
            starts = range(stretch.start, stretch.stop, size)
            found += [(start, min(start + size, stretch.stop)) for start in starts]
        return found

    def end_of_shard(self, start: int) -> int:
        """Where the shard ends that has the lifetime at a place."""
        return self._stops[bisect_right(self._stops, start)]

    def as_given(self, start: int, stop: int) -> list[tuple[int, int]]:
        """A piece cut where the shards were that it was made of."""
        inner = self._stops[bisect_right(self._stops, start) : bisect_right(self._stops, stop - 1)]
        return list(pairwise([start, *inner, stop]))

    def apart(self, results: Mapping[int, Result]) -> list[Result]:
        """The result of each shard.

        Args:
            results: those of pieces that cover the line, by the place where each starts.
        """
        found: list[Result] = []
        starts = sorted(results)
        at = 0
        for stretch in self.stretches:
            end = bisect_right(starts, stretch.stop - 1)
            pieces = [results[start] for start in starts[at:end]]
            at = end
            columns = [np.concatenate(arrays) for arrays in zip(*pieces, strict=True)]
            while len(found) < len(self.shards) and self._stops[len(found)] <= stretch.stop:
                stop = self._stops[len(found)] - stretch.start
                first = stop - self.shards[len(found)].lifetimes
                found.append(type(pieces[0])._make(column[first:stop] for column in columns))
        return found

    def _stretch(self, first: int, stop: int) -> Stretch:
        shards = self.shards[first:stop]
        return Stretch(
            start=self._stops[first] - shards[0].lifetimes,
            stop=self._stops[stop - 1],
            whole=shards[0].proposal.whole if isinstance(shards[0], PopulationShard) else 1,
            most=max(shard.lifetimes for shard in shards),
            population=isinstance(shards[0], PopulationShard),
        )


def _follows(shard: Shard, other: Shard) -> bool:
    """Whether two can be one: individuals that follow on one another, replicates of one genome."""
    if isinstance(shard, PopulationShard) and isinstance(other, PopulationShard):
        return shard.proposal.joined(other.proposal) is not None
    if isinstance(shard, PopulationShard) or isinstance(other, PopulationShard):
        return False
    return (shard.generation, shard.plastic) == (other.generation, other.plastic)


def replicates(shard: ReplicateShard | ReplicateShards) -> tuple[ReplicateShard, ...]:
    """One or several shards of replicates as several."""
    return shard.shards if isinstance(shard, ReplicateShards) else (shard,)


def _cut(shard: Shard, first: int, number: int) -> Shard:
    """Some lifetimes of a shard, counted within it."""
    if isinstance(shard, PopulationShard):
        proposal = shard.proposal.cut(shard.proposal.first + first, number)
        return PopulationShard(proposal, shard.task_P[first : first + number])
    parts = []
    for part in replicates(shard):
        inner, stop = max(first, 0), min(first + number, part.num_lifetimes)
        if inner < stop:
            moved = part.first_lifetime + inner
            parts.append(part._replace(first_lifetime=moved, num_lifetimes=stop - inner))
        first -= part.num_lifetimes
    return parts[0] if len(parts) == 1 else ReplicateShards(tuple(parts))


def _joined(parts: Sequence[Shard]) -> Shard:
    """Shards of one stretch as one."""
    population = [part for part in parts if isinstance(part, PopulationShard)]
    if population:
        proposal = _joined_proposals([part.proposal for part in population])
        return PopulationShard(proposal, np.concatenate([part.task_P for part in population]))
    others = [part for part in parts if not isinstance(part, PopulationShard)]
    return ReplicateShards(tuple(one for part in others for one in replicates(part)))


def _joined_proposals(parts: list[Proposal]) -> Proposal:
    """Slices that follow on one another as one; by halves, since each joining copies arrays."""
    if len(parts) == 1:
        return parts[0]
    half = len(parts) // 2
    joined = _joined_proposals(parts[:half]).joined(_joined_proposals(parts[half:]))
    assert joined is not None
    return joined
