"""Layouts: fields end to end, bounds, scales and transforms, with toy fields of every shape."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from evoplastic.checks import UsageError
from evoplastic.genome.catalogue import ALPHA, FIELDS, PUBLISHED, W
from evoplastic.genome.config import GenomeConfig
from evoplastic.genome.describe import describe_genome, distances
from evoplastic.genome.fields import Field
from evoplastic.genome.genome import Genome
from evoplastic.genome.layout import Layout
from evoplastic.lifetime.fields import scaled
from evoplastic.network.neurons import NeuronGroups
from evoplastic.search.config import ESConfig
from evoplastic.search.mutation import accumulate_mutations, perturbed_pairs

GROUPS = NeuronGroups(num_neurons=13)
SMALL = Layout(GROUPS)


def _fast_only(groups: NeuronGroups) -> torch.Tensor:
    mask_N = torch.ones(groups.num_neurons, dtype=torch.bool)
    mask_N[:4] = False
    return mask_N


TAU = Field(
    name="tau_ms",
    title="time constant of each neuron",
    shape="N",
    init=lambda groups, seed, config: torch.full((groups.num_neurons,), 100.0),
    lower=20.0,
    upper=400.0,
    transform="positive",
    scale=2.0,
    mutable=_fast_only,
)
ETA = Field(
    name="eta",
    title="learning rate",
    shape="scalar",
    init=lambda groups, seed, config: torch.tensor(0.03),
    upper=1.0,
    scale=0.5,
)
TOY = Layout(GROUPS, (W, TAU, ETA, ALPHA))


def test_published_genome_length() -> None:
    assert Layout(NeuronGroups()).size == 9_800


def test_fields_lie_end_to_end() -> None:
    assert SMALL.slices == {"w": slice(0, 169), "alpha": slice(169, 338)}
    assert TOY.slices == {
        "w": slice(0, 169),
        "tau_ms": slice(169, 182),
        "eta": slice(182, 183),
        "alpha": slice(183, 352),
    }
    assert TOY.size == 352
    assert [TOY.place(gene) for gene in (0, 171, 182, 351)] == [
        "w[0, 0]",
        "tau_ms[2]",
        "eta",
        "alpha[12, 12]",
    ]


def test_split_undoes_join_and_shares_memory() -> None:
    w_NN = torch.arange(169.0).reshape(13, 13)
    alpha_NN = -w_NN.T
    flat_PG = torch.stack([SMALL.join({"w": w_NN, "alpha": alpha_NN}), torch.zeros(338)])
    values = SMALL.values(flat_PG)
    assert torch.equal(values["w"][0], w_NN)
    assert torch.equal(values["alpha"][0], alpha_NN)
    values["alpha"][1, 2, 3] = 5.0
    assert flat_PG[1].nonzero().tolist() == [[169 + 2 * 13 + 3]]
    assert flat_PG[1, SMALL.slices["alpha"]].sum() == 5.0


def test_a_field_is_left_out_by_name() -> None:
    flat_PG = torch.rand(2, 338)
    values = SMALL.values(flat_PG, without=("alpha",))
    assert torch.equal(values["w"], SMALL.values(flat_PG)["w"])
    assert not values["alpha"].any()
    with pytest.raises(UsageError, match="unknown field of the genome 'alpa'; did you mean"):
        SMALL.values(flat_PG, without=("alpa",))


def test_a_flat_genome_of_another_size_is_refused() -> None:
    with pytest.raises(UsageError, match=r"shape \(2, 338, 1\).*G = 338 for 13 neurons"):
        SMALL.split(torch.zeros(2, 338, 1))
    with pytest.raises(UsageError, match=r"shape \(1, 300\)"):
        SMALL.split(torch.zeros(1, 300))


def test_values_that_do_not_make_a_genome_are_refused() -> None:
    square = torch.zeros(13, 13)
    with pytest.raises(UsageError, match=r"fields \['w'\] came, expected \['alpha', 'w'\]"):
        SMALL.join({"w": square})
    with pytest.raises(UsageError, match=r"\['alpha', 'beta', 'w'\] came"):
        SMALL.join({"w": square, "alpha": square, "beta": square})
    with pytest.raises(UsageError, match=r"'alpha' has shape \(13,\), expected \(13, 13\)"):
        SMALL.join({"w": square, "alpha": torch.zeros(13)})


def test_only_innate_weights_onto_unconnected_neurons_are_masked() -> None:
    mask = SMALL.split(SMALL.mask_G[None].to(torch.float32))
    assert mask["alpha"].all()
    assert mask["w"][0].sum(1).tolist() == [0.0] * 5 + [13.0] * 8
    assert torch.equal(SMALL.scale_G, SMALL.mask_G.to(torch.float32))


def test_scales_hold_field_by_field_and_are_zero_outside_the_mask() -> None:
    scale = TOY.split(TOY.scale_G[None])
    assert scale["tau_ms"][0].tolist() == [0.0] * 4 + [2.0] * 9
    assert scale["eta"].tolist() == [0.5]
    assert scale["alpha"].unique().tolist() == [1.0]


def test_what_lies_onto_a_group_has_a_scale_of_its_own() -> None:
    layout = Layout(GROUPS, scaled((W, ALPHA, TAU), {"w.modulators": 0.1, "tau_ms.hidden": 3.0}))
    scale = layout.split(layout.scale_G[None])
    rows = scale["w"][0, :, 0]
    assert rows[GROUPS.modulators].unique().tolist() == pytest.approx([0.1])
    assert rows[GROUPS.hidden].unique().tolist() == [1.0]
    assert scale["tau_ms"][0, GROUPS.hidden].unique().tolist() == [3.0]
    assert scale["alpha"].unique().tolist() == [1.0]
    with pytest.raises(UsageError, match="'eta' of shape 'scalar' has no numbers for each neuron"):
        scaled((ETA,), {"eta.hidden": 2.0})
    with pytest.raises(UsageError, match=r"in the scales of 'w' 'modulator'; did you mean"):
        scaled((W,), {"w.modulator": 2.0})
    with pytest.raises(UsageError, match="scale of 'w' onto 'hidden' is 0"):
        scaled((W,), {"w.hidden": 0.0})


@pytest.mark.parametrize("engine", ["reference", "cpu"])
def test_a_scale_multiplies_the_mutations_of_its_field_alone(engine: str) -> None:
    plain = Layout(GROUPS, (W, replace(TAU, scale=1.0), replace(ETA, scale=1.0), ALPHA))
    config = ESConfig(popsize=4)
    zero_G, weights = torch.zeros(TOY.size), np.array([0.0, 1.5])
    changes, sums = [], []
    for layout in (TOY, plain):
        changes.append(perturbed_pairs(zero_G, layout, config, 3, 1, 0, 2, engine=engine)[2])
        sum_G = np.zeros(layout.size)
        accumulate_mutations(sum_G, layout, config, 3, 1, 0, weights, engine=engine)
        sums.append(torch.from_numpy(sum_G))
    ratio_G = torch.ones(TOY.size)
    ratio_G[TOY.slices["tau_ms"]], ratio_G[TOY.slices["eta"]] = 2.0, 0.5  # exact in float32
    for larger, bare in (changes, sums):
        assert torch.equal(larger, ratio_G * bare)
        assert (bare[TOY.mask_G] != 0).all()
        assert not bare[~TOY.mask_G].any()


def test_a_positive_field_is_searched_as_its_logarithm() -> None:
    flat_G = TOY.initial(1, GenomeConfig())
    stored = TOY.split(flat_G[None])["tau_ms"][0]
    np.testing.assert_allclose(stored, np.log(100.0), rtol=1e-6)
    value = TOY.values(flat_G[None])["tau_ms"][0]
    np.testing.assert_allclose(value, 100.0, rtol=1e-5)
    flat_G[TOY.slices["tau_ms"]] -= 1000.0
    assert (TOY.values(flat_G[None])["tau_ms"] >= 0.0).all()


def test_projection_keeps_every_field_within_its_bounds_and_the_rest_alone() -> None:
    flat_G = 20.0 * torch.randn(TOY.size, generator=torch.Generator().manual_seed(0))
    within = TOY.values(TOY.project(flat_G)[None])
    values = TOY.values(flat_G[None])
    assert torch.equal(within["w"], values["w"])
    assert torch.equal(within["alpha"], values["alpha"].clamp(min=0.0))
    np.testing.assert_allclose(
        within["tau_ms"], values["tau_ms"].clamp(min=20.0, max=400.0), rtol=1e-6
    )
    assert within["tau_ms"].max() > 399.0
    assert float(within["eta"]) <= 1.0
    inside_G = TOY.project(flat_G)
    assert torch.equal(TOY.project(inside_G), inside_G)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"shape": "NNN"}, "unknown shape of a field 'NNN'"),
        ({"transform": "positiv"}, "did you mean 'positive'"),
        ({"scale": 0.0}, "scale of field 'tau_ms' is 0.0, expected more than 0"),
        ({"lower": 500.0}, "are 500.0 and 400.0, expected lower < upper"),
        ({"lower": -1.0}, "but it is positive"),
    ],
)
def test_fields_that_make_no_sense_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        replace(TAU, **changes)  # type: ignore[arg-type]


def test_layouts_without_fields_or_with_one_twice_are_refused() -> None:
    with pytest.raises(UsageError, match="no field"):
        Layout(GROUPS, ())
    with pytest.raises(UsageError, match="one name twice"):
        Layout(GROUPS, (W, W))


def test_a_layout_travels_without_its_masks() -> None:
    SMALL.mask_G.sum()
    travelled = pickle.loads(pickle.dumps(SMALL))
    assert travelled == SMALL
    assert "mask_G" not in vars(travelled)


def test_a_genome_of_toy_fields_is_saved_read_and_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for field in (TAU, ETA):
        monkeypatch.setitem(FIELDS, field.name, field)
    genome = Genome.random(TOY, 1, GenomeConfig())
    genome.save(tmp_path / "toy.safetensors")
    loaded = Genome.load(tmp_path / "toy.safetensors")
    assert torch.equal(loaded.center_G, genome.center_G), "stored numbers, not their values"
    assert loaded.layout == TOY
    moved_G = genome.center_G.clone()
    moved_G[TOY.slices["eta"]] += 0.25
    apart = distances(genome, Genome(TOY, moved_G))
    assert {name: round(found["distance"], 5) for name, found in apart.items()} == {
        "w": 0.0,
        "tau_ms": 0.0,
        "eta": 0.25,
        "alpha": 0.0,
    }
    assert describe_genome(genome)["eta"]["mean"] == pytest.approx(0.03)


def test_the_same_numbers_under_other_fields_have_another_digest() -> None:
    flat_G = torch.zeros(338)
    other = Layout(GROUPS, (ALPHA, W))
    assert Genome(other, flat_G).digest != Genome(SMALL, flat_G).digest
    bare = replace(ETA, transform="positive")
    one, two = (Genome(Layout(GROUPS, (*PUBLISHED, eta)), torch.zeros(339)) for eta in (ETA, bare))
    assert one.digest != two.digest


def test_genomes_of_other_fields_are_not_compared() -> None:
    one = Genome(SMALL, torch.zeros(338))
    with pytest.raises(UsageError, match="fields"):
        distances(one, Genome(TOY, torch.zeros(352)))
    with pytest.raises(UsageError, match="only genomes with the same neuron groups"):
        distances(one, Genome(Layout(NeuronGroups(num_neurons=14)), torch.zeros(392)))
