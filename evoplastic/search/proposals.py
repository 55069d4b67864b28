"""The two kinds of proposals: drawn anew from counters where it is simulated, or an array."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Generic, Self, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from evoplastic.checks import require
from evoplastic.genome.layout import Layout
from evoplastic.search.asking import Asked, FloatArray
from evoplastic.search.config import ESConfig
from evoplastic.search.mutation import ON_CPU, perturbed_pairs
from evoplastic.search.protocol import Int64Array, Proposal

Options = TypeVar("Options")


@dataclass(frozen=True)
class PairsProposal(ABC, Generic[Options]):
    """Individuals 2i and 2i+1 are center + m_i and center - m_i; a few numbers, however many."""

    options: Options
    seed: int
    generation: int
    first: int
    number: int

    @property
    def whole(self) -> int:
        """A pair."""
        return 2

    @property
    def group_P(self) -> Int64Array:
        """The number of each individual's pair."""
        individual_P = np.arange(self.first, self.first + self.number, dtype=np.int64)
        return individual_P // 2

    @property
    def stream_P(self) -> Int64Array:
        """Each pair has a stream of its own."""
        return self.group_P

    def cut(self, first: int, number: int) -> Self:
        """A slice of whole pairs."""
        assert first % 2 == 0 == number % 2, "a pair is not cut"
        return replace(self, first=first, number=number)

    def joined(self, other: Proposal) -> Self | None:
        """This slice and the one that follows on it as one."""
        follows = isinstance(other, type(self)) and (
            replace(other, number=0) == replace(self, first=self.first + self.number, number=0)
        )
        return replace(self, number=self.number + other.number) if follows else None

    @abstractmethod
    def genomes(
        self, center_G: Tensor, layout: Layout, *, threads: int = 0, engine: str = ON_CPU
    ) -> Tensor:
        """Flat genomes [P, G], their mutations drawn where they are simulated."""


class AntitheticProposal(PairsProposal[ESConfig]):
    """Pairs whose mutations have full rank."""

    def genomes(
        self, center_G: Tensor, layout: Layout, *, threads: int = 0, engine: str = ON_CPU
    ) -> Tensor:
        """Flat genomes [P, G], their mutations drawn from the counters."""
        return perturbed_pairs(
            center_G,
            layout,
            self.options,
            self.seed,
            self.generation,
            self.first // 2,
            self.number // 2,
            threads=threads,
            engine=engine,
        )


@dataclass(frozen=True, eq=False)
class ArrayProposal:
    """Individuals whose genomes travel with them, for searches that keep a distribution.

    With several lifetimes of each genome, its individuals follow on one another and are not cut.

    Raises:
        UsageError: arrays of different lengths.
    """

    generation: int
    genomes_PG: NDArray[np.float32]
    group_P: Int64Array
    stream_P: Int64Array
    first: int = 0
    lifetimes: int = 1
    asked: Asked | None = None
    beside_PX: FloatArray | None = None  # what was asked for, once it is there

    def __post_init__(self) -> None:
        lengths = self.lifetimes * len(self.genomes_PG), len(self.group_P), len(self.stream_P)
        require(
            len(set(lengths)) == 1,
            f"{lengths[0]} lifetimes are proposed with {lengths[1]} groups and {lengths[2]} "
            "streams, expected one of each for each",
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}(generation={self.generation}, first={self.first}, " + (
            f"number={self.number})"
        )

    @property
    def number(self) -> int:
        """How many individuals."""
        return len(self.group_P)

    @property
    def whole(self) -> int:
        """The lifetimes of one genome."""
        return self.lifetimes

    def cut(self, first: int, number: int) -> ArrayProposal:
        """A slice, with the rows of the arrays that belong to it."""
        rows = slice(first - self.first, first - self.first + number)
        assert rows.start % self.lifetimes == 0 == number % self.lifetimes, "a genome is not cut"
        return replace(
            self,
            genomes_PG=self.genomes_PG[rows.start // self.lifetimes : rows.stop // self.lifetimes],
            group_P=self.group_P[rows],
            stream_P=self.stream_P[rows],
            first=first,
        )

    def joined(self, other: Proposal) -> ArrayProposal | None:
        """This slice and the one that follows on it as one."""
        if not isinstance(other, ArrayProposal) or (
            (other.generation, other.first, other.lifetimes)
            != (self.generation, self.first + self.number, self.lifetimes)
        ):
            return None
        return replace(
            self,
            genomes_PG=np.concatenate([self.genomes_PG, other.genomes_PG]),
            group_P=np.concatenate([self.group_P, other.group_P]),
            stream_P=np.concatenate([self.stream_P, other.stream_P]),
        )

    def answered(self, beside_PX: FloatArray) -> ArrayProposal:
        """The same with what it asked for."""
        return replace(self, beside_PX=beside_PX)

    def genomes(
        self, center_G: Tensor, layout: Layout, *, threads: int = 0, engine: str = ON_CPU
    ) -> Tensor:
        """The genomes as they came; engines copy them to where they compute."""
        genomes_PG = torch.from_numpy(self.genomes_PG)
        if self.lifetimes == 1:
            return genomes_PG
        return genomes_PG.repeat_interleave(self.lifetimes, 0)
