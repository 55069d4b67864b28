"""Cooperative synapse neuroevolution: each number of the genome is a population of its own.

At each generation the numbers at one place of the genome are exchanged among individuals, worse
ones more likely, beside children of the best quarter. EvoTorch's `Cosyne` takes the steps. Source:
Gomez, Schmidhuber and Miikkulainen 2008 (JMLR 9).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from evoplastic.checks import SECTION, require
from evoplastic.search.adapted.algorithm import Tensors, require_common, require_share
from evoplastic.search.adapted.breeding import INDIVIDUAL, seen
from evoplastic.search.adapted.coordinates import Bounds
from evoplastic.search.adapted.genetic import OPERATOR, Population
from evoplastic.search.individuals import Births, Register


@dataclass(frozen=True, kw_only=True)
class CosyneConfig:
    """CoSyNE: numbers at one place are exchanged among individuals, beside children of the best."""

    __pydantic_config__: ClassVar[dict[str, str | bool]] = SECTION

    name: Literal["cosyne"] = "cosyne"
    """Which search."""
    popsize: int = 128
    """Individuals of a generation: elites, children and permuted ones; as many are kept as are
    permuted."""
    lifetimes: int = 4
    """Lifetimes of each individual; all individuals meet the same tasks and trials in them."""
    sigma: float = 0.03
    """Standard deviation of a mutation, times the scale of its field."""
    mutation_probability: float = 1.0
    """Share of a child's numbers that mutate."""
    tournament_size: int = 4
    """Of the best quarter, those among whom the best becomes one of a pair."""
    elites: int = 2
    """Individuals that go on unchanged, simulated anew."""
    permute_all: bool = False
    """Whether all numbers are exchanged, and not those of worse individuals more likely."""

    def __post_init__(self) -> None:
        require_common(self, least=8)
        require_share("mutation_probability", self.mutation_probability)
        require(
            self.tournament_size >= 1,
            f"tournament_size is {self.tournament_size}, expected at least 1",
        )
        most = self.popsize // 2 - 1
        require(
            1 <= self.elites <= most,
            f"elites is {self.elites}, expected 1 to {most} of popsize = {self.popsize}",
        )

    @property
    def num_children(self) -> int:
        """Of a generation: half of what is not elite, in pairs."""
        return 2 * ((self.popsize - self.elites) // 4)


class Cosyne(Population):
    """EvoTorch's Cosyne; final."""

    @property
    def num_kept(self) -> int:
        """As many as are permuted."""
        return int(self.options.popsize - self.options.elites - self.options.num_children)

    def births(self, tensors: Tensors, bounds: Bounds, first: int) -> Births:
        """Elites, children of the best quarter, and all with numbers exchanged.

        One who exchanged no number is the individual that it was. The parents of one who did are
        all whose numbers it has, itself as it was before among them.
        """
        individual_K, fitness_K = tensors[INDIVIDUAL].numpy(), tensors["fitness_K"]
        algorithm = self._standing(tensors, bounds, None)
        operators = [algorithm._cross_over_op, algorithm._permutation_op]
        crossed, permuted = seen(algorithm, operators, fitness_K)
        register = Register(first)
        for row in fitness_K.argsort(descending=True)[: self.options.elites]:
            register.lives(int(individual_K[row]))
        for child in range(self.options.num_children):
            register.born(OPERATOR["one_point"], crossed.of(child, individual_K))
        for row, individual in enumerate(individual_K):
            given = permuted.of(row, individual_K)
            if set(given) == {int(individual)}:
                register.lives(int(individual))
            else:
                register.born("permutation", given)
        return register.births()

    def _made(self, problem: Any) -> Any:
        from evotorch.algorithms import Cosyne as EvoTorchCosyne

        options = self.options
        algorithm: Any = EvoTorchCosyne(
            problem,
            popsize=self.num_kept,
            tournament_size=options.tournament_size,
            mutation_stdev=options.sigma,
            mutation_probability=options.mutation_probability,
            permute_all=options.permute_all,
            num_elites=options.elites,
            num_children=options.num_children,
        )
        algorithm._first_generation = False  # ours have their fitness
        return algorithm
