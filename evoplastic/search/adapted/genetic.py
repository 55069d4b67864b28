"""Genetic algorithms: parents and their children are met anew at each generation, the best stay.

A generation is `popsize` individuals: the parents, and children by tournament, cross-over and
mutation. Parents are simulated again, so that luck does not keep one in, and on the tasks that
their children meet. Who mates is decided by the generation before. The genome that stands for the
search is the best of the last generation; the first population is the first genome and mutants of
it.

EvoTorch's `GeneticAlgorithm` and `SteadyStateGA` take the steps. Sources: Luke 2013 (Essentials of
Metaheuristics); Such et al. 2017 (arXiv 1712.06567) for networks; Whitley 1989 (ICGA) for the
steady state.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from evoplastic.checks import SECTION, require
from evoplastic.random.counters import Purpose, normal
from evoplastic.search.adapted.algorithm import Tensors, require_common, require_share
from evoplastic.search.adapted.breeding import (
    BEST_PLACE,
    INDIVIDUAL,
    PLACE,
    Breeding,
    places,
    seen,
)
from evoplastic.search.adapted.coordinates import Bounds
from evoplastic.search.adapted.stepping import Exchange, drawn_by, ranks, step
from evoplastic.search.individuals import Births, Register
from evoplastic.search.protocol import Float64Array

FIRST_STREAM = 1 << 31  # of the draws for the first population

CrossOver = Literal["one_point", "two_points", "none"]
OPERATOR = {
    "one_point": "one-point cross-over, mutation",
    "two_points": "two-point cross-over, mutation",
    "none": "mutation",
}


@dataclass(frozen=True, kw_only=True)
class GAConfig:
    """Genetic algorithm: half of a generation are parents, half children; the best half stays."""

    __pydantic_config__: ClassVar[dict[str, str | bool]] = SECTION

    name: Literal["ga"] = "ga"
    """Which search."""
    popsize: int = 128
    """Individuals of a generation: half of them parents, simulated anew, and half children."""
    lifetimes: int = 4
    """Lifetimes of each individual; all individuals meet the same tasks and trials in them."""
    sigma: float = 0.03
    """Standard deviation of a mutation, times the scale of its field."""
    mutation_probability: float = 1.0
    """Share of a child's numbers that mutate."""
    cross_over: CrossOver = "one_point"
    """How two parents make two children; "none": each parent has one child, a mutant."""
    tournament_size: int = 4
    """Parents among whom the best becomes one of a pair."""

    def __post_init__(self) -> None:
        _check(self)
        require(
            self.popsize % 4 == 0,
            f"popsize is {self.popsize}, expected a multiple of 4: half are children, who come in "
            "pairs",
        )

    @property
    def num_children(self) -> int:
        """Of a generation."""
        return self.popsize // 2


@dataclass(frozen=True, kw_only=True)
class SteadyStateGAConfig:
    """Steady-state genetic algorithm: a few children at a time join a population that stays."""

    __pydantic_config__: ClassVar[dict[str, str | bool]] = SECTION

    name: Literal["steady_state_ga"] = "steady_state_ga"
    """Which search."""
    popsize: int = 128
    """Individuals of a generation: the parents, simulated anew, and the children."""
    lifetimes: int = 4
    """Lifetimes of each individual; all individuals meet the same tasks and trials in them."""
    sigma: float = 0.03
    """Standard deviation of a mutation, times the scale of its field."""
    children: float = 0.25
    """Share of a generation that is new, rounded to pairs."""
    mutation_probability: float = 1.0
    """Share of a child's numbers that mutate."""
    cross_over: Literal["one_point", "two_points"] = "one_point"
    """How two parents make two children."""
    tournament_size: int = 4
    """Parents among whom the best becomes one of a pair."""

    def __post_init__(self) -> None:
        _check(self)
        require_share("children", self.children)
        require(
            self.popsize - self.num_children >= 2,
            f"children is {self.children}, which leaves {self.popsize - self.num_children} parents "
            f"of popsize = {self.popsize}, expected at least 2",
        )

    @property
    def num_children(self) -> int:
        """Of a generation; at least one pair."""
        return 2 * max(round(self.popsize * self.children / 2), 1)


def _check(options: GAConfig | SteadyStateGAConfig) -> None:
    require_common(options, least=4)
    require_share("mutation_probability", options.mutation_probability)
    require(
        options.tournament_size >= 1,
        f"tournament_size is {options.tournament_size}, expected at least 1",
    )


