"""What engines are given of a rule's evolved numbers: scalars, vectors and matrices only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from torch import Tensor


class Coefficient(NamedTuple):
    """What a term is multiplied by at connection j -> i: the product of those that are there."""

    of_target: Tensor | None = None  # [P, N], at i
    of_source: Tensor | None = None  # [P, N], at j
    of_pair: Tensor | None = None  # [P, N, N], at [i, j]; alone if it is there


@dataclass(frozen=True)
class RuleParams:
    """Evolved numbers of a rule, decoded for P individuals; constants of the recipe are not here.

    coefficients  by the names that a term multiplies, if the genome has a part in their product
    tau_elig_ms   [P], time constants of the eligibility trace, if evolved
    baseline_decay  [P], decays of the running means of the outcome, if evolved
    """

    coefficients: Mapping[tuple[str, ...], Coefficient] = field(default_factory=dict)
    tau_elig_ms_P: Tensor | None = None
    baseline_decay_P: Tensor | None = None

    def each(self, change: Callable[[Tensor], Tensor]) -> RuleParams:
        """The same with every tensor changed; all have P individuals first."""

        def changed(tensor: Tensor | None) -> Tensor | None:
            return None if tensor is None else change(tensor)

        return RuleParams(
            {
                names: Coefficient(*(changed(part) for part in parts))
                for names, parts in self.coefficients.items()
            },
            changed(self.tau_elig_ms_P),
            changed(self.baseline_decay_P),
        )
