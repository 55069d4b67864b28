"""Policy gradients with parameter-based exploration: antithetic pairs whose stdev adapts.

    center' = optimizer(center, mean over pairs of (u+ - u-) / 2 * m)
    stdev'  = stdev + stdev_learning_rate * mean over pairs of
              ((u+ + u-) / 2 - mean u) (m^2 - stdev^2) / stdev

with utilities u and mutations m ~ N(0, stdev^2). EvoTorch's functional `pgpe` does both. Sources:
Sehnke et al. 2010 (Neural Networks 23); Toklu, Liskowski and Srivastava 2020 (PPSN) for ClipUp;
Kingma and Ba 2015 (ICLR) for Adam.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from evoplastic.checks import SECTION, require
from evoplastic.search.adapted.algorithm import Algorithm, Tensors, require_common
from evoplastic.search.adapted.coordinates import Bounds
from evoplastic.search.adapted.stepping import utilities
from evoplastic.search.config import Shaping
from evoplastic.search.protocol import Float64Array

# What each optimizer remembers besides the center: its name for it, and the number of numbers.
MEMORY: dict[str, tuple[str, ...]] = {
    "adam": ("m", "v", "t"),
    "clipup": ("velocity",),
    "sgd": ("velocity",),
}
SCALARS = ("t",)


@dataclass(frozen=True, kw_only=True)
class PGPEConfig:
    """PGPE: antithetic pairs whose standard deviation adapts, with Adam, ClipUp or plain ascent."""

    __pydantic_config__: ClassVar[dict[str, str | bool]] = SECTION

    name: Literal["pgpe"] = "pgpe"
    """Which search."""
    popsize: int = 128
    """Individuals of a generation, two of each pair."""
    lifetimes: int = 4
    """Lifetimes of each individual; all individuals meet the same tasks and trials in them."""
    sigma: float = 0.03
    """First standard deviation of a mutation, times the scale of its field."""
    optimizer: Literal["adam", "clipup", "sgd"] = "clipup"
    """Who takes the step along the gradient."""
    learning_rate: float | None = None
    """Step of the optimizer. For adam the step of a number, none = sigma / 3; for clipup the length
    of the whole step, none = sigma sqrt(F) / 30 for F numbers; for sgd the factor of the gradient,
    none = 0.3 / sigma."""
    momentum: float = 0.9
    """Of clipup and sgd."""
    stdev_learning_rate: float = 0.1
    """Step of the standard deviations; 0 keeps them."""
    stdev_max_change: float = 0.2
    """The largest share by which a standard deviation changes in a generation."""
    shaping: Shaping = "centered"
    """"raw": losses as they are; "centered": ranks within [-0.5, 0.5], ties averaged."""

    def __post_init__(self) -> None:
        require_common(self)
        require(
            self.popsize % 2 == 0,
            f"popsize is {self.popsize}, expected an even number: individuals come in pairs",
        )
        rate = self.learning_rate
        require(rate is None or rate > 0, f"learning_rate is {rate}, expected more than 0")
        require(0 <= self.momentum < 1, f"momentum is {self.momentum}, expected a share in [0, 1)")
        require(
            self.stdev_learning_rate >= 0,
            f"stdev_learning_rate is {self.stdev_learning_rate}, expected 0 or more",
        )
        require(
            self.stdev_max_change > 0,
            f"stdev_max_change is {self.stdev_max_change}, expected more than 0",
        )


class PGPE(Algorithm):
    """EvoTorch's functional PGPE; final."""

    def first(self, seed: int, bounds: Bounds) -> Tensors:
        """The first genome, `sigma` everywhere, an optimizer at rest."""
        memory = {
            name: torch.zeros(()) if name in SCALARS else torch.zeros(self.size)
            for name in MEMORY[self.options.optimizer]
        }
        return {
            "center_F": torch.zeros(self.size),
            "stdev_F": torch.full((self.size,), float(self.options.sigma)),
            **{_tensor_name(name): tensor for name, tensor in memory.items()},
        }

    def sample(self, tensors: Tensors, bounds: Bounds) -> Tensor:
        """Pairs around the center."""
        from evotorch.algorithms.functional import pgpe_ask

        x_PF: Tensor = pgpe_ask(self._state(tensors), popsize=self.options.popsize)
        return x_PF

    def told(self, tensors: Tensors, bounds: Bounds, loss_P: Float64Array) -> Tensors:
        """Step the center and the standard deviations."""
        from evotorch.algorithms.functional import pgpe_tell

        if self.options.shaping == "centered":
            fitness_P = utilities(loss_P, "centered")
        else:
            fitness_P = torch.from_numpy((loss_P.mean() - loss_P).astype(np.float32))
        told = pgpe_tell(self._state(tensors), self.sample(tensors, bounds), fitness_P)
        optimizer = told.optimizer_state
        memory = {
            _tensor_name(name): getattr(optimizer, name) for name in MEMORY[self.options.optimizer]
        }
        return {"center_F": optimizer.center, "stdev_F": told.stdev, **memory}

    def informs(self, loss_P: Float64Array) -> bool:
        """Whether the two of any pair differ; ClipUp cannot follow a gradient of 0."""
        return bool((loss_P[0::2] != loss_P[1::2]).any())

    def stdev(self, tensors: Tensors) -> float:
        """Root mean square of the standard deviations."""
        return float(tensors["stdev_F"].square().mean().sqrt())

    @property
    def learning_rate(self) -> float:
        """The optimizer's step, the given one or its own."""
        options = self.options
        if options.learning_rate is not None:
            return float(options.learning_rate)
        own = {
            "adam": options.sigma / 3,
            "clipup": options.sigma * math.sqrt(self.size) / 30,
            "sgd": 0.3 / options.sigma,
        }
        return float(own[options.optimizer])

    def _state(self, tensors: Tensors) -> Any:
        """EvoTorch's state of these tensors."""
        from evotorch.algorithms.functional import pgpe

        options = self.options
        state = pgpe(
            center_init=tensors["center_F"],
            center_learning_rate=self.learning_rate,
            stdev_learning_rate=options.stdev_learning_rate,
            objective_sense="max",
            ranking_method="raw",  # utilities come as they are
            optimizer=options.optimizer,
            optimizer_config={} if options.optimizer == "adam" else {"momentum": options.momentum},
            stdev_init=tensors["stdev_F"],
            stdev_max_change=options.stdev_max_change,
        )
        memory = {name: tensors[_tensor_name(name)] for name in MEMORY[options.optimizer]}
        return state._replace(optimizer_state=state.optimizer_state._replace(**memory))


def _tensor_name(name: str) -> str:
    return name if name in SCALARS else f"{name}_F"
