"""Individuals around several centers as one proposal, each part with a task of its own.

What simulates it is given a center for each row [C, G] in place of a single one. A part is a slice
of the proposal of some search, or the bare center, several times over.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from evoplastic.genome.layout import Layout
from evoplastic.search.mutation import ON_CPU
from evoplastic.search.protocol import Int64Array, Proposal


@dataclass(frozen=True)
class Bare:
    """Lifetimes of a center as it is; lifetime l of any center meets the same trials and noise."""

    generation: int
    first: int
    number: int
    stream: int  # of the first lifetime

    @property
    def whole(self) -> int:
        """A lifetime."""
        return 1

    @property
    def group_P(self) -> Int64Array:
        """All alike."""
        return np.zeros(self.number, dtype=np.int64)

    @property
    def stream_P(self) -> Int64Array:
        """Each lifetime has a stream of its own."""
        return np.arange(self.first, self.first + self.number, dtype=np.int64) + self.stream

    def cut(self, first: int, number: int) -> Bare:
        """Some of the lifetimes."""
        return replace(self, first=first, number=number)

    def joined(self, other: Proposal) -> Bare | None:
        """These lifetimes and those that follow on them."""
        follows = isinstance(other, Bare) and (
            replace(other, number=0) == replace(self, first=self.first + self.number, number=0)
        )
        return replace(self, number=self.number + other.number) if follows else None

    def genomes(
        self, center_G: Tensor, layout: Layout, *, threads: int = 0, engine: str = ON_CPU
    ) -> Tensor:
        """The center [P, G], over and over."""
        return center_G[None].expand(self.number, -1)


class Part(NamedTuple):
    """Individuals around one center that meet one task."""

    proposal: Proposal
    row: int  # of their center
    task: int  # index into the tasks of the problem


@dataclass(frozen=True, eq=False)
class Together:
    """Parts laid end to end; group P is the index of an individual's task."""

    generation: int
    parts: tuple[Part, ...]
    first: int = 0

    def __repr__(self) -> str:
        return f"{type(self).__name__}(generation={self.generation}, first={self.first}, " + (
            f"number={self.number})"
        )

    @property
    def number(self) -> int:
        """How many individuals."""
        return sum(part.proposal.number for part in self.parts)

    @property
    def whole(self) -> int:
        """What is not cut apart in any part."""
        return max(part.proposal.whole for part in self.parts)

    @property
    def group_P(self) -> Int64Array:
        """The task of each individual."""
        numbers = [part.proposal.number for part in self.parts]
        return np.repeat(np.array([part.task for part in self.parts], dtype=np.int64), numbers)

    @property
    def stream_P(self) -> Int64Array:
        """As the parts have them: those of one stream share trials, whatever their center."""
        return np.concatenate([part.proposal.stream_P for part in self.parts])

    def cut(self, first: int, number: int) -> Together:
        """A slice, with the parts that lie in it."""
        start, stop = first - self.first, first - self.first + number
        kept = []
        for (proposal, row, task), (begin, end) in zip(self.parts, self.spans(), strict=True):
            inner, until = max(start, begin), min(stop, end)
            if inner < until:
                own = proposal.cut(proposal.first + inner - begin, until - inner)
                kept.append(Part(own, row, task))
        return replace(self, parts=tuple(kept), first=first)

    def joined(self, other: Proposal) -> Together | None:
        """This slice and the one that follows on it as one."""
        follows = isinstance(other, Together) and (
            (other.generation, other.first) == (self.generation, self.first + self.number)
        )
        if not follows or not isinstance(other, Together):
            return None
        *before, last = self.parts
        next_, *after = other.parts
        same = last[1:] == next_[1:]
        one = last.proposal.joined(next_.proposal) if same else None
        between = (last, next_) if one is None else (Part(one, last.row, last.task),)
        return replace(self, parts=(*before, *between, *after))

    def genomes(
        self, center_G: Tensor, layout: Layout, *, threads: int = 0, engine: str = ON_CPU
    ) -> Tensor:
        """Flat genomes [P, G] of all parts; `center_G` is a center for each row, [C, G]."""
        found = [
            part.proposal.genomes(center_G[part.row], layout, threads=threads, engine=engine)
            for part in self.parts
        ]
        return found[0] if len(found) == 1 else torch.cat(found)

    def spans(self) -> Iterator[tuple[int, int]]:
        """Where each part begins and ends, counted from the first individual."""
        begin = 0
        for part in self.parts:
            yield begin, begin + part.proposal.number
            begin += part.proposal.number


def together(generation: int, parts: Sequence[Part], turn: int = 0) -> Together:
    """Parts as one proposal.

    Args:
        generation: of all of them.
        parts: at least one.
        turn: tells apart what is simulated one after the other in a generation.
    """
    return Together(generation, tuple(parts), turn << 32)
