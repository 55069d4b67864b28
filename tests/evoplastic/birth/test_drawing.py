"""Random weights at birth: their distribution, their address, and what stays innate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from evoplastic.birth.config import BirthConfig
from evoplastic.birth.drawing import AT_A_TIME, born
from evoplastic.birth.fields import rows
from evoplastic.checks import UsageError
from evoplastic.genome.config import GenomeConfig
from evoplastic.genome.genome import Genome
from evoplastic.genome.layout import Layout
from evoplastic.lifetime.batch import PlasticParams
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.lifetime.fields import genome_fields, scaled
from evoplastic.lifetime.problem import LifetimeProblem
from evoplastic.network.neurons import GROUPS, NUM_GROUPS, NeuronGroups
from evoplastic.random.counters import Purpose, normal, words
from evoplastic.rules.coefficients import Evolvable
from tests.evoplastic.engines.cases import make_bank

NEURONS = NeuronGroups(num_neurons=40)
ADDRESS: dict[str, Any] = {"seed": 3, "epoch": 5, "evaluation": False}
BY_GROUPS: dict[str, Any] = {
    "gain": Evolvable(form="groups", init=1.2, spread=0.4, transform="positive"),
    "density": Evolvable(form="groups", init=0.6, spread=0.15, lower=0.05, upper=0.95),
    "mean": Evolvable(form="groups", spread=0.8),
}


def problem_of(birth: BirthConfig, groups: NeuronGroups = NEURONS) -> LifetimeProblem:
    lifetime = LifetimeConfig(birth=birth)
    return LifetimeProblem(
        layout=Layout(groups, genome_fields(lifetime)),
        lifetime=lifetime,
        train=(make_bank(0, num_entries=4),),
        held_out=(),
        seed=1,
    )


def genomes_of(problem: LifetimeProblem, number: int) -> PlasticParams:
    flat_PG = torch.stack([problem.layout.initial(seed, GenomeConfig()) for seed in range(number)])
    return problem.params(flat_PG)


def drawn(
    birth: BirthConfig, params: PlasticParams, stream_P: Any, **address: Any
) -> PlasticParams:
    return born(params, birth, NEURONS, np.asarray(stream_P), **{**ADDRESS, **address})


def test_innate_weights_are_the_very_tensors() -> None:
    birth = BirthConfig()
    params = genomes_of(problem_of(birth), 2)
    assert drawn(birth, params, [0, 1]) is params


def test_a_weight_is_what_its_equation_says() -> None:
    birth = BirthConfig(weights="random", **BY_GROUPS)
    params = genomes_of(problem_of(birth), 2)
    ours = drawn(birth, params, [7, 9])
    of_each, count = NEURONS.group_of_each, 40 * 40
    for p, stream in ((0, 7), (1, 9)):
        z = normal(3, Purpose.BIRTH, 5, stream, count).reshape(40, 40)
        u = words(3, Purpose.BIRTH, 5, stream, 1, count).reshape(40, 40) / 2.0**32
        for i, j in ((10, 3), (39, 20), (36, 36), (7, 0), (20, 12), (21, 12), (2, 30)):
            gain, density, mean = (
                float(params.birth.values[name][p, of_each[i], of_each[j]]) for name in BY_GROUPS
            )
            there = u[i, j] < density
            expected = (mean + gain * z[i, j]) / np.sqrt(40.0) if there else 0.0
            if i < NEURONS.num_unconnected:
                expected = 0.0
            assert float(ours.w_PNN[p, i, j]) == pytest.approx(expected, rel=1e-5, abs=1e-7)
            assert bool(ours.alpha_PNN[p, i, j] != 0) == there


def test_weights_follow_their_statistics() -> None:
    """256 lifetimes of 40 hidden neurons: a standard error of the mean below 0.003."""
    birth = BirthConfig(weights="random", gain=2.0, density=0.3, mean=-0.5)
    one = genomes_of(problem_of(birth), 1)
    params = one.each(lambda tensor: tensor.expand(256, *tensor.shape[1:]))
    hidden = NEURONS.hidden
    w = drawn(birth, params, np.arange(256)).w_PNN[:, hidden, hidden] * 40.0**0.5
    there = w != 0
    assert float(there.double().mean()) == pytest.approx(0.3, abs=0.005)
    assert float(w[there].mean()) == pytest.approx(-0.5, abs=0.02)
    assert float(w[there].std()) == pytest.approx(2.0, abs=0.02)


def test_draws_depend_on_their_address_alone() -> None:
    birth = BirthConfig(weights="random", **BY_GROUPS)
    number = AT_A_TIME + 3
    one = genomes_of(problem_of(birth), 1)
    params = one.each(lambda tensor: tensor.expand(number, *tensor.shape[1:]))
    stream_P = np.arange(number) // 2
    together = drawn(birth, params, stream_P).w_PNN
    assert torch.equal(together[0], together[1]), "partners share their draws"
    assert not torch.equal(together[0], together[2])
    alone = drawn(birth, one, stream_P[-1:]).w_PNN
    assert torch.equal(alone[0], together[-1])
    for address in ({"seed": 4}, {"epoch": 6}, {"evaluation": True}):
        assert not torch.equal(drawn(birth, one, [0], **address).w_PNN[0], together[0]), address


def test_rows_of_innate_groups_stay_the_genomes() -> None:
    birth = BirthConfig(weights="random", innate=("modulators", "response"))
    problem = problem_of(birth)
    flat_G = problem.layout.initial(2, GenomeConfig())
    innate_N = rows(birth.innate, NEURONS)[:, 0]
    mask_NN = problem.layout.mask_G[problem.layout.slices["w"]].view(40, 40)
    assert torch.equal(mask_NN.any(1), innate_N)
    flat_G = flat_G + problem.layout.scale_G  # a mutation of every gene that may change
    params = problem.params(flat_G[None])
    first, second = (drawn(birth, params, [stream]) for stream in (0, 1))
    for ours in (first, second):
        assert torch.equal(ours.w_PNN[0, innate_N], params.w_PNN[0, innate_N])
        assert torch.equal(ours.alpha_PNN[0, innate_N], params.alpha_PNN[0, innate_N])
    assert (params.w_PNN[0, innate_N] != 0).all()
    hidden = NEURONS.hidden
    assert not torch.equal(first.w_PNN[0, hidden], second.w_PNN[0, hidden])


def test_genes_are_statistics_and_no_weights() -> None:
    problem = problem_of(BirthConfig(weights="random", alpha=Evolvable(form="groups", init=0.5)))
    assert problem.layout.size == 4 * NUM_GROUPS**2 == 4 * len(GROUPS) ** 2
    params = genomes_of(problem, 2)
    assert (params.alpha_PNN == 0.5).all()
    off = problem.params(problem.layout.initial(0, GenomeConfig())[None], without=("alpha",))
    assert (off.alpha_PNN == 0).all()


def test_a_genome_file_brings_its_statistics_back(tmp_path: Path) -> None:
    problem = problem_of(BirthConfig(weights="random", **BY_GROUPS))
    genome = Genome.random(problem.layout, 3, GenomeConfig())
    genome.save(tmp_path / "g.safetensors")
    read = Genome.load(tmp_path / "g.safetensors")
    assert read.digest == genome.digest
    assert list(read.values) == ["alpha", "birth.gain", "birth.density", "birth.mean"]
    with pytest.raises(
        UsageError,
        match=r"fields \[alpha, birth.gain \(types:7, positive\).*needs \[w, alpha\]",
    ):
        LifetimeProblem(
            layout=read.layout, lifetime=LifetimeConfig(), train=problem.train, held_out=(), seed=1
        )


def test_more_cell_types_than_neurons_are_refused() -> None:
    types = Evolvable(form="cell_types", number=41)
    with pytest.raises(
        UsageError, match=r"lifetime.birth.mean has form 'cell_types' .* 40 neurons"
    ):
        problem_of(BirthConfig(weights="random", mean=types))


def test_scales_are_those_of_the_recipe() -> None:
    fields = genome_fields(LifetimeConfig(birth=BirthConfig(weights="random")))
    by_name = {field.name: field.scale for field in scaled(fields, {"birth.gain": 0.1})}
    assert by_name == {"alpha": 1.0, "birth.gain": 0.1, "birth.density": 1.0, "birth.mean": 1.0}
    with pytest.raises(UsageError, match=r"genome.scales 'birth.gian'; did you mean 'birth.gain'"):
        scaled(fields, {"birth.gian": 0.1})
    with pytest.raises(UsageError, match="expected more than 0"):
        scaled(fields, {"birth.gain": -0.1})
