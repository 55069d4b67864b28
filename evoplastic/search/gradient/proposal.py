"""A proposal of one genome: the center, in many lifetimes whose gradients are asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor

from evoplastic.genome.layout import Layout
from evoplastic.search.asking import FloatArray, Unrolling
from evoplastic.search.protocol import Int64Array, Proposal


@dataclass(frozen=True, eq=False)
class CenterProposal:
    """Lifetimes of the center, each of a group and a stream of its own."""

    generation: int
    asked: Unrolling
    first: int
    number: int
    beside_PX: FloatArray | None = None  # gradients [P, G], once they are there

    @property
    def whole(self) -> int:
        """Lifetimes that are unrolled at a time: PyTorch rounds by how many there are."""
        return self.asked.together

    @property
    def group_P(self) -> Int64Array:
        """The number of each lifetime."""
        return np.arange(self.first, self.first + self.number, dtype=np.int64)

    @property
    def stream_P(self) -> Int64Array:
        """Each lifetime has a stream of its own."""
        return self.group_P

    def cut(self, first: int, number: int) -> CenterProposal:
        """A slice."""
        return replace(self, first=first, number=number)

    def joined(self, other: Proposal) -> CenterProposal | None:
        """This slice and the one that follows on it as one."""
        if not isinstance(other, CenterProposal) or (
            (other.generation, other.asked, other.first)
            != (self.generation, self.asked, self.first + self.number)
        ):
            return None
        return replace(self, number=self.number + other.number)

    def answered(self, beside_PX: FloatArray) -> CenterProposal:
        """The same with its gradients."""
        return replace(self, beside_PX=beside_PX)

    def genomes(
        self, center_G: Tensor, layout: Layout, *, threads: int = 0, engine: str = "cpu"
    ) -> Tensor:
        """Views of the center [P, G]."""
        return center_G.expand(self.number, -1)
