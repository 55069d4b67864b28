"""What the genomes of P individuals say of birth, until their lifetimes' weights are drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from torch import Tensor


@dataclass(frozen=True)
class BirthParams:
    """The values of the fields of birth, by the names of its numbers, [P, ...]; none once born."""

    values: Mapping[str, Tensor] = field(default_factory=dict)

    def each(self, change: Callable[[Tensor], Tensor]) -> BirthParams:
        """The same with every tensor changed; all have P individuals first."""
        return BirthParams({name: change(value) for name, value in self.values.items()})
