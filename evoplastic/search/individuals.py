"""Who lives in a generation of a search that keeps individuals, and what each came from.

An individual is a genome of a population. It keeps its number for as long as it is kept, however
often it is simulated anew. The K individuals of the first population are 0 to K - 1; the one that
is made at place p of generation g is (g + 1) * P + p, P being the individuals of a generation: so
numbers follow from run and generation, and parents have lower ones than their children. Numbers
below 0 are of individuals that an earlier version of the project kept without saying who they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FIRST_GENOME = "first genome"
FIRST_MUTANT = "mutation of the first genome"


class Births(NamedTuple):
    """What the P individuals of a generation came from, in their order.

    Parents are those of whose numbers a child has at least one, whoever gave most first; which of
    its numbers mutated beside does not count.
    """

    individual_P: NDArray[np.int64]
    operator_P: tuple[str, ...]  # that made it in this generation; "" of one that lived before
    parents_P: tuple[tuple[int, ...], ...]
    given_P: tuple[tuple[int, ...], ...]  # how many numbers are from each parent


class Individuals(NamedTuple):
    """Births of a generation with what became of them."""

    generation: int
    numbers: int  # of an individual, those that may mutate
    births: Births
    loss_P: NDArray[np.float64]  # mean over the lifetimes; NaN of one that failed, or never lived
    kept_P: NDArray[np.bool_]  # whether it is among those kept after it
    center: int  # the individual that stands for the search after it


class Register:
    """The individuals of a generation, written down one after the other; final."""

    def __init__(self, first: int) -> None:
        """Take the number of whoever is made at place 0."""
        self._first = first
        self._individuals: list[int] = []
        self._operators: list[str] = []
        self._parents: list[tuple[int, ...]] = []
        self._given: list[tuple[int, ...]] = []

    def lives(self, individual: int) -> int:
        """One that lived before; its number."""
        self._write(individual, "", {})
        return individual

    def born(self, operator: str, given: Mapping[int, int]) -> int:
        """A child, with how many numbers it has from whom; its number."""
        individual = self._first + len(self._individuals)
        self._write(individual, operator, given)
        return individual

    def births(self) -> Births:
        """All of them."""
        individual_P = np.array(self._individuals, dtype=np.int64)
        return Births(
            individual_P, tuple(self._operators), tuple(self._parents), tuple(self._given)
        )

    def _write(self, individual: int, operator: str, given: Mapping[int, int]) -> None:
        ordered = sorted(given.items(), key=lambda item: (-item[1], item[0]))
        self._individuals.append(individual)
        self._operators.append(operator)
        self._parents.append(tuple(parent for parent, _ in ordered))
        self._given.append(tuple(number for _, number in ordered))
