"""What every search must do, over the table of searches and a toy whose proposals are arrays."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from evoplastic.benchmark.optimum import FEW, losses, replied, target
from evoplastic.checks import UsageError
from evoplastic.genome.config import GenomeConfig
from evoplastic.genome.genome import Genome
from evoplastic.genome.layout import Layout
from evoplastic.network.neurons import NeuronGroups
from evoplastic.search.asking import Unrolling, asked_of
from evoplastic.search.protocol import AnySearch, Proposal, slices
from tests.evoplastic.search.climbing import EVERY_SEARCH

LAYOUT = Layout(NeuronGroups(num_neurons=12))
CENTER_G = Genome.random(LAYOUT, 0, GenomeConfig()).center_G
POPSIZE, SEED = 16, 17


@pytest.fixture(params=sorted(EVERY_SEARCH))
def search(request: pytest.FixtureRequest) -> AnySearch:
    entry = EVERY_SEARCH[request.param]
    return entry.build(entry.options(popsize=POPSIZE), LAYOUT, seed=SEED, engine="cpu")


def by_gradient(search: AnySearch) -> bool:
    return isinstance(asked_of(search.ask(search.init(CENTER_G), 0)), Unrolling)


def advance(search: AnySearch, state: Any, generations: range, layout: Layout = LAYOUT) -> Any:
    for generation in generations:
        proposal = search.ask(state, generation)
        loss_P = losses(search, state, proposal, layout)
        state = search.tell(state, replied(search, state, proposal, layout), loss_P).state
    return state


def assert_same(search: AnySearch, one: Any, other: Any) -> None:
    ours, theirs = search.tensors(one), search.tensors(other)
    assert set(ours) == set(theirs)
    for name, tensor in ours.items():
        assert tensor.dtype == theirs[name].dtype
        assert torch.equal(tensor, theirs[name]), name


def test_an_entry_says_what_it_is(search: AnySearch) -> None:
    assert search.popsize % POPSIZE == 0
    for name, entry in EVERY_SEARCH.items():
        assert entry.name == name == entry.options().name
        assert entry.title
        assert entry.source


@pytest.mark.parametrize("name", sorted(EVERY_SEARCH))
def test_a_known_optimum_is_reached_within_bounds(name: str) -> None:
    """Where the target is out of bounds, the center ends at the bound."""
    entry = EVERY_SEARCH[name]
    steps = {"learning_rate": 0.03} if name == "gradient" else {"sigma": 0.06}
    options = entry.options(popsize=40, **steps)
    if hasattr(options, "lifetimes"):
        options = replace(options, lifetimes=1)
    search = entry.build(options, FEW, seed=SEED, engine="cpu")
    first_G = FEW.initial(0, GenomeConfig())
    optimum_G = FEW.project(target(FEW))
    assert (optimum_G != target(FEW)).any()
    state = search.init(first_G)
    assert torch.equal(search.center(state), first_G)
    start = float((first_G - optimum_G).square().sum())
    state = advance(search, state, range(100), FEW)
    center_G = search.center(state)
    assert float((center_G - optimum_G).square().sum()) < 0.1 * start
    assert torch.equal(center_G, FEW.project(center_G))
    assert torch.equal(center_G[~FEW.mask_G], first_G[~FEW.mask_G])


def test_a_proposal_is_a_function_of_seed_state_and_generation(search: AnySearch) -> None:
    state = search.init(CENTER_G)
    genomes = [search.ask(state, generation).genomes(CENTER_G, LAYOUT) for generation in (4, 4, 5)]
    assert torch.equal(genomes[0], genomes[1])
    alike = torch.equal(genomes[0], genomes[2])  # lifetimes of the center differ in their trials
    assert alike == by_gradient(search)
    assert genomes[0].shape == (search.popsize, LAYOUT.size)
    assert genomes[0].dtype == torch.float32


@pytest.mark.parametrize("individuals", [1, 6, 7, 40, 1000])
def test_slices_are_the_whole_and_travel(search: AnySearch, individuals: int) -> None:
    proposal = search.ask(search.init(CENTER_G), 3)
    parts = slices(proposal, individuals)
    assert all(0 < part.number <= max(individuals, part.whole) for part in parts)
    assert {part.number for part in parts[:-1]} <= {parts[0].number}
    travelled = [pickle.loads(pickle.dumps(part)) for part in parts]
    for name in ("group_P", "stream_P"):
        joined = np.concatenate([getattr(part, name) for part in travelled])
        np.testing.assert_array_equal(joined, getattr(proposal, name))
        assert joined.dtype == np.int64
    genomes = torch.cat([part.genomes(CENTER_G, LAYOUT) for part in travelled])
    assert torch.equal(genomes, proposal.genomes(CENTER_G, LAYOUT))
    whole: Proposal | None = parts[0]
    for part in parts[1:]:
        assert whole is not None
        whole = whole.joined(part)
    assert whole is not None
    assert (whole.generation, whole.first, whole.number) == (3, 0, search.popsize)
    assert torch.equal(whole.genomes(CENTER_G, LAYOUT), genomes)


def test_slices_that_do_not_follow_are_not_joined(search: AnySearch) -> None:
    state = search.init(CENTER_G)
    first, second, third, *_ = slices(search.ask(state, 3), 4)
    assert first.joined(third) is None
    assert second.joined(first) is None
    assert first.joined(slices(search.ask(state, 4), 4)[1]) is None


def test_failures_count_as_the_worst(search: AnySearch) -> None:
    state = search.init(CENTER_G)
    if by_gradient(search):
        pytest.skip("leaves failures out: tests/evoplastic/search/gradient")
    proposal = replied(search, state, search.ask(state, 0), LAYOUT)
    loss_P = losses(search, state, proposal, LAYOUT)
    worst_P, failed_P = loss_P.copy(), loss_P.copy()
    order = np.argsort(loss_P)
    worst_P[order[-5:]] = loss_P[order[-6]]
    failed_P[order[-5:]] = [np.nan, np.inf, -np.inf, np.nan, np.inf]
    expected = search.tell(state, proposal, worst_P)
    told = search.tell(state, proposal, failed_P)
    assert (told.num_failed, expected.num_failed) == (5, 0)
    assert told.pulled
    assert_same(search, told.state, expected.state)
    assert np.isfinite(list(told.numbers.values())).all()


@pytest.mark.parametrize("loss", [0.32, float("nan"), float("inf")])
def test_losses_that_are_alike_or_failed_leave_the_state(search: AnySearch, loss: float) -> None:
    state = advance(search, search.init(CENTER_G), range(2))
    if by_gradient(search) and np.isfinite(loss):
        pytest.skip("equal losses have gradients")
    proposal = replied(search, state, search.ask(state, 2), LAYOUT)
    told = search.tell(state, proposal, np.full(search.popsize, loss))
    assert not told.pulled
    assert told.num_failed == (0 if np.isfinite(loss) else search.popsize)
    assert_same(search, told.state, state)


def test_a_wrong_number_of_losses_is_refused(search: AnySearch) -> None:
    state = search.init(CENTER_G)
    with pytest.raises(UsageError, match=f"expected popsize = {search.popsize}"):
        search.tell(state, search.ask(state, 0), np.zeros(search.popsize - 2))


def test_a_search_leaves_the_generator_of_torch_alone(search: AnySearch) -> None:
    """And does not listen to it."""
    state = search.init(CENTER_G)
    first = search.ask(state, 0).genomes(CENTER_G, LAYOUT)
    torch.manual_seed(5)
    before = torch.get_rng_state()
    assert torch.equal(search.ask(state, 0).genomes(CENTER_G, LAYOUT), first)
    advance(search, state, range(1))
    assert torch.equal(torch.get_rng_state(), before)


def test_some_ties_and_failures_are_survived(search: AnySearch) -> None:
    """Losses of two values, and NaN in half of them."""
    state = search.init(CENTER_G)
    for generation in range(3):
        proposal = replied(search, state, search.ask(state, generation), LAYOUT)
        loss_P = np.round(losses(search, state, proposal, LAYOUT) / 20)
        loss_P[: search.popsize // 2] = np.nan
        told = search.tell(state, proposal, loss_P)
        state = told.state
        assert told.num_failed == search.popsize // 2
        for name, tensor in search.tensors(state).items():
            assert bool(tensor.isfinite().all()), name


def test_telling_leaves_the_old_state_alone(search: AnySearch) -> None:
    """Checkpoints may hold on to a state."""
    state = advance(search, search.init(CENTER_G), range(2))
    before = {name: tensor.clone() for name, tensor in search.tensors(state).items()}
    advance(search, state, range(2, 4))
    for name, tensor in search.tensors(state).items():
        assert torch.equal(tensor, before[name]), name


def test_warming_up_changes_nothing(search: AnySearch) -> None:
    state = search.init(CENTER_G)
    search.warm_up(state)
    assert_same(search, state, search.init(CENTER_G))


def test_a_search_cut_in_two_equals_a_whole_one(search: AnySearch) -> None:
    """All that a search remembers is in its tensors."""
    whole = advance(search, search.init(CENTER_G), range(6))
    half = advance(search, search.init(CENTER_G), range(3))
    tensors = {name: tensor.numpy().copy() for name, tensor in search.tensors(half).items()}
    restored = search.restore({name: torch.from_numpy(a) for name, a in tensors.items()})
    assert_same(search, advance(search, restored, range(3, 6)), whole)
    with pytest.raises(UsageError, match="tensors"):
        search.restore({"nonsense": torch.zeros(3)})
