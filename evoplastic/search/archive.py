"""What a search that illuminates behaviour has found: the best individual of each cell."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

Float64Array = NDArray[np.float64]


class Axis(NamedTuple):
    """A descriptor along which behaviour is told apart."""

    name: str
    title: str
    unit: str
    lower: float
    upper: float
    bins: int


class Archive(NamedTuple):
    """C cells, the last axis running fastest; a cell without an elite is not among the E."""

    axes: tuple[Axis, ...]
    cell_E: NDArray[np.int64]  # of each elite
    loss_E: Float64Array
    behaviour_ED: Float64Array
    genomes_EG: Tensor
    individual_E: NDArray[np.int64]  # its number in the pedigree

    @property
    def num_cells(self) -> int:
        """C."""
        return int(np.prod([axis.bins for axis in self.axes]))

    @property
    def coverage(self) -> float:
        """Share of cells that have an elite."""
        return len(self.cell_E) / self.num_cells

    def place(self, elite: int) -> tuple[int, ...]:
        """The bins of an elite's cell along the axes."""
        shape = tuple(axis.bins for axis in self.axes)
        return tuple(int(i) for i in np.unravel_index(int(self.cell_E[elite]), shape))


@runtime_checkable
class Illuminating(Protocol):
    """A search that may keep an archive."""

    def archive(self, state: Any) -> Archive | None:
        """The archive of a state, if there is one."""
        ...
