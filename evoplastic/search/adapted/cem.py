"""Cross-entropy method: the Gaussian of the best individuals is the next one.

    center' = mean of the best share `parents`
    stdev'  = their standard deviation, its change and size limited

EvoTorch's functional `cem` does both. Sources: Rubinstein 1999 (Methodology and Computing in
Applied Probability 1); Duan et al. 2016 (ICML).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from evoplastic.checks import SECTION, require
from evoplastic.search.adapted.algorithm import Algorithm, Tensors, require_common, require_share
from evoplastic.search.adapted.coordinates import Bounds
from evoplastic.search.adapted.stepping import ranks
from evoplastic.search.protocol import Float64Array


@dataclass(frozen=True, kw_only=True)
class CEMConfig:
    """Cross-entropy method: the next Gaussian is that of the best individuals."""

    __pydantic_config__: ClassVar[dict[str, str | bool]] = SECTION

    name: Literal["cem"] = "cem"
    """Which search."""
    popsize: int = 128
    """Individuals of a generation."""
    lifetimes: int = 4
    """Lifetimes of each individual; all individuals meet the same tasks and trials in them."""
    sigma: float = 0.03
    """First standard deviation of a mutation, times the scale of its field."""
    parents: float = 0.25
    """Share of the individuals whose mean and standard deviation are the next ones."""
    stdev_min: float = 0.003
    """The smallest standard deviation, times the scale of the field."""
    stdev_max_change: float = 0.2
    """The largest share by which a standard deviation changes in a generation."""

    def __post_init__(self) -> None:
        require_common(self, least=4)
        require_share("parents", self.parents)
        require(
            int(self.popsize * self.parents) >= 2,
            f"parents is {self.parents}, which is less than 2 of popsize = {self.popsize} "
            "individuals; a standard deviation takes 2",
        )
        require(self.stdev_min >= 0, f"stdev_min is {self.stdev_min}, expected 0 or more")
        require(
            self.stdev_max_change > 0,
            f"stdev_max_change is {self.stdev_max_change}, expected more than 0",
        )


class CEM(Algorithm):
    """EvoTorch's functional CEM; final."""

    def first(self, seed: int, bounds: Bounds) -> Tensors:
        """The first genome, and `sigma` everywhere."""
        return {
            "center_F": torch.zeros(self.size),
            "stdev_F": torch.full((self.size,), float(self.options.sigma)),
        }

    def sample(self, tensors: Tensors, bounds: Bounds) -> Tensor:
        """Draws from the Gaussian."""
        from evotorch.algorithms.functional import cem_ask

        x_PF: Tensor = cem_ask(self._state(tensors), popsize=self.options.popsize)
        return x_PF

    def told(self, tensors: Tensors, bounds: Bounds, loss_P: Float64Array) -> Tensors:
        """Fit the Gaussian to the best."""
        from evotorch.algorithms.functional import cem_tell

        told = cem_tell(self._state(tensors), self.sample(tensors, bounds), ranks(loss_P))
        return {"center_F": told.center, "stdev_F": told.stdev}

    def stdev(self, tensors: Tensors) -> float:
        """Root mean square of the standard deviations."""
        return float(tensors["stdev_F"].square().mean().sqrt())

    def _state(self, tensors: Tensors) -> Any:
        """EvoTorch's state of these tensors."""
        from evotorch.algorithms.functional import cem

        return cem(
            center_init=tensors["center_F"],
            parenthood_ratio=self.options.parents,
            objective_sense="max",
            stdev_init=tensors["stdev_F"],
            stdev_min=self.options.stdev_min,
            stdev_max_change=self.options.stdev_max_change,
        )
