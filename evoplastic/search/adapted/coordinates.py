"""What an algorithm sees of a genome: the numbers that may mutate, each in units of its scale."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from evoplastic.checks import require
from evoplastic.genome.layout import Layout


class Bounds(NamedTuple):
    """Of each free number as an algorithm sees it; infinite where there is none."""

    lower_F: Tensor
    upper_F: Tensor


class Coordinates:
    """genome = project(origin + scale * x) at free numbers, origin elsewhere; final.

    Raises:
        UsageError: no number of the genome may mutate.
    """

    def __init__(self, layout: Layout) -> None:
        """Take the layout of the genomes."""
        self._layout = layout
        require(
            bool(layout.mask_G.any()),
            "no number of the genome may mutate; a search needs at least one",
        )

    @cached_property
    def free(self) -> Tensor:
        """Places [F] of the free numbers in the flat genome."""
        return torch.nonzero(self._layout.mask_G).reshape(-1)

    @property
    def size(self) -> int:
        """F, numbers that may mutate."""
        return len(self.free)

    @cached_property
    def _limits(self) -> tuple[Tensor, Tensor, Tensor]:
        """Lower and upper bounds and the scale of the free numbers, [F] each."""
        nowhere_G = torch.full((self._layout.size,), torch.inf)
        lower_G, upper_G = self._layout.project(-nowhere_G), self._layout.project(nowhere_G)
        return lower_G[self.free], upper_G[self.free], self._layout.scale_G[self.free]

    def genomes(self, origin_G: Tensor, x_PF: Tensor) -> Tensor:
        """Flat genomes [P, G], within the bounds of all fields."""
        lower_F, upper_F, scale_F = self._limits
        genomes_PG = origin_G.repeat(len(x_PF), 1)
        moved_PF = origin_G[self.free] + scale_F * x_PF
        genomes_PG[:, self.free] = torch.maximum(torch.minimum(moved_PF, upper_F), lower_F)
        return genomes_PG

    def bounds(self, origin_G: Tensor) -> Bounds:
        """The bounds of the fields, as an algorithm sees them."""
        lower_F, upper_F, scale_F = self._limits
        origin_F = origin_G[self.free]
        return Bounds((lower_F - origin_F) / scale_F, (upper_F - origin_F) / scale_F)
