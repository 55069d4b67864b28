"""Natural evolution strategies: a standard deviation for each number (SNES), a covariance (XNES).

Sources: Wierstra et al. 2014 (JMLR 15), "Natural evolution strategies"; Schaul, Glasmachers and
Schmidhuber 2011 (GECCO) for SNES; Glasmachers et al. 2010 (GECCO) for XNES. EvoTorch's `SNES` and
`XNES` take the steps. Their class API follows the gradient of a generation at the start of the next
step; here that is done at once, so that the center is never a generation late.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from evoplastic.checks import SECTION, require
from evoplastic.search.adapted.algorithm import FLOAT32_BYTES, Algorithm, Tensors, require_common
from evoplastic.search.adapted.coordinates import Bounds
from evoplastic.search.adapted.stepping import Exchange, drawn_by, step, utilities
from evoplastic.search.protocol import Float64Array


@dataclass(frozen=True, kw_only=True)
class SNESConfig:
    """Separable natural evolution strategy: the size of mutations adapts, number by number."""

    __pydantic_config__: ClassVar[dict[str, str | bool]] = SECTION

    name: Literal["snes"] = "snes"
    """Which search."""
    popsize: int = 128
    """Individuals of a generation."""
    lifetimes: int = 4
    """Lifetimes of each individual; all individuals meet the same tasks and trials in them."""
    sigma: float = 0.03
    """First standard deviation of a mutation, times the scale of its field."""
    learning_rate: float = 1.0
    """Step of the center along its natural gradient."""
    stdev_learning_rate: float = 1.0
    """Step of the standard deviations, times 0.2 (3 + ln F) / sqrt(F) for F numbers."""

    def __post_init__(self) -> None:
        _check(self)


@dataclass(frozen=True, kw_only=True)
class XNESConfig:
    """Exponential natural evolution strategy: a full covariance, for some hundred numbers."""

    __pydantic_config__: ClassVar[dict[str, str | bool]] = SECTION

    name: Literal["xnes"] = "xnes"
    """Which search."""
    popsize: int = 128
    """Individuals of a generation."""
    lifetimes: int = 4
    """Lifetimes of each individual; all individuals meet the same tasks and trials in them."""
    sigma: float = 0.03
    """First standard deviation of a mutation, times the scale of its field."""
    learning_rate: float = 1.0
    """Step of the center along its natural gradient."""
    stdev_learning_rate: float = 1.0
    """Step of the covariance, times 0.6 (3 + ln F) / F^1.5 for F numbers."""

    def __post_init__(self) -> None:
        _check(self)


def _check(options: SNESConfig | XNESConfig) -> None:
    require_common(options)
    require(
        options.learning_rate > 0,
        f"learning_rate is {options.learning_rate}, expected more than 0",
    )
    require(
        options.stdev_learning_rate >= 0,
        f"stdev_learning_rate is {options.stdev_learning_rate}, expected 0 or more",
    )


class _Natural(Algorithm):
    """What both have in common; abstract."""

    def sample(self, tensors: Tensors, bounds: Bounds) -> Tensor:
        """Draws from the Gaussian."""
        return drawn_by(self._standing(tensors, None))

    def told(self, tensors: Tensors, bounds: Bounds, loss_P: Float64Array) -> Tensors:
        """Follow the natural gradient, from utilities that equal losses share."""
        algorithm = self._standing(tensors, utilities(loss_P, "nes"))
        step(algorithm)
        step(algorithm)  # follows the gradient of the first, and asks for another generation
        return self._kept(algorithm._distribution.parameters)

    def _standing(self, tensors: Tensors, fitness_P: Tensor | None) -> Any:
        """EvoTorch's algorithm at these tensors, about to draw."""
        options = self.options
        share = 1.0 if fitness_P is None else self._share(fitness_P)
        algorithm = self._kind()(
            Exchange(fitness_P).problem(self.size),
            stdev_init=options.sigma,
            popsize=options.popsize,
            center_learning_rate=share * options.learning_rate,
            stdev_learning_rate=share * options.stdev_learning_rate,
            scale_learning_rate=True,
            ranking_method=None,  # utilities come as they are
            center_init=torch.zeros(self.size),
        )
        algorithm._distribution = algorithm._distribution.modified_copy(**self._parameters(tensors))
        return algorithm

    def _share(self, utility_P: Tensor) -> float:
        """What makes up for EvoTorch's dividing utilities that it did not make."""
        return 1.0

    def _kind(self) -> Any:
        raise NotImplementedError

    def _parameters(self, tensors: Tensors) -> dict[str, Tensor]:
        raise NotImplementedError

    def _kept(self, parameters: dict[str, Tensor]) -> Tensors:
        raise NotImplementedError


class SNES(_Natural):
    """EvoTorch's SNES; final."""

    def first(self, seed: int, bounds: Bounds) -> Tensors:
        """The first genome, and `sigma` everywhere."""
        return {
            "center_F": torch.zeros(self.size),
            "stdev_F": torch.full((self.size,), float(self.options.sigma)),
        }

    def stdev(self, tensors: Tensors) -> float:
        """Root mean square of the standard deviations."""
        return float(tensors["stdev_F"].square().mean().sqrt())

    def _share(self, utility_P: Tensor) -> float:
        return float(utility_P.abs().sum())  # it divides by that

    def _kind(self) -> Any:
        from evotorch import algorithms

        return algorithms.SNES

    def _parameters(self, tensors: Tensors) -> dict[str, Tensor]:
        return {"mu": tensors["center_F"], "sigma": tensors["stdev_F"]}

    def _kept(self, parameters: dict[str, Tensor]) -> Tensors:
        return {"center_F": parameters["mu"].clone(), "stdev_F": parameters["sigma"].clone()}


class XNES(_Natural):
    """EvoTorch's XNES; final."""

    instead = "use search=snes, which keeps a standard deviation for each number"

    def first(self, seed: int, bounds: Bounds) -> Tensors:
        """The first genome, and `sigma` times the identity."""
        sigma = float(self.options.sigma)
        return {
            "center_F": torch.zeros(self.size),
            "root_FF": torch.eye(self.size) * sigma,  # of the covariance
            "inverse_root_FF": torch.eye(self.size) / sigma,
        }

    def stdev(self, tensors: Tensors) -> float:
        """Root mean square of the standard deviations."""
        return float((tensors["root_FF"].square().sum() / self.size).sqrt())

    @property
    def matrix_bytes(self) -> int:
        """The root, its inverse and their successors, and an outer product for each individual."""
        return (3 * self.options.popsize + 12) * self.size**2 * FLOAT32_BYTES

    def _kind(self) -> Any:
        from evotorch import algorithms

        return algorithms.XNES

    def _parameters(self, tensors: Tensors) -> dict[str, Tensor]:
        return {
            "mu": tensors["center_F"],
            "sigma": tensors["root_FF"],
            "sigma_inv": tensors["inverse_root_FF"],
        }

    def _kept(self, parameters: dict[str, Tensor]) -> Tensors:
        return {
            "center_F": parameters["mu"].clone(),
            "root_FF": parameters["sigma"].clone(),
            "inverse_root_FF": parameters["sigma_inv"].clone(),
        }
