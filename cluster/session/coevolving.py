"""What the loop needs to know of a search that makes the tasks which its individuals meet."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from torch import Tensor

from cluster.poet.rounds import Meet
from evoplastic.trials.table import TrialTable


@runtime_checkable
class Coevolving(Protocol):
    """A search whose tasks evolve, too, as those of POET."""

    def tables(self, state: Any, generation: int) -> tuple[TrialTable, ...]:
        """The tasks of a generation."""
        ...

    def centers(self, state: Any) -> Tensor:
        """What its individuals are drawn around [C, G]."""
        ...

    def genomes(self, state: Any) -> dict[int, Tensor]:
        """The genome of each environment that is or was there."""
        ...

    def renew(self, state: Any, generation: int, meet: Meet) -> Any:
        """The state with which a generation begins."""
        ...
