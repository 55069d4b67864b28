"""Who lives in a generation and of whom: against populations whose numbers say whose they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from evoplastic.benchmark.optimum import FEW, losses, replied
from evoplastic.genome.config import GenomeConfig
from evoplastic.search.adapted.breeding import BEST, INDIVIDUAL, Breeding
from evoplastic.search.adapted.coordinates import Bounds
from evoplastic.search.adapted.cosyne import Cosyne, CosyneConfig
from evoplastic.search.adapted.genetic import GA, GAConfig, SteadyStateGA, SteadyStateGAConfig
from evoplastic.search.adapted.map_elites import MAPElites, MAPElitesConfig
from evoplastic.search.catalogue import SEARCHES
from evoplastic.search.individuals import Births, Individuals
from evoplastic.search.protocol import AnySearch

F, P, FIRST = 24, 16, 1000
BOUNDLESS = Bounds(torch.full((F,), -torch.inf), torch.full((F,), torch.inf))
COMMON: dict[str, Any] = {"popsize": P, "lifetimes": 2, "sigma": 1e-5}
FIRST_G = FEW.initial(3, GenomeConfig())
BREEDING = {
    "ga": {},
    "steady_state_ga": {},
    "cosyne": {},
    "map_elites": {
        "descriptors": ("accuracy", "reward"),
        "ranges": {"accuracy": (-0.5, 0.5), "reward": (-0.5, 0.5)},
    },
}


def told_apart(algorithm: Breeding) -> dict[str, Tensor]:
    """A population in which all numbers of row k are k, and row k is individual 500 - k."""
    tensors = algorithm.numbered(algorithm.first(0, BOUNDLESS))
    rows_K = torch.arange(algorithm.num_kept)
    tensors[algorithm.kept_name] = rows_K[:, None].repeat(1, F).float()
    tensors[INDIVIDUAL] = 500 - rows_K
    if "fitness_K" in tensors:  # the best in the middle
        tensors["fitness_K"] = ((rows_K * 3) % 7 + 7.0 * rows_K).flip(0)
    return tensors


def made(algorithm: Breeding, tensors: dict[str, Tensor]) -> tuple[np.ndarray, Births]:
    """The rows [P, F] that numbers of a generation are of, and what is said of them."""
    torch.manual_seed(4)
    x_PF = algorithm.sample(tensors, BOUNDLESS)
    torch.manual_seed(4)
    births = algorithm.births(tensors, BOUNDLESS, FIRST)
    return x_PF.round().long().numpy(), births


@pytest.mark.parametrize(
    ("algorithm", "operators"),
    [
        (GA(GAConfig(**COMMON), F), {"": 8, "one-point cross-over, mutation": 8}),
        (
            GA(GAConfig(**COMMON, cross_over="two_points", tournament_size=1), F),
            {"": 8, "two-point cross-over, mutation": 8},
        ),
        (GA(GAConfig(**COMMON, cross_over="none"), F), {"": 8, "mutation": 8}),
        (
            SteadyStateGA(SteadyStateGAConfig(**COMMON), F),
            {"": 12, "one-point cross-over, mutation": 4},
        ),
        (
            Cosyne(CosyneConfig(**COMMON | {"popsize": 32}), F),
            {"": 14, "one-point cross-over, mutation": 14, "permutation": 4},
        ),
        (
            Cosyne(CosyneConfig(**COMMON, permute_all=True, elites=1), F),
            {"": 1, "one-point cross-over, mutation": 6, "permutation": 9},
        ),
    ],
    ids=["one-point", "two-point", "mutation", "steady-state", "cosyne", "cosyne-all"],
)
def test_parents_are_those_whose_numbers_a_child_has(
    algorithm: Breeding, operators: dict[str, int]
) -> None:
    tensors = told_apart(algorithm)
    row_PF, births = made(algorithm, tensors)
    assert len(births.individual_P) == len(row_PF) == algorithm.options.popsize
    found = {name: births.operator_P.count(name) for name in operators}
    assert found == operators
    several = 0
    for place, row_F in enumerate(row_PF):
        rows, numbers = np.unique(row_F, return_counts=True)
        given = dict(zip((500 - rows).tolist(), numbers.tolist(), strict=True))
        said = dict(zip(births.parents_P[place], births.given_P[place], strict=True))
        if births.operator_P[place]:
            assert said == given
            assert list(births.given_P[place]) == sorted(given.values(), reverse=True)
            assert births.individual_P[place] == FIRST + place
            several += len(given) > 1
        else:
            assert (said, given) == ({}, {int(births.individual_P[place]): F})
    assert several > 0 or algorithm.options.cross_over == "none"


def test_mutants_of_map_elites_are_of_the_cell_beside_and_lent_places_of_elites() -> None:
    algorithm = MAPElites(MAPElitesConfig(**COMMON, descriptors=("accuracy",)), F)
    tensors = told_apart(algorithm)
    _, births = made(algorithm, tensors)  # no elite yet: the first population, and its mutants
    assert births.individual_P.tolist() == [*range(500, 492, -1), *range(FIRST + 8, FIRST + 16)]
    assert births.parents_P[8:] == tuple((500 - cell,) for cell in range(8))
    tensors["filled_C"][[1, 4, 6]] = True
    tensors["loss_C"][[1, 4, 6]] = torch.tensor([0.3, 0.1, 0.2], dtype=torch.float64)
    row_PF, births = made(algorithm, tensors)
    assert births.operator_P == tuple(
        "" if place in (1, 4, 6) else "mutation" for place in range(P)
    )
    lent = {0: 4, 2: 6, 3: 1, 5: 4, 7: 6}  # the best elite first, in turns
    for cell in range(8):
        assert (row_PF[[cell, 8 + cell]] == lent.get(cell, cell)).all()
        if cell in lent:
            assert births.individual_P[cell] == FIRST + cell
            assert births.parents_P[cell] == (500 - lent[cell],)
        assert births.parents_P[8 + cell] == (births.individual_P[cell],)
        assert births.given_P[8 + cell] == (F,)


def search_of(name: str) -> AnySearch:
    options = SEARCHES[name].options(**{**COMMON, "sigma": 0.05, **BREEDING[name]})
    return SEARCHES[name].build(options, FEW, seed=7, engine="cpu")


@pytest.mark.parametrize("name", list(BREEDING))
def test_an_individual_keeps_its_genome_and_who_is_kept_is_known(name: str) -> None:
    search = search_of(name)
    state = search.init(FIRST_G)
    genomes: dict[int, Tensor] = {}
    for generation in range(9):
        proposal = search.ask(state, generation)
        loss_P = losses(search, state, proposal, FEW)
        if generation == 3:
            loss_P[:] = 1.0  # says nothing
        if generation == 5:
            loss_P[4:9] = np.nan
        told = search.tell(state, replied(search, state, proposal), loss_P)
        individuals = told.individuals
        assert individuals is not None
        births, state = individuals.births, told.state
        if generation or name != "cosyne":  # whose first population is not simulated
            own_PG = proposal.genomes(FIRST_G, FEW)[::2]
            for individual, genome_G in zip(births.individual_P.tolist(), own_PG, strict=True):
                assert torch.equal(genomes.setdefault(individual, genome_G), genome_G)
        for individual, parents in zip(births.individual_P.tolist(), births.parents_P, strict=True):
            assert all(parent < individual for parent in parents)
        tensors = search.tensors(state)
        standing = set(births.individual_P[individuals.kept_P].tolist())
        kept_K = tensors[INDIVIDUAL]
        kept_KF = tensors["kept_CF" if name == "map_elites" else "kept_KF"]
        if name == "map_elites":
            kept_K, kept_KF = kept_K[tensors["filled_C"]], kept_KF[tensors["filled_C"]]
        living = set(births.individual_P.tolist())
        assert standing == set(kept_K.tolist()) & living
        assert standing == set(kept_K.tolist()) or (name, generation) == ("cosyne", 3)
        if generation:  # those of the first one are of before it, where they are not simulated
            for individual, x_F in zip(kept_K.tolist(), kept_KF, strict=True):
                if individual in genomes:
                    moved = FIRST_G[FEW.mask_G] + FEW.scale_G[FEW.mask_G] * x_F
                    assert torch.allclose(genomes[individual][FEW.mask_G], moved, atol=1e-6)
            best = genomes[individuals.center]
            assert torch.equal(best, search.center(state))
        assert individuals.center == int(tensors[BEST])
    assert len(genomes) > 2 * P


def test_the_first_generation_comes_with_the_first_population() -> None:
    for name in BREEDING:
        search = search_of(name)
        state = search.init(FIRST_G)
        proposal = search.ask(state, 0)
        loss_P = losses(search, state, proposal, FEW)
        told = search.tell(state, replied(search, state, proposal), loss_P).individuals
        assert isinstance(told, Individuals)
        births, kept = told.births, len(search.tensors(state)[INDIVIDUAL])
        assert births.individual_P[:kept].tolist() == list(range(kept))
        assert births.operator_P[0] == "first genome"
        assert set(births.operator_P[1:kept]) == {"mutation of the first genome"}
        assert "" not in births.operator_P
        assert told.loss_P[0] == pytest.approx(loss_P[0])  # it is simulated, or an elite
        assert np.isnan(told.loss_P).any() == (name == "cosyne")


@pytest.mark.parametrize("name", list(BREEDING))
def test_a_population_of_earlier_versions_goes_on_without_knowing_who_it_is(name: str) -> None:
    search = search_of(name)
    state = search.init(FIRST_G)
    for generation in range(3):
        proposal = search.ask(state, generation)
        loss_P = losses(search, state, proposal, FEW)
        state = search.tell(state, replied(search, state, proposal), loss_P).state
    old = {
        key: value for key, value in search.tensors(state).items() if key not in (INDIVIDUAL, BEST)
    }
    again = search.restore(old)
    numbers = search.tensors(again)[INDIVIDUAL]
    assert numbers.tolist() == [-1 - k for k in range(len(numbers))]
    proposal = search.ask(again, 3)
    loss_P = losses(search, again, proposal, FEW)
    told = search.tell(again, replied(search, again, proposal), loss_P)
    new = search.tell(state, replied(search, state, proposal), loss_P)
    assert torch.equal(search.center(told.state), search.center(new.state))
    assert told.individuals is not None
    assert new.individuals is not None
    assert told.individuals.births.operator_P == new.individuals.births.operator_P
    assert min(told.individuals.births.individual_P) < 0


def test_searches_of_a_center_keep_no_individuals() -> None:
    for name in sorted(set(SEARCHES) - set(BREEDING) - {"gradient"}):
        search = SEARCHES[name].build(SEARCHES[name].options(popsize=P), FEW, seed=7, engine="cpu")
        state = search.init(FIRST_G)
        proposal = search.ask(state, 0)
        loss_P = losses(search, state, proposal, FEW)
        assert search.tell(state, proposal, loss_P).individuals is None
