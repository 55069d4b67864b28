"""The adapter: who meets what, which numbers move, what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from evoplastic import machine
from evoplastic.checks import UsageError
from evoplastic.genome.catalogue import ALPHA
from evoplastic.genome.fields import Field
from evoplastic.genome.layout import Layout
from evoplastic.network.neurons import NeuronGroups
from evoplastic.search.catalogue import SEARCHES
from evoplastic.search.protocol import AnySearch

GROUPS = NeuronGroups(num_neurons=12)
LAYOUT = Layout(GROUPS)
ADAPTED = sorted(name for name, entry in SEARCHES.items() if hasattr(entry.options(), "lifetimes"))


def build(name: str, layout: Layout = LAYOUT, **options: Any) -> AnySearch:
    entry = SEARCHES[name]
    return entry.build(entry.options(**options), layout, seed=4, engine="cpu")


def test_what_is_adapted() -> None:
    gaussians, populations = ("cem", "cmaes", "pgpe", "snes", "xnes"), ("ga", "steady_state_ga")
    assert sorted([*gaussians, *populations, "cosyne", "map_elites"]) == ADAPTED


@pytest.mark.parametrize("name", ADAPTED)
def test_all_individuals_meet_the_same_lifetimes(name: str) -> None:
    search = build(name, popsize=8, lifetimes=3)
    proposal = search.ask(search.init(torch.zeros(LAYOUT.size)), 2)
    assert search.popsize == proposal.number == 24
    np.testing.assert_array_equal(proposal.group_P, [0, 1, 2] * 8)
    np.testing.assert_array_equal(proposal.stream_P, proposal.group_P)
    genomes_PG = proposal.genomes(torch.zeros(LAYOUT.size), LAYOUT)
    assert torch.equal(genomes_PG[0::3], genomes_PG[2::3])
    assert len(torch.unique(genomes_PG, dim=0)) > 4  # of cosyne, some are not permuted


def test_fitness_is_the_mean_over_lifetimes() -> None:
    once, thrice = build("snes", popsize=8, lifetimes=1), build("snes", popsize=8, lifetimes=3)
    state = once.init(torch.zeros(LAYOUT.size))
    mean_P = np.array([3.0, 1.0, 4.0, 1.5, 9.0, 2.0, 6.0, 5.0])
    loss_P = (mean_P[:, None] + np.array([-0.5, 0.0, 0.5])).reshape(-1)
    told = thrice.tell(state, thrice.ask(state, 0), loss_P)
    expected = once.tell(state, once.ask(state, 0), mean_P)
    assert torch.equal(thrice.center(told.state), once.center(expected.state))


@pytest.mark.parametrize("name", ADAPTED)
def test_individuals_keep_to_mask_bounds_and_scales(name: str) -> None:
    twice = Field(**{**vars(ALPHA), "name": "twice", "lower": None, "scale": 4.0})
    layout = Layout(GROUPS, (*LAYOUT.fields, twice))
    center_G = torch.cat([torch.randn(144), torch.zeros(144), torch.zeros(144)])
    search = build(name, layout, popsize=16, lifetimes=1, sigma=0.1)
    genomes_PG = search.ask(search.init(center_G), 0).genomes(center_G, layout)
    assert torch.equal(genomes_PG[:, ~layout.mask_G], center_G[~layout.mask_G].expand(16, -1))
    fields = layout.split(genomes_PG - center_G)
    assert float(fields["alpha"].min()) == 0.0
    ratio = float(fields["twice"].std() / fields["w"][:, layout.mask_G[:144].view(12, 12)].std())
    assert ratio == pytest.approx(4.0, rel=0.25)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("snes", {"popsize": 1}, "popsize is 1, expected at least 2"),
        ("snes", {"lifetimes": 0}, "lifetimes is 0, expected at least 1"),
        ("xnes", {"sigma": 0.0}, "sigma is 0.0, expected more than 0"),
        ("snes", {"learning_rate": -1.0}, "learning_rate is -1.0"),
        ("xnes", {"stdev_learning_rate": -1.0}, "stdev_learning_rate is -1.0"),
        ("pgpe", {"popsize": 9}, "popsize is 9, expected an even number"),
        ("pgpe", {"learning_rate": 0.0}, "learning_rate is 0.0"),
        ("pgpe", {"momentum": 1.0}, "momentum is 1.0"),
        ("pgpe", {"stdev_max_change": 0.0}, "stdev_max_change is 0.0"),
        ("cem", {"parents": 1.5}, r"parents is 1.5, expected a share in \(0, 1\]"),
        ("cem", {"popsize": 6, "parents": 0.2}, "less than 2 of popsize = 6"),
        ("cem", {"stdev_min": -1.0}, "stdev_min is -1.0"),
        ("cmaes", {"popsize": 3}, "popsize is 3, expected at least 4"),
        ("cmaes", {"stdev_min": 0.0}, "stdev_min is 0.0"),
        ("ga", {"popsize": 6}, "popsize is 6, expected a multiple of 4"),
        ("ga", {"tournament_size": 0}, "tournament_size is 0"),
        ("ga", {"mutation_probability": 0.0}, "mutation_probability is 0.0"),
        ("steady_state_ga", {"children": 1.0}, "leaves 0 parents"),
        ("cosyne", {"popsize": 7}, "popsize is 7, expected at least 8"),
        ("cosyne", {"elites": 64}, "elites is 64, expected 1 to 63"),
        ("low_rank_es", {"rank": 0}, "rank is 0, expected at least 1"),
        ("low_rank_es", {"popsize": 7}, "popsize is 7, expected an even number"),
    ],
)
def test_impossible_options_are_refused(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        SEARCHES[name].options(**options)


def test_what_does_not_fit_in_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "memory_bytes", lambda: 20_000_000)
    assert build("snes", popsize=128)
    with pytest.raises(
        UsageError, match=r"50,000 individuals of 288 numbers takes 0\.3456 GB.*has "
    ):
        build("snes", popsize=50_000)
    assert build("cmaes", popsize=128)
    expected = r"'cmaes' keeps matrices of 228 x 228 numbers.*search\.covariance=separable"
    with pytest.raises(UsageError, match=expected):
        build("cmaes", popsize=128, covariance="full")
    with pytest.raises(UsageError, match=r"'xnes' keeps matrices of 228 x 228.*search=snes"):
        build("xnes", popsize=128)
    assert build("low_rank_es", popsize=50_000)


def test_this_machine_has_memory(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert machine.memory_bytes() > 1 << 28
    (tmp_path / "limit").write_text("123456789\n")
    monkeypatch.setattr(machine, "CONTAINER_MEMORY", tmp_path / "limit")
    assert machine.memory_bytes() == 123456789
    (tmp_path / "limit").write_text("max\n")
    assert machine.memory_bytes() > 1 << 28


def test_a_genome_in_which_nothing_may_mutate_is_refused() -> None:
    fixed = Field(
        **{**vars(ALPHA), "mutable": lambda groups: torch.zeros((12, 12), dtype=torch.bool)}
    )
    with pytest.raises(UsageError, match="no number of the genome may mutate"):
        build("snes", Layout(GROUPS, (fixed,)))


def test_tensors_of_other_shapes_are_refused() -> None:
    search = build("snes")
    tensors = search.tensors(search.init(torch.zeros(LAYOUT.size)))
    with pytest.raises(UsageError, match=r"stdev_F of the state has shape \(3,\)"):
        search.restore({**tensors, "stdev_F": torch.zeros(3)})
