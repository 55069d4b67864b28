"""A genome goes on in a run of other fields and sizes: what is kept, filled and dropped."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from cluster.config.run import load_config
from cluster.experiment import build_experiment
from evoplastic.checks import UsageError
from evoplastic.genome.adapting import warm_start
from evoplastic.genome.config import GenomeConfig
from evoplastic.genome.genome import SCHEMA, Genome
from evoplastic.genome.layout import Layout
from evoplastic.genome.parents import OPERATOR, Parent
from evoplastic.network.neurons import GROUPS, NeuronGroups
from evoplastic.storage import read_tensors, write_tensors

CONFIG = GenomeConfig()
OLD = Layout(NeuronGroups(num_neurons=14))


def an_old_one() -> Genome:
    drawn = Genome.random(OLD, 3, CONFIG)
    return Genome(OLD, drawn.center_G, {"run_id": "old-run", "generation": "40"})


def test_a_genome_of_the_same_layout_goes_on_as_it_is() -> None:
    source = an_old_one()
    started = warm_start(source, OLD, 9, CONFIG, adapt=False)
    assert started.first.digest == source.digest
    assert started.first.parents == (Parent(source.digest, "old-run", 40),)
    assert started.first.operator == "warm start"
    assert not started.filled
    assert not started.dropped
    assert not started.moved


def test_old_neurons_keep_their_weights_and_new_ones_begin_as_the_recipe_says() -> None:
    source = an_old_one()
    layout = Layout(NeuronGroups(num_neurons=19, num_inputs=3, num_outputs=3))
    started = warm_start(source, layout, 9, CONFIG, adapt=True)
    counts = {"stimulus": 1, "action": 1, "hidden": 2, "response": 1}
    assert started.filled == tuple(f"{count} {name} neurons" for name, count in counts.items())
    old, new = source.groups, layout.groups
    sizes = [2, 2, 1, 2, 3, 2, 2]
    places = [
        (old.rows_of(group).start + place, new.rows_of(group).start + place)
        for group, size in zip(GROUPS, sizes, strict=True)
        for place in range(size)
    ]
    assert len(places) == 14
    begun = Genome.random(layout, 9, CONFIG).values
    mapped = {to for _, to in places}
    for name, value in started.first.values.items():
        for i, to_i in places:
            for j, to_j in places:
                assert value[to_i, to_j] == source.values[name][i, j]
        new_rows = [row for row in range(19) if row not in mapped]
        assert torch.equal(value[new_rows], begun[name][new_rows])


def test_what_a_smaller_network_has_no_place_for_is_dropped_and_said() -> None:
    layout = Layout(NeuronGroups(num_neurons=13))
    started = warm_start(an_old_one(), layout, 9, CONFIG, adapt=True)
    assert started.dropped == ("1 hidden neurons",)
    assert started.first.provenance["dropped"] == "1 hidden neurons"
    assert started.first.provenance[OPERATOR] == "warm start"


def test_fields_that_one_of_both_lacks_are_listed_and_filled_when_asked(tmp_path: Path) -> None:
    eta = "rule.eta={form: target, init: 0.1, transform: positive}"
    layout = build_experiment(load_config("smoke", [eta])).layout
    source = Genome.random(build_experiment(load_config("smoke")).layout, 1, CONFIG)
    with pytest.raises(UsageError, match=r"lacks field rule.eta \(N\).*--adapt") as refused:
        warm_start(source, layout, 9, CONFIG, adapt=False)
    assert "the genome has the fields w (NN), alpha (NN) for 16 neurons" in str(refused.value)
    assert "the recipe has the fields w (NN), alpha (NN), rule.eta (N)" in str(refused.value)
    started = warm_start(source, layout, 9, CONFIG, adapt=True)
    assert torch.equal(started.first.values["w"], source.values["w"])
    assert torch.allclose(started.first.values["rule.eta"], torch.full((16,), 0.1))
    back = warm_start(started.first, source.layout, 9, CONFIG, adapt=True)
    assert back.dropped == ("field rule.eta (N)",)
    assert back.first.digest == source.digest


def test_numbers_out_of_the_recipes_bounds_are_refused_or_put_on_them() -> None:
    tau = "lifetime.dynamics.tau_ms={form: target, init: %s, transform: positive, lower: %s}"
    old = build_experiment(load_config("smoke", [tau % (50, 20)])).layout
    new = build_experiment(load_config("smoke", [tau % (100, 90)])).layout
    source = Genome.random(old, 1, CONFIG)
    with pytest.raises(UsageError, match=r"16 numbers of dynamics\.tau_ms out of the bounds"):
        warm_start(source, new, 1, CONFIG, adapt=False)
    started = warm_start(source, new, 1, CONFIG, adapt=True)
    assert started.moved == ("16 numbers of dynamics.tau_ms",)
    assert torch.allclose(started.first.values["dynamics.tau_ms"], torch.full((16,), 90.0))


def test_a_file_keeps_any_number_of_parents_and_one_of_earlier_versions_its_one(
    tmp_path: Path,
) -> None:
    parents = (Parent("a" * 64, "one", 3), Parent("b" * 64))
    genome = Genome(OLD, an_old_one().center_G, {OPERATOR: "ga"}, parents)
    genome.save(tmp_path / "g.safetensors")
    loaded = Genome.load(tmp_path / "g.safetensors")
    assert (loaded.parents, loaded.operator) == (parents, "ga")
    tensors, header = read_tensors(tmp_path / "g.safetensors", (SCHEMA,), "genome")
    del header["parents"]
    header["provenance"] = {"run_id": "old", "generation": "4", "parent": "c" * 64}
    write_tensors(tmp_path / "old.safetensors", tensors, header)
    assert Genome.load(tmp_path / "old.safetensors").parents == (Parent("c" * 64, "old"),)
    for wrong in ("x", [3], [{"digest": "a"}], [{"digest": "a", "run_id": "", "generation": 1}]):
        write_tensors(tmp_path / "bad.safetensors", tensors, header | {"parents": wrong})
        with pytest.raises(UsageError, match=r"bad\.safetensors is not a whole genome"):
            Genome.load(tmp_path / "bad.safetensors")
