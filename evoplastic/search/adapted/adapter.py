"""An algorithm of EvoTorch as a search: masks, bounds, scales, failures, seeds and tensors.

Individuals that are ranked against each other have to meet the same world. So all individuals of a
generation meet the same tasks with the same trials, noise and wiring (common random numbers):
lifetime r of every individual is of group r and stream r, and the fitness of an individual is the
mean over its `lifetimes`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from evoplastic import machine
from evoplastic.checks import UsageError, require
from evoplastic.genome.layout import Layout
from evoplastic.random.counters import Purpose, words
from evoplastic.records.names import SEARCH_STDEV
from evoplastic.search.adapted.algorithm import FLOAT32_BYTES, Algorithm, Tensors
from evoplastic.search.adapted.breeding import INDIVIDUAL, NUMBERED, Breeding, with_numbers
from evoplastic.search.adapted.coordinates import Coordinates
from evoplastic.search.archive import Archive
from evoplastic.search.individuals import Births
from evoplastic.search.proposals import ArrayProposal
from evoplastic.search.protocol import Float64Array, Proposal, Told
from evoplastic.search.shaping import worst_for_failed
from evoplastic.search.threads import one_thread

ORIGIN = "origin_G"
GENERATOR_STREAM = 0xFFFFFFFF  # of the words that seed torch's generator
COPIES = 6  # of a population, at the most, while a generation is proposed and told


class AdaptedState(NamedTuple):
    """The first genome, which distances are measured from, and what the algorithm remembers."""

    origin_G: Tensor
    of_algorithm: Tensors


class AdaptedSearch:
    """A search by an algorithm of EvoTorch; final.

    Raises:
        UsageError: a population or matrices that do not fit in memory.
    """

    def __init__(self, algorithm: Algorithm, coordinates: Coordinates, layout: Layout, seed: int):
        """Take the algorithm, what it sees of genomes of this layout, and the run seed."""
        self._algorithm, self._coordinates = algorithm, coordinates
        self._layout, self._seed = layout, seed
        self._options = algorithm.options
        _require_fits(algorithm, layout)

    @property
    def popsize(self) -> int:
        """P, lifetimes of a generation: individuals, times the lifetimes of each."""
        size: int = self._options.popsize * self._options.lifetimes
        return size

    def init(self, center_G: Tensor) -> AdaptedState:
        """A search that has taken no step."""
        origin_G = center_G.clone()
        algorithm = self._algorithm
        tensors = algorithm.first(self._seed, self._coordinates.bounds(origin_G))
        if isinstance(algorithm, Breeding):
            tensors = algorithm.numbered(tensors)
        return AdaptedState(origin_G, tensors)

    def ask(self, state: AdaptedState, generation: int) -> ArrayProposal:
        """The individuals of a generation, within the bounds of the fields."""
        bounds = self._coordinates.bounds(state.origin_G)
        with self._drawing(generation):
            x_PF = self._algorithm.sample(state.of_algorithm, bounds)
        genomes_PG = self._coordinates.genomes(state.origin_G, x_PF).numpy()
        lifetimes = self._options.lifetimes
        lifetime_P = np.tile(np.arange(lifetimes, dtype=np.int64), len(genomes_PG))
        return ArrayProposal(
            generation,
            genomes_PG,
            lifetime_P,
            lifetime_P,
            lifetimes=lifetimes,
            asked=getattr(self._options, "asked", None),
        )

    def tell(
        self, state: AdaptedState, proposal: Proposal, loss_P: Float64Array
    ) -> Told[AdaptedState]:
        """Let the algorithm take its step; losses that say nothing leave the state as it is.

        Raises:
            UsageError: the number of losses is not popsize, or the step leads to numbers that are
                not finite.
        """
        require(
            loss_P.shape == (self.popsize,),
            f"{loss_P.shape} losses came back, expected popsize = {self.popsize}",
        )
        filled_P, num_failed = worst_for_failed(loss_P)
        mean_P = filled_P.reshape(-1, self._options.lifetimes).mean(1)
        before, births = state.of_algorithm, self._births(state, proposal.generation)
        pulled = num_failed < len(loss_P) and self._algorithm.informs(mean_P)
        if pulled:
            bounds = self._coordinates.bounds(state.origin_G)
            with self._drawing(proposal.generation):
                tensors = self._algorithm.told_beside(
                    state.of_algorithm, bounds, mean_P, self._beside(proposal)
                )
            if births is not None:
                tensors = with_numbers(tensors, before, births.individual_P)
            self._require_finite(tensors, proposal.generation)
            name = self._algorithm.center_name
            center_F = torch.maximum(torch.minimum(tensors[name], bounds.upper_F), bounds.lower_F)
            state = AdaptedState(state.origin_G, {**tensors, name: center_F})
        stdev = self._algorithm.stdev(state.of_algorithm)
        numbers = self._algorithm.numbers(state.of_algorithm)
        individuals = None
        if isinstance(self._algorithm, Breeding) and births is not None:
            own_PL = np.where(np.isfinite(loss_P), loss_P, np.nan).reshape(len(mean_P), -1)
            individuals = self._algorithm.individuals(
                proposal.generation, births, own_PL.mean(1), state.of_algorithm
            )
        told = {SEARCH_STDEV: stdev, **numbers}
        return Told(state, pulled, num_failed, told, individuals)

    def center(self, state: AdaptedState) -> Tensor:
        """The center of the distribution, or the best individual of the last generation."""
        center_F = state.of_algorithm[self._algorithm.center_name]
        return self._coordinates.genomes(state.origin_G, center_F[None])[0]

    def tensors(self, state: AdaptedState) -> Tensors:
        """The first genome, and what the algorithm remembers."""
        return {ORIGIN: state.origin_G, **state.of_algorithm}

    def restore(self, tensors: Mapping[str, Tensor]) -> AdaptedState:
        """The state of a checkpoint's tensors.

        Raises:
            UsageError: other names or shapes than those of this search.
        """
        expected = self.tensors(self.init(torch.zeros(self._layout.size)))
        algorithm = self._algorithm
        if isinstance(algorithm, Breeding) and set(expected) - set(tensors) == set(NUMBERED):
            tensors = algorithm.renumbered(tensors)  # of a version that did not number them
        require(
            set(tensors) == set(expected),
            f"a state of the tensors {sorted(tensors)} came, search {self._options.name!r} expects "
            f"{sorted(expected)}",
        )
        for name, tensor in expected.items():
            came = tensors[name]
            require(
                (came.shape, came.dtype) == (tensor.shape, tensor.dtype),
                f"{name} of the state has shape {tuple(came.shape)} of {came.dtype}, expected "
                f"{tuple(tensor.shape)} of {tensor.dtype}",
            )
        return AdaptedState(
            tensors[ORIGIN], {name: tensors[name] for name in expected if name != ORIGIN}
        )

    def warm_up(self, state: AdaptedState) -> None:
        """Load EvoTorch, which takes seconds."""
        self.ask(state, 0)

    def archive(self, state: AdaptedState) -> Archive | None:
        """The elites, of an algorithm that keeps some by their behaviour."""
        tensors = state.of_algorithm
        if "behaviour_CD" not in tensors:
            return None
        filled_C = tensors["filled_C"]
        return Archive(
            self._options.axes,
            torch.nonzero(filled_C)[:, 0].numpy(),
            tensors["loss_C"][filled_C].numpy(),
            tensors["behaviour_CD"][filled_C].numpy(),
            self._coordinates.genomes(state.origin_G, tensors["kept_CF"][filled_C]),
            tensors[INDIVIDUAL][filled_C].numpy(),
        )

    def _births(self, state: AdaptedState, generation: int) -> Births | None:
        """What the individuals of a generation came from, of an algorithm that keeps some."""
        algorithm = self._algorithm
        if not isinstance(algorithm, Breeding):
            return None
        bounds = self._coordinates.bounds(state.origin_G)
        first = (generation + 1) * self._options.popsize
        with self._drawing(generation):
            return algorithm.births(state.of_algorithm, bounds, first)

    def _beside(self, proposal: Proposal) -> Float64Array:
        """What came beside losses [P, X]: the mean over an individual's lifetimes that have it."""
        beside_PX = getattr(proposal, "beside_PX", None)
        if beside_PX is None:
            return np.empty((self._options.popsize, 0))
        beside_PLX = np.asarray(beside_PX, dtype=np.float64).reshape(
            self._options.popsize, self._options.lifetimes, -1
        )
        there_PLX = ~np.isnan(beside_PLX)
        sum_PX = np.where(there_PLX, beside_PLX, 0.0).sum(1)
        mean_PX: Float64Array = np.where(
            there_PLX.any(1), sum_PX / np.maximum(there_PLX.sum(1), 1), np.nan
        )
        return mean_PX

    @contextmanager
    def _drawing(self, generation: int) -> Iterator[None]:
        """Torch's generator at a place that run seed and generation say, and put back after."""
        high, low = words(self._seed, Purpose.MUTATION, generation, GENERATOR_STREAM, 0, 2)
        with torch.random.fork_rng(devices=[]), one_thread(), torch.no_grad():
            torch.default_generator.manual_seed((int(high) << 31) ^ int(low))
            yield

    def _require_finite(self, tensors: Tensors, generation: int) -> None:
        broken = [name for name, tensor in tensors.items() if not bool(tensor.isfinite().all())]
        if broken:
            raise UsageError(
                f"search {self._options.name!r} broke down in generation {generation}: "
                f"{', '.join(broken)} is no longer finite; start a new run with a larger "
                "search.popsize, or smaller learning rates"
            )


