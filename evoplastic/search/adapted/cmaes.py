"""Covariance matrix adaptation: evolution paths for the step size and for the covariance.

EvoTorch's `CMAES` takes the steps. Its state between two steps is center, step size, covariance (a
vector if separable), the root of the covariance, two evolution paths and the number of steps.
Individuals are moved into the bounds before the step learns of them: a path along a bound that the
center cannot cross would make the step size grow without end. Sources: Hansen 2016 (arXiv
1604.00772), the tutorial; Ros and Hansen 2008 (PPSN), the separable form.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from evoplastic.checks import SECTION, UsageError, require
from evoplastic.search.adapted.algorithm import FLOAT32_BYTES, Algorithm, Tensors, require_common
from evoplastic.search.adapted.coordinates import Bounds
from evoplastic.search.adapted.stepping import Exchange, drawn_by, ranks, step
from evoplastic.search.protocol import Float64Array


@dataclass(frozen=True, kw_only=True)
class CMAESConfig:
    """CMA-ES: step size and covariance adapt along the paths that the center takes."""

    __pydantic_config__: ClassVar[dict[str, str | bool]] = SECTION

    name: Literal["cmaes"] = "cmaes"
    """Which search."""
    popsize: int = 128
    """Individuals of a generation."""
    lifetimes: int = 4
    """Lifetimes of each individual; all individuals meet the same tasks and trials in them."""
    sigma: float = 0.03
    """First step size: standard deviation of a mutation, times the scale of its field."""
    covariance: Literal["separable", "full"] = "separable"
    """"separable": a variance for each number; "full": F x F numbers, for small genomes."""
    active: bool = True
    """Whether the worse half of the individuals makes the covariance smaller where they lie."""

    stdev_min: float = 1e-4
    """The smallest standard deviation, times the scale of the field; keeps a covariance that has
    nothing left to find, or lies at a bound, from vanishing."""

    def __post_init__(self) -> None:
        require_common(self, least=4)
        require(self.stdev_min > 0, f"stdev_min is {self.stdev_min}, expected more than 0")


class CMAES(Algorithm):
    """EvoTorch's CMA-ES; final."""

    instead = "use search.covariance=separable, which keeps a variance for each number"

    @property
    def _separable(self) -> bool:
        return bool(self.options.covariance == "separable")

    def first(self, seed: int, bounds: Bounds) -> Tensors:
        """The first genome, a step size of `sigma`, the identity."""
        covariance = (
            {"covariance_F": torch.ones(self.size), "root_F": torch.ones(self.size)}
            if self._separable
            else {"covariance_FF": torch.eye(self.size), "root_FF": torch.eye(self.size)}
        )
        return {
            "center_F": torch.zeros(self.size),
            "step_size": torch.tensor(float(self.options.sigma)),
            **covariance,
            "step_path_F": torch.zeros(self.size),
            "covariance_path_F": torch.zeros(self.size),
            "steps": torch.zeros((), dtype=torch.int64),
        }

    def sample(self, tensors: Tensors, bounds: Bounds) -> Tensor:
        """Draws from the Gaussian."""
        return drawn_by(self._standing(tensors, bounds, None))

    def told(self, tensors: Tensors, bounds: Bounds, loss_P: Float64Array) -> Tensors:
        """Take the step.

        Raises:
            UsageError: the covariance has no root any more.
        """
        algorithm = self._standing(tensors, bounds, ranks(loss_P))
        try:
            step(algorithm)
        except torch.linalg.LinAlgError as error:
            raise UsageError(
                f"search 'cmaes' broke down after {algorithm._steps_count} steps: its covariance "
                f"is no longer positive ({error}); start a new run with a larger search.popsize, "
                "or search.active=false"
            ) from error
        axes = "F" if self._separable else "FF"
        return {
            "center_F": algorithm.m,
            "step_size": algorithm.sigma.clamp(min=self.options.stdev_min),
            f"covariance_{axes}": algorithm.C,
            f"root_{axes}": algorithm.A,
            "step_path_F": algorithm.p_sigma,
            "covariance_path_F": algorithm.p_c,
            "steps": tensors["steps"] + 1,
        }

    def stdev(self, tensors: Tensors) -> float:
        """Root mean square of the standard deviations."""
        variance_F = (
            tensors["covariance_F"] if self._separable else tensors["covariance_FF"].diagonal()
        )
        return float(tensors["step_size"] * variance_F.mean().sqrt())

    @property
    def matrix_bytes(self) -> int:
        """Covariance, root and their successors, and an outer product for each individual."""
        if self._separable:
            return 0
        return (2 * self.options.popsize + 8) * self.size**2 * FLOAT32_BYTES

    def _standing(self, tensors: Tensors, bounds: Bounds, fitness_P: Tensor | None) -> Any:
        """EvoTorch's algorithm at these tensors, about to draw."""
        from evotorch import algorithms

        algorithm: Any = algorithms.CMAES(
            Exchange(fitness_P).problem(self.size),
            stdev_init=self.options.sigma,
            popsize=self.options.popsize,
            center_init=tensors["center_F"].clone(),
            active=self.options.active,
            stdev_min=self.options.stdev_min,
            separable=self._separable,
            limit_C_decomposition=not self._separable,
        )
        axes = "F" if self._separable else "FF"
        algorithm.sigma = tensors["step_size"]
        algorithm.C, algorithm.A = tensors[f"covariance_{axes}"], tensors[f"root_{axes}"]
        algorithm.p_sigma, algorithm.p_c = tensors["step_path_F"], tensors["covariance_path_F"]
        algorithm._steps_count = int(tensors["steps"])
        algorithm.sample_distribution = partial(_drawn_within, bounds, algorithm)
        algorithm.update_C = partial(_update_covariance, algorithm)
        return algorithm


def _drawn_within(bounds: Bounds, algorithm: Any) -> tuple[Tensor, Tensor, Tensor]:
    """EvoTorch's z, y = A z and x = m + sigma y, [P, F] each, with x moved into the bounds.

    Center and covariance learn of the individuals as they were moved. What was selected along a
    bound says nothing of the step size: there z, which that is made of, is 0, and larger elsewhere;
    where bounds are met everywhere, the step size falls.
    """
    z_PF, y_PF, x_PF = type(algorithm).sample_distribution(algorithm)
    within_PF = torch.maximum(torch.minimum(x_PF, bounds.upper_F), bounds.lower_F)
    if torch.equal(within_PF, x_PF):
        return z_PF, y_PF, x_PF
    untouched_F = (within_PF == x_PF).all(0)
    share = float(untouched_F.float().mean())
    z_PF = z_PF * untouched_F / math.sqrt(share) if share > 0 else torch.zeros_like(z_PF)
    return z_PF, (within_PF - algorithm.m) / algorithm.sigma, within_PF


def _update_covariance(
    algorithm: Any, zs: Tensor, ys: Tensor, assigned_weights: Tensor, h_sig: Tensor
) -> None:
    """EvoTorch's, with the z = A^-1 y of the individuals as they were moved."""
    if algorithm.separable:
        zs = ys / algorithm.A
    else:
        zs = torch.linalg.solve_triangular(algorithm.A, ys.T, upper=False).T
    type(algorithm).update_C(algorithm, zs, ys, assigned_weights, h_sig)
