"""EvoTorch's class API cut in two: what a step asks to be evaluated, and the step with our answer.

A step of theirs draws a population and has it evaluated in one call. Here the objective function
either stops the step and gives out the population, or hands in fitness that was found elsewhere.
Since the generator is where it was, the second run of a step draws what the first one did.
"""

from __future__ import annotations

import logging
import warnings
from typing import Any

import numpy as np
import torch
from torch import Tensor

from evoplastic.search.adapted.coordinates import Bounds


class _Asked(Exception):
    """A population that has no fitness yet."""

    def __init__(self, values_PF: Tensor) -> None:
        super().__init__(f"{len(values_PF)} individuals to evaluate")
        self.values_PF = values_PF


class Exchange:
    """An objective function that answers one evaluation with the fitness it holds, if any."""

    def __init__(self, fitness_P: Tensor | None = None) -> None:
        """Take the fitness of the individuals of the first evaluation, larger is better.

        With more data of each, it is [P, 1 + D], the fitness first.
        """
        self._fitness_P = fitness_P

    def __call__(self, values_PF: Tensor) -> Tensor:
        """The fitness that is held; without one, the step is stopped."""
        fitness_P, self._fitness_P = self._fitness_P, None
        if fitness_P is None:
            raise _Asked(values_PF.as_subclass(Tensor).clone())
        return fitness_P

    def problem(self, size: int, bounds: Bounds | None = None, num_data: int = 0) -> Any:
        """EvoTorch's problem of `size` numbers; larger fitness is better, with D data beside it."""
        from evotorch import Problem

        logging.getLogger("evotorch").setLevel(logging.WARNING)  # it tells stdout of each problem
        warnings.filterwarnings("ignore", "To copy construct from a tensor", module="evotorch")
        return Problem(
            "max",
            self,
            solution_length=size,
            initial_bounds=(-1.0, 1.0),  # never used: what there is first is ours
            bounds=bounds,
            vectorized=True,
            dtype=torch.float32,
            eval_data_length=num_data,
            store_solution_stats=False,
        )


def step(algorithm: Any) -> Tensor | None:
    """Take one step; a population that it asks to be evaluated beyond what is known, else None."""
    try:
        algorithm.step()
    except _Asked as asked:
        return asked.values_PF
    return None


def drawn_by(algorithm: Any) -> Tensor:
    """The population [P, F] that the next step asks to be evaluated."""
    values_PF = step(algorithm)
    assert values_PF is not None, "a step without an evaluation"
    return values_PF


def ranks(loss_P: np.ndarray) -> Tensor:
    """Fitness [P], float32, that is larger for smaller losses: P - 1 down to 0, all distinct.

    EvoTorch breaks ties in an order of its own; here the first of equal losses counts as the best.
    """
    order = np.argsort(loss_P, kind="stable")
    fitness_P = np.empty(len(loss_P), dtype=np.float32)
    fitness_P[order] = np.arange(len(loss_P) - 1, -1, -1, dtype=np.float32)
    return torch.from_numpy(fitness_P)


def utilities(loss_P: np.ndarray, method: str) -> Tensor:
    """EvoTorch's utilities [P], float32, larger for smaller losses, shared by equal losses."""
    from evotorch.tools.ranking import rank

    _, inverse, counts = np.unique(loss_P, return_inverse=True, return_counts=True)
    by_rank = rank(ranks(loss_P), method, higher_is_better=True).double().numpy()
    means = np.bincount(inverse, weights=by_rank) / counts
    return torch.from_numpy(means[inverse].astype(np.float32))
