"""MAP-Elites: the best individual of each kind of behaviour, and mutants of all of them.

A generation is one individual for each cell of the archive, and one mutant of each of these. The
individual of a cell is its elite; cells that have none lend their place to mutants of the elites,
the best elite first. Elites are simulated anew, so that luck does not keep one in, and on the tasks
that their mutants meet; then each cell takes the best of all whose behaviour lies in it.

EvoTorch's `MAPElites` takes the step. Source: Mouret & Clune 2015 (arXiv 1504.04909).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from evoplastic.checks import SECTION, require, require_known
from evoplastic.lifetime.behaviour.catalogue import parted
from evoplastic.random.counters import Purpose, normal
from evoplastic.records.names import ARCHIVE_COVERAGE, ARCHIVE_QD_SCORE
from evoplastic.search.adapted.algorithm import Tensors, require_common, require_share
from evoplastic.search.adapted.breeding import BEST_PLACE, INDIVIDUAL, PLACE, Breeding, places
from evoplastic.search.adapted.coordinates import Bounds
from evoplastic.search.adapted.stepping import Exchange, drawn_by, ranks, step
from evoplastic.search.archive import Axis
from evoplastic.search.asking import Behaviour
from evoplastic.search.individuals import Births, Register
from evoplastic.search.protocol import Float64Array

FIRST_STREAM = 1 << 31  # of the draws for the first population


@dataclass(frozen=True, kw_only=True)
class MAPElitesConfig:
    """MAP-Elites: an archive of the best individual of each kind of behaviour."""

    __pydantic_config__: ClassVar[dict[str, str | bool]] = SECTION

    name: Literal["map_elites"] = "map_elites"
    """Which search."""
    popsize: int = 128
    """Individuals of a generation: one for each cell of the archive, and a mutant of each."""
    lifetimes: int = 8
    """Lifetimes of each individual; all individuals meet the same tasks and trials in them."""
    sigma: float = 0.03
    """Standard deviation of a mutation, times the scale of its field."""
    mutation_probability: float = 1.0
    """Share of a mutant's numbers that mutate."""
    descriptors: tuple[str, ...] = ("accuracy@first_half", "plastic_change")
    """What tells kinds of behaviour apart, the mean over an individual's lifetimes: names of
    descriptors, those of a group of tasks with @first_half, @second_half or @TASK+TASK."""
    bins: tuple[int, ...] | None = None
    """Cells along each descriptor, popsize / 2 in all; none means as nearly alike as can be."""
    ranges: dict[str, tuple[float, float]] = field(default_factory=dict, hash=False)
    """Ranges of descriptors, by name, in place of their own; what lies beyond is in the outermost
    cells."""
    worst_loss: float = 1.0
    """Loss that is worth nothing: an elite adds worst_loss - loss, if more than 0, to the QD
    score."""

    def __post_init__(self) -> None:
        require_common(self, 4)
        require_share("mutation_probability", self.mutation_probability)
        require(
            self.popsize % 2 == 0,
            f"popsize is {self.popsize}, expected an even number: a mutant for each cell",
        )
        require(
            0 < len(self.descriptors) == len(set(self.descriptors)),
            f"descriptors are {list(self.descriptors)}, expected at least one, each once",
        )
        for name in self.descriptors:
            parted(name)
        for name, (lower, upper) in self.ranges.items():
            require_known("descriptor in ranges", name, self.descriptors)
            require(
                lower < upper,
                f"ranges.{name} is {lower} to {upper}, expected the lower number first",
            )
        bins = self.cells_along
        require(
            len(bins) == len(self.descriptors)
            and all(number >= 1 for number in bins)
            and math.prod(bins) == self.popsize // 2,
            f"bins are {list(bins)}, expected a number for each of the {len(self.descriptors)} "
            f"descriptors, {self.popsize // 2} cells in all, which is half of popsize",
        )

    @property
    def asked(self) -> Behaviour:
        """What is asked of each lifetime."""
        return Behaviour(self.descriptors)

    @property
    def cells_along(self) -> tuple[int, ...]:
        """Cells along each descriptor.

        >>> MAPElitesConfig(popsize=40).cells_along
        (4, 5)
        """
        if self.bins is not None:
            return self.bins
        left, found = self.popsize // 2, []
        for axes in range(len(self.descriptors), 1, -1):
            most = max(int(left ** (1 / axes) + 1e-9), 1)
            number = next(n for n in range(most, 0, -1) if left % n == 0)
            found.append(number)
            left //= number
        return (*found, left)

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The descriptors with their ranges and cells."""
        return tuple(
            _axis(self, name, bins)
            for name, bins in zip(self.descriptors, self.cells_along, strict=True)
        )


def _axis(config: MAPElitesConfig, name: str, bins: int) -> Axis:
    descriptor, _ = parted(name)
    lower, upper = config.ranges.get(name, (descriptor.lower, descriptor.upper))
    return Axis(name, descriptor.title, descriptor.unit, lower, upper, bins)


class MAPElites(Breeding):
    """EvoTorch's MAPElites over C cells; final."""

    center_name, kept_name = "best_F", "kept_CF"

    @property
    def num_cells(self) -> int:
        """C."""
        return int(self.options.popsize // 2)

    @property
    def num_kept(self) -> int:
        """One for each cell."""
        return self.num_cells

    def standing(self, tensors: Tensors) -> Tensor:
        """The elites; before there are any, the first population."""
        filled_C = tensors["filled_C"]
        return filled_C if bool(filled_C.any()) else torch.ones_like(filled_C)

    def first(self, seed: int, bounds: Bounds) -> Tensors:
        """The first genome, who counts as the best, and mutants of it; no cell has an elite."""
        sigma = np.float32(self.options.sigma)
        kept_CF = torch.zeros(self.num_cells, self.size)
        for mutant in range(1, self.num_cells):
            draws_F = normal(seed, Purpose.MUTATION, 0, FIRST_STREAM + mutant, self.size)
            kept_CF[mutant] = torch.from_numpy(sigma * draws_F)
        kept_CF = torch.maximum(torch.minimum(kept_CF, bounds.upper_F), bounds.lower_F)
        return {
            "best_F": torch.zeros(self.size),
            "kept_CF": kept_CF,
            "filled_C": torch.zeros(self.num_cells, dtype=torch.bool),
            "loss_C": torch.zeros(self.num_cells, dtype=torch.float64),
            "behaviour_CD": torch.zeros(
                self.num_cells, len(self.options.descriptors), dtype=torch.float64
            ),
        }

    def sample(self, tensors: Tensors, bounds: Bounds) -> Tensor:
        """Elites, mutants in the place of those that are missing, and a mutant of each."""
        return drawn_by(self._standing(tensors, bounds, None))

    def told(self, tensors: Tensors, bounds: Bounds, loss_P: Float64Array) -> Tensors:
        """Without behaviour nothing has a place."""
        raise AssertionError("MAP-Elites is told behaviour beside losses")

    def told_beside(
        self, tensors: Tensors, bounds: Bounds, loss_P: Float64Array, beside_PX: Float64Array
    ) -> Tensors:
        """Each cell takes the best of all whose behaviour lies in it."""
        behaviour_PD = torch.from_numpy(np.asarray(beside_PX, dtype=np.float64))
        if not bool(behaviour_PD.isfinite().all(1).any()):
            return tensors  # no lifetime was on a task that tells behaviour
        evals_PE = torch.cat([ranks(loss_P)[:, None], behaviour_PD.float()], dim=1)
        algorithm = self._standing(tensors, bounds, evals_PE)
        step(algorithm)
        filled_C = algorithm.filled.as_subclass(Tensor).clone()
        kept_CF = algorithm.population.access_values(keep_evals=True).clone()
        rank_C = algorithm.population.access_evals()[:, 0]
        place_C = places(loss_P, rank_C)
        who_C = place_C.numpy()
        best = int(torch.where(filled_C, rank_C, -1.0).argmax())
        return {
            "best_F": kept_CF[best].clone(),
            "kept_CF": kept_CF,
            "filled_C": filled_C,
            "loss_C": torch.where(filled_C, torch.from_numpy(loss_P[who_C]), 0.0),
            "behaviour_CD": torch.where(filled_C[:, None], behaviour_PD[who_C], 0.0),
            PLACE: place_C,
            BEST_PLACE: place_C[best],
        }

    def births(self, tensors: Tensors, bounds: Bounds, first: int) -> Births:
        """The individual of each cell, and a mutant of each of these."""
        register, individual_C = Register(first), tensors[INDIVIDUAL].tolist()
        lender_of = dict(zip(*_lent(tensors), strict=True))
        met = [
            register.born("mutation", {individual_C[lender_of[cell]]: self.size})
            if cell in lender_of
            else register.lives(individual)
            for cell, individual in enumerate(individual_C)
        ]
        for individual in met:
            register.born("mutation", {individual: self.size})
        return register.births()

    def stdev(self, tensors: Tensors) -> float:
        """Root mean square over the numbers of the standard deviation among those who are kept."""
        return float(tensors["kept_CF"].var(0, correction=0).mean().sqrt())

    def numbers(self, tensors: Tensors) -> dict[str, float]:
        """How much of the archive is filled, and how well."""
        filled_C, loss_C = tensors["filled_C"], tensors["loss_C"]
        worth_C = (self.options.worst_loss - loss_C).clamp(min=0.0)
        return {
            ARCHIVE_COVERAGE: float(filled_C.double().mean()),
            ARCHIVE_QD_SCORE: float(torch.where(filled_C, worth_C, 0.0).sum()),
        }

    def _standing(self, tensors: Tensors, bounds: Bounds, evals_PE: Tensor | None) -> Any:
        """EvoTorch's algorithm with these individuals, about to make mutants."""
        from evotorch.algorithms import MAPElites as EvoTorchMAPElites
        from evotorch.operators import GaussianMutation

        exchange = Exchange(evals_PE)
        problem = exchange.problem(self.size, bounds, len(self.options.descriptors))
        mutation = GaussianMutation(
            problem,
            stdev=self.options.sigma,
            mutation_probability=self.options.mutation_probability,
        )
        algorithm = EvoTorchMAPElites(
            problem,
            operators=[mutation],
            feature_grid=grid(self.options.axes),
            re_evaluate=True,
            re_evaluate_parents_first=False,
        )
        algorithm.population.set_values(tensors["kept_CF"])
        empty, lent = _lent(tensors)
        if empty:
            mutants = mutation(algorithm.population[lent]).access_values(keep_evals=True)
            values_CF = tensors["kept_CF"].clone()
            values_CF[empty] = mutants.as_subclass(Tensor)
            algorithm.population.set_values(values_CF)
        return algorithm


def _lent(tensors: Tensors) -> tuple[list[int], list[int]]:
    """Cells without an elite, where others have one, and the cells whose elites use their place."""
    filled_C = tensors["filled_C"]
    elites = torch.nonzero(filled_C)[:, 0]
    empty = torch.nonzero(~filled_C)[:, 0]
    if not len(elites) or not len(empty):
        return [], []
    elites = elites[tensors["loss_C"][elites].argsort(stable=True)]
    return empty.tolist(), elites[torch.arange(len(empty)) % len(elites)].tolist()


def grid(axes: Sequence[Axis]) -> Tensor:
    """Lower and upper bounds [C, D, 2] of the cells, which do not overlap; the last axis fastest.

    EvoTorch takes a number for one of a cell if lower <= number <= upper; so an upper bound is the
    last number before the next cell.
    """
    bounds = []
    for axis in axes:
        edges = np.linspace(axis.lower, axis.upper, axis.bins + 1).astype(np.float32)
        edges[0], edges[-1] = -np.inf, np.inf
        upper = np.nextafter(edges[1:], np.float32(-np.inf))
        upper[-1] = np.inf
        bounds.append(np.stack([edges[:-1], upper], axis=1))
    places = np.indices([axis.bins for axis in axes]).reshape(len(axes), -1)
    cells = np.stack([bound[place] for bound, place in zip(bounds, places, strict=True)], axis=1)
    return torch.from_numpy(cells)
