"""MAP-Elites: cells, who is in them, failures, ties, and bad input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from evoplastic.benchmark.optimum import FEW
from evoplastic.checks import UsageError
from evoplastic.genome.config import GenomeConfig
from evoplastic.search.adapted.adapter import AdaptedSearch, AdaptedState, adapted
from evoplastic.search.adapted.map_elites import MAPElites, MAPElitesConfig, grid
from evoplastic.search.archive import Archive, Axis
from evoplastic.search.asking import Behaviour, answered, asked_of
from evoplastic.search.protocol import Told

FIRST_G = FEW.initial(0, GenomeConfig())
RANGES = {"accuracy": (0.0, 1.0), "learning_speed": (0.0, 1.0)}


def search_of(**options: Any) -> AdaptedSearch:
    chosen = {"popsize": 8, "lifetimes": 1, "descriptors": tuple(RANGES), "ranges": RANGES}
    config = MAPElitesConfig(**{**chosen, **options})
    return adapted(MAPElites)(config, FEW, seed=3)


def tell(
    search: AdaptedSearch, state: AdaptedState, generation: int, loss: Any, behaviour: Any
) -> Told[AdaptedState]:
    proposal = search.ask(state, generation)
    beside = np.broadcast_to(np.asarray(behaviour, dtype=np.float64), (search.popsize, 2))
    return search.tell(state, answered(proposal, beside), np.asarray(loss, dtype=np.float64))


def archive_of(search: AdaptedSearch, state: AdaptedState) -> Archive:
    archive = search.archive(state)
    assert archive is not None
    return archive


def test_each_cell_takes_the_best_of_those_that_behave_so() -> None:
    search = search_of()
    state = search.init(FIRST_G)
    assert len(archive_of(search, state).cell_E) == 0
    behaviour = [
        [0.1, 0.1],
        [0.1, 0.9],
        [0.1, 0.2],
        [0.9, 0.1],
        [0.2, 0.9],
        [0.3, 0.4],
        [7, 0.1],
        [0, 0],
    ]
    loss = [0.5, 0.4, 0.3, 0.9, 0.6, 0.35, 0.8, 0.7]
    genomes = search.ask(state, 0).genomes(FIRST_G, FEW)
    told = tell(search, state, 0, loss, behaviour)
    archive = archive_of(search, told.state)
    assert [archive.place(elite) for elite in range(3)] == [(0, 0), (0, 1), (1, 0)]
    np.testing.assert_array_equal(archive.loss_E, [0.3, 0.4, 0.8])
    np.testing.assert_array_equal(archive.behaviour_ED, [[0.1, 0.2], [0.1, 0.9], [7, 0.1]])
    assert torch.equal(archive.genomes_EG, genomes[[2, 1, 6]])
    assert archive.coverage == told.numbers["archive/coverage"] == 0.75
    assert told.numbers["archive/qd_score"] == pytest.approx(0.7 + 0.6 + 0.2)
    assert torch.equal(search.center(told.state), genomes[2])


def test_elites_are_met_again_and_empty_cells_lend_their_place() -> None:
    search = search_of()
    state = tell(search, search.init(FIRST_G), 0, np.arange(8.0), [[0.1, 0.1]]).state
    (elite,) = archive_of(search, state).genomes_EG
    genomes = search.ask(state, 1).genomes(FIRST_G, FEW)
    alike = (genomes == elite).all(1)
    assert int(alike.sum()) == 1
    assert bool(alike[archive_of(search, state).cell_E[0]])
    assert len(torch.unique(genomes, dim=0)) == 8
    # A worse mutant leaves the elite, which is measured anew.
    loss = np.where(alike.numpy(), 0.25, np.arange(1.0, 9.0))
    after = archive_of(search, tell(search, state, 1, loss, [[0.2, 0.2]]).state)
    assert torch.equal(after.genomes_EG[0], elite)
    np.testing.assert_array_equal(after.loss_E, [0.25])
    np.testing.assert_array_equal(after.behaviour_ED, [[0.2, 0.2]])


def test_who_has_no_behaviour_is_in_no_cell() -> None:
    search = search_of()
    state = search.init(FIRST_G)
    behaviour = np.full((8, 2), 0.1)
    behaviour[0] = np.nan, 0.1
    genomes = search.ask(state, 0).genomes(FIRST_G, FEW)
    told = tell(search, state, 0, np.arange(8.0), behaviour)
    assert torch.equal(archive_of(search, told.state).genomes_EG[0], genomes[1])
    nobody = tell(search, told.state, 1, np.arange(8.0), [[np.nan, 0.1]])
    for name, tensor in search.tensors(told.state).items():
        assert torch.equal(search.tensors(nobody.state)[name], tensor), name


def test_behaviour_is_the_mean_over_the_lifetimes_that_have_it() -> None:
    search = search_of(popsize=4, lifetimes=2)
    behaviour = np.full((8, 2), 0.1)
    behaviour[:2] = [[0.2, np.nan], [0.6, 0.8]]
    archive = archive_of(
        search, tell(search, search.init(FIRST_G), 0, [0, 0, 1, 1, 2, 2, 3, 3], behaviour).state
    )
    np.testing.assert_allclose(archive.behaviour_ED[-1], [0.4, 0.8])


def test_cells_do_not_overlap_and_leave_nothing_out() -> None:
    axes = (Axis("a", "", "", 0.0, 1.0, 4), Axis("b", "", "", -1.0, 1.0, 3))
    cells = grid(axes)
    assert cells.shape == (12, 2, 2)
    random = np.random.default_rng(0)
    points = random.choice([-9.0, -1.0, 0.0, 0.25, 1 / 3, 0.5, 0.75, 1.0, 9.0], (500, 2))
    at = torch.from_numpy(points).float()
    inside = ((at[:, None] >= cells[:, :, 0]) & (at[:, None] <= cells[:, :, 1])).all(2)
    assert bool((inside.sum(1) == 1).all())
    (half,) = torch.nonzero(inside[(at == torch.tensor([0.5, 0.0])).all(1)][0])
    assert int(half) == 2 * 3 + 1  # an edge belongs to the cell above it


def test_it_asks_for_its_descriptors() -> None:
    search = search_of(descriptors=("reward", "accuracy@first_half"), ranges={})
    asked = asked_of(search.ask(search.init(FIRST_G), 0))
    assert asked == Behaviour(("reward", "accuracy@first_half"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"descriptors": ("acuracy",)}, "unknown descriptor 'acuracy'; did you mean 'accuracy'"),
        ({"descriptors": ()}, "expected at least one"),
        ({"descriptors": ("reward", "reward")}, "each once"),
        ({"bins": (3, 3)}, "64 cells in all"),
        ({"bins": (64,)}, "a number for each of the 2 descriptors"),
        ({"ranges": {"rewrd": (0, 1)}}, "unknown descriptor in ranges"),
        ({"ranges": {"plastic_change": (1, 0)}}, "the lower number first"),
        ({"popsize": 7}, "expected an even number"),
        ({"popsize": 2}, "expected at least 4"),
    ],
)
def test_options_that_do_not_fit_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        MAPElitesConfig(**options)