class Population(Breeding):
    """An algorithm that keeps K individuals with their fitness; abstract."""

    center_name = "best_F"

    @abstractmethod
    def _made(self, problem: Any) -> Any:
        """EvoTorch's algorithm, with a population that will be replaced."""

    def first(self, seed: int, bounds: Bounds) -> Tensors:
        """The first genome, who counts as the best, and mutants of it."""
        sigma = np.float32(self.options.sigma)
        kept_KF = torch.zeros(self.num_kept, self.size)
        for mutant in range(1, self.num_kept):
            draws_F = normal(seed, Purpose.MUTATION, 0, FIRST_STREAM + mutant, self.size)
            kept_KF[mutant] = torch.from_numpy(sigma * draws_F)
        kept_KF = torch.maximum(torch.minimum(kept_KF, bounds.upper_F), bounds.lower_F)
        return {
            "best_F": torch.zeros(self.size),
            "kept_KF": kept_KF,
            "fitness_K": torch.arange(self.num_kept, 0, -1, dtype=torch.float32),
        }

    def sample(self, tensors: Tensors, bounds: Bounds) -> Tensor:
        """Who is kept, and their children."""
        return drawn_by(self._standing(tensors, bounds, None))

    def told(self, tensors: Tensors, bounds: Bounds, loss_P: Float64Array) -> Tensors:
        """Keep the best."""
        algorithm = self._standing(tensors, bounds, ranks(loss_P))
        step(algorithm)
        kept_KF = algorithm.population.access_values(keep_evals=True).clone()
        fitness_K = algorithm.population.access_evals()[:, 0].clone()
        best, place_K = int(fitness_K.argmax()), places(loss_P, fitness_K)
        return {
            "best_F": kept_KF[best].clone(),
            "kept_KF": kept_KF,
            "fitness_K": fitness_K,
            PLACE: place_K,
            BEST_PLACE: place_K[best],
        }

    def births(self, tensors: Tensors, bounds: Bounds, first: int) -> Births:
        """Those who are kept, then their children."""
        individual_K, register = tensors[INDIVIDUAL].numpy(), Register(first)
        for individual in individual_K:
            register.lives(int(individual))
        if self.options.cross_over == "none":  # each has one child
            for individual in individual_K:
                register.born(OPERATOR["none"], {int(individual): self.size})
            return register.births()
        algorithm = self._standing(tensors, bounds, None)
        (crossed,) = seen(algorithm, [self._cross_over(algorithm)], tensors["fitness_K"])
        for child in range(len(crossed.count_RK)):
            register.born(OPERATOR[self.options.cross_over], crossed.of(child, individual_K))
        return register.births()

    def stdev(self, tensors: Tensors) -> float:
        """Root mean square over the numbers of the standard deviation among those who are kept."""
        return float(tensors["kept_KF"].var(0, correction=0).mean().sqrt())

    def _cross_over(self, algorithm: Any) -> Any:
        """The operator of EvoTorch's algorithm that mixes numbers of parents."""
        return algorithm._operators[0]

    def _standing(self, tensors: Tensors, bounds: Bounds, fitness_P: Tensor | None) -> Any:
        """EvoTorch's algorithm with these individuals, about to make children."""
        algorithm = self._made(Exchange(fitness_P).problem(self.size, bounds))
        algorithm.population.set_values(tensors["kept_KF"])
        algorithm.population.set_evals(tensors["fitness_K"])
        return algorithm


class GA(Population):
    """EvoTorch's GeneticAlgorithm; final."""

    @property
    def num_kept(self) -> int:
        """All but the children."""
        return int(self.options.popsize - self.options.num_children)

    def _made(self, problem: Any) -> Any:
        from evotorch.algorithms import GeneticAlgorithm

        return GeneticAlgorithm(
            problem,
            operators=_operators(problem, self.options),
            popsize=self.num_kept,
            re_evaluate_parents_first=False,
        )


class SteadyStateGA(Population):
    """EvoTorch's SteadyStateGA; final."""

    @property
    def num_kept(self) -> int:
        """All but the children."""
        return int(self.options.popsize - self.options.num_children)

    def _made(self, problem: Any) -> Any:
        from evotorch.algorithms import SteadyStateGA as EvoTorchSteadyStateGA

        algorithm: Any = EvoTorchSteadyStateGA(
            problem, popsize=self.num_kept, re_evaluate_parents_first=False
        )
        for operator in _operators(problem, self.options):
            algorithm.use(operator)
        return algorithm

    def _cross_over(self, algorithm: Any) -> Any:
        """The operator of EvoTorch's algorithm that mixes numbers of parents."""
        return algorithm._cross_over_op


def _operators(problem: Any, options: Any) -> list[Any]:
    """Cross-over, if any, then mutation."""
    from evotorch.operators import GaussianMutation, OnePointCrossOver, TwoPointCrossOver

    kinds = {"one_point": OnePointCrossOver, "two_points": TwoPointCrossOver}
    mutation = GaussianMutation(
        problem, stdev=options.sigma, mutation_probability=options.mutation_probability
    )
    if options.cross_over == "none":
        return [mutation]
    cross_over = kinds[options.cross_over](
        problem, tournament_size=options.tournament_size, num_children=options.num_children
    )
    return [cross_over, mutation]
