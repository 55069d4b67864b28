"""Algorithms that keep individuals, and who their individuals came from.

Nothing is guessed: EvoTorch's own operators are run a second time, with the same draws, on a
population whose numbers say whose they are. Where the numbers come out is what came from whom.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from evoplastic.search.adapted.algorithm import Algorithm, Tensors
from evoplastic.search.adapted.coordinates import Bounds
from evoplastic.search.adapted.stepping import step
from evoplastic.search.individuals import (
    FIRST_GENOME,
    FIRST_MUTANT,
    Births,
    Individuals,
    Register,
)
from evoplastic.search.protocol import Float64Array, Int64Array

INDIVIDUAL, BEST = "individual_K", "best_individual"  # tensors: who is kept, who stands for them
PLACE, BEST_PLACE = "place_K", "best_place"  # what `told` gives: places within the generation
NUMBERED = (INDIVIDUAL, BEST)


class Breeding(Algorithm):
    """An algorithm that keeps K individuals; abstract.

    Its `told` adds to the tensors at which places of the generation those are that it keeps, and
    the best of them.
    """

    kept_name = "kept_KF"  # the tensor of those who are kept

    @property
    @abstractmethod
    def num_kept(self) -> int:
        """K."""

    @abstractmethod
    def births(self, tensors: Tensors, bounds: Bounds, first: int) -> Births:
        """Whom `sample` proposes, given these tensors and numbers; `first` is made at place 0."""

    def standing(self, tensors: Tensors) -> Tensor:
        """Which [K] of the kept are individuals of the population: by default all."""
        return torch.ones(self.num_kept, dtype=torch.bool)

    def numbered(self, tensors: Tensors) -> Tensors:
        """A first population with its numbers."""
        return {
            **tensors,
            INDIVIDUAL: torch.arange(self.num_kept, dtype=torch.int64),
            BEST: torch.zeros((), dtype=torch.int64),
        }

    def renumbered(self, tensors: Mapping[str, Tensor]) -> Tensors:
        """A population of earlier versions, whose individuals have no numbers."""
        individual_K = -1 - torch.arange(self.num_kept, dtype=torch.int64)
        same_K = (tensors[self.kept_name] == tensors[self.center_name]).all(1)
        at = int(torch.nonzero(same_K)[0, 0]) if bool(same_K.any()) else self.num_kept
        return {**tensors, INDIVIDUAL: individual_K, BEST: torch.tensor(-1 - at)}

    def individuals(
        self, generation: int, births: Births, loss_P: Float64Array, tensors: Tensors
    ) -> Individuals:
        """Who lived in a generation, given the numbered tensors after it.

        With the first generation comes the first population, which not every algorithm simulates.
        """
        if generation == 0 and bool((births.individual_P >= 0).all()):
            births, loss_P = _with_the_first(births, loss_P, self.num_kept, self.size)
        kept = tensors[INDIVIDUAL][self.standing(tensors)].numpy()
        kept_P = np.isin(births.individual_P, kept)
        return Individuals(generation, self.size, births, loss_P, kept_P, int(tensors[BEST]))


def with_numbers(tensors: Tensors, before: Tensors, individual_P: Int64Array) -> Tensors:
    """What `told` gives, with numbers of individuals in place of places."""
    told = dict(tensors)
    if PLACE not in told:  # nothing was told apart, and all stay
        return {**told, **{name: before[name] for name in NUMBERED}}
    number_P = torch.from_numpy(individual_P)
    return {
        **{name: told[name] for name in told if name not in (PLACE, BEST_PLACE)},
        INDIVIDUAL: number_P[told[PLACE]],
        BEST: number_P[told[BEST_PLACE]],
    }


def places(loss_P: Float64Array, fitness_K: Tensor) -> Tensor:
    """Places [K] of individuals whose fitness is their rank, as `ranks` gives it: all distinct."""
    order = torch.from_numpy(np.argsort(loss_P, kind="stable"))
    return order[len(loss_P) - 1 - fitness_K.long()]


class Origins(NamedTuple):
    """From which of the K each number of the R individuals is that an operator made."""

    count_RK: Int64Array

    def of(self, made: int, individual_K: Int64Array) -> dict[int, int]:
        """How many numbers it has from whom."""
        given: dict[int, int] = {}
        for row in np.flatnonzero(self.count_RK[made]):
            who = int(individual_K[row])
            given[who] = given.get(who, 0) + int(self.count_RK[made, row])
        return given


class _Enough(Exception):
    """All that was to be seen of a step has been seen."""


def seen(algorithm: Any, operators: Sequence[Any], fitness_K: Tensor) -> list[Origins]:
    """Take a step of EvoTorch's until its operators that move numbers have been used once each.

    An operator is given the individuals that the step gives it, with the same fitness and the same
    draws, but each number replaced by the fitness of whoever it is of; no two have the same.

    Args:
        algorithm: about to step.
        operators: its own, in the order in which the step uses them.
        fitness_K: of the individuals of its population, all distinct.
    """
    found: list[Origins] = []
    sorted_K, row_K = fitness_K.sort()

    def watched(operator: Any) -> Any:
        do = operator._do

        def noting(batch: Any) -> Any:
            labelled = batch.clone()
            labelled.access_values(keep_evals=True)[:] = batch.access_evals()[:, :1]
            generator = torch.get_rng_state()
            labels_RF = do(labelled).access_values(keep_evals=True).as_subclass(Tensor)
            torch.set_rng_state(generator)
            at_RF = torch.searchsorted(sorted_K, labels_RF.contiguous())
            assert torch.equal(sorted_K[at_RF], labels_RF), "an operator that does more than move"
            found.append(Origins(_counted(row_K[at_RF].numpy(), len(fitness_K))))
            if len(found) == len(operators):
                raise _Enough
            return do(batch)

        return noting

    for operator in operators:
        operator._do = watched(operator)
    with suppress(_Enough):
        step(algorithm)
    assert len(found) == len(operators), "a step that did not use its operators"
    return found


def _counted(row_RF: Int64Array, number: int) -> Int64Array:
    """How often each row comes up: [R, K]."""
    made = len(row_RF)
    flat = (row_RF + number * np.arange(made)[:, None]).reshape(-1)
    return np.bincount(flat, minlength=made * number).reshape(made, number)


def _with_the_first(
    births: Births, loss_P: Float64Array, num_kept: int, numbers: int
) -> tuple[Births, Float64Array]:
    """The first population, and who was born of it; of those who live the first time, as what."""
    loss_of = dict(zip(births.individual_P.tolist(), loss_P.tolist(), strict=True))
    register = Register(0)
    for founder in range(num_kept):
        register.born(FIRST_MUTANT if founder else FIRST_GENOME, {})
    first = register.births()
    born = [at for at, who in enumerate(births.individual_P) if who >= num_kept]
    every = np.concatenate([first.individual_P, births.individual_P[born]])
    joined = Births(
        every,
        first.operator_P + tuple(births.operator_P[at] for at in born),
        first.parents_P + tuple(births.parents_P[at] for at in born),
        first.given_P + tuple(births.given_P[at] for at in born),
    )
    return joined, np.array([loss_of.get(int(who), np.nan) for who in every])