def adapted(
    make: Callable[[Any, int], Algorithm],
) -> Callable[..., AdaptedSearch]:
    """What an entry of SEARCHES is built by, given how its algorithm is made."""

    def build(options: Any, layout: Layout, *, seed: int, engine: str = "cpu") -> AdaptedSearch:
        coordinates = Coordinates(layout)
        return AdaptedSearch(make(options, coordinates.size), coordinates, layout, seed)

    return build


def _require_fits(algorithm: Algorithm, layout: Layout) -> None:
    """Refuse what this machine's memory cannot hold."""
    options, has = algorithm.options, machine.memory_bytes()
    population = COPIES * options.popsize * layout.size * FLOAT32_BYTES
    require(
        population <= has,
        f"a population of {options.popsize:,} individuals of {layout.size:,} numbers takes "
        f"{population / 1e9:,.4g} GB, {COPIES} copies of it counted, and this machine has "
        f"{has / 1e9:.3g} GB; lower search.popsize, or use search=es or search=low_rank_es, whose "
        "individuals are drawn where they live",
    )
    require(
        algorithm.matrix_bytes + population <= has,
        f"search {options.name!r} keeps matrices of {algorithm.size:,} x {algorithm.size:,} "
        f"numbers, {algorithm.matrix_bytes / 1e9:.3g} GB at {options.popsize:,} individuals, and "
        f"this machine has {has / 1e9:.3g} GB; {algorithm.instead}",
    )
