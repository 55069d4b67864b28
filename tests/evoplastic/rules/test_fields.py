"""Numbers of a rule in a genome: how many, where they begin, what each connection gets of them."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from evoplastic.checks import UsageError
from evoplastic.genome.catalogue import PUBLISHED
from evoplastic.genome.config import GenomeConfig
from evoplastic.genome.genome import Genome
from evoplastic.genome.layout import Layout
from evoplastic.network.neurons import NeuronGroups
from evoplastic.rules.coefficients import Evolvable
from evoplastic.rules.config import RuleConfig
from evoplastic.rules.decoding import clusters, decode, expand
from evoplastic.rules.fields import rule_fields
from evoplastic.rules.params import Coefficient
from tests.evoplastic.rules.forms import FORMS

GROUPS = NeuronGroups(num_neurons=13)
N = GROUPS.num_neurons


def at(part: Coefficient, i: int, j: int) -> float:
    """What connection j -> i of the first individual is multiplied by."""
    value = 1.0
    if part.of_target is not None:
        value *= float(part.of_target[0, i])
    if part.of_source is not None:
        value *= float(part.of_source[0, j])
    if part.of_pair is not None:
        value *= float(part.of_pair[0, i, j])
    return value


def number_of(chosen: Evolvable, value: Tensor, i: int, j: int) -> float:
    """The same by the definition of each form."""
    match chosen.form:
        case "scalar":
            return float(value)
        case "target":
            return float(value[i])
        case "source":
            return float(value[j])
        case "rank_one":
            return float(value[0, i] * value[1, j])
        case "connection":
            return float(value[i, j])
        case "cell_types":
            assert chosen.number
            return float(value[i % chosen.number, j % chosen.number])
        case "groups":
            of_each = GROUPS.group_of_each
            return float(value[of_each[i], of_each[j]])
        case "clustered":
            assert chosen.number
            if chosen.assignment == "target_type":
                return float(value[i % chosen.number])
            return float(value[clusters(chosen, N)[i, j]])


CHOSEN = {
    f"{name} {each}": setting
    for name, options in FORMS.items()
    for each, setting in {**options.get("coefficients", {}), "eta": options.get("eta")}.items()
    if isinstance(setting, Evolvable)
}


@pytest.mark.parametrize("name", CHOSEN)
def test_a_connection_gets_what_its_form_says(name: str) -> None:
    chosen = CHOSEN[name]
    field = rule_fields(RuleConfig(eta=chosen))[0]
    value = field.init(GROUPS, 5, GenomeConfig())
    assert value.shape == field.sizes(GROUPS)
    part = expand(chosen, GROUPS, value[None])
    for i in range(N):
        for j in range(N):
            assert at(part, i, j) == pytest.approx(number_of(chosen, value, i, j), abs=1e-6)


def test_products_are_those_of_their_parts() -> None:
    rule = RuleConfig(**FORMS["rate per connection times all"])
    values = {
        field.name: field.init(GROUPS, 2, GenomeConfig())[None] for field in rule_fields(rule)
    }
    decoded = decode(rule, GROUPS, values)
    eta = rule.settings["eta"]
    assert isinstance(eta, Evolvable)
    for name in ("A", "B", "C", "D"):
        setting = rule.settings[name]
        for i, j in ((0, 0), (3, 12), (12, 3)):
            expected = number_of(eta, values["rule.eta"][0], i, j)
            if isinstance(setting, Evolvable):
                expected *= number_of(setting, values[f"rule.{name}"][0], i, j)
            else:
                expected *= setting
            assert at(decoded.coefficients["eta", name], i, j) == pytest.approx(expected, rel=1e-5)


def test_clusters_are_used_evenly_and_follow_their_stream() -> None:
    chosen = Evolvable(form="clustered", number=4)
    one, other = clusters(chosen, 70), clusters(replace(chosen, stream=1), 70)
    counts = torch.bincount(one.reshape(-1), minlength=4)
    assert counts.min() > 4900 / 4 - 4 * math.sqrt(4900 * 3 / 16)
    assert not torch.equal(one, other)
    assert torch.equal(one, clusters(chosen, 70))


@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        ({"name": "oja"}, 0),
        ({"name": "abcd"}, 4 * N * N),
        ({"name": "abcd_rates"}, 5 * N * N),
        ({"name": "abcd_rank_one"}, 4 * 2 * N),
        ({"name": "abcd_clustered"}, 5 * 64),
        ({"name": "hebb", "coefficients": {"decay": Evolvable(form="target")}}, N),
        ({"eta": Evolvable(form="cell_types", number=3)}, 9),
        ({"tau_elig_ms": Evolvable(init=900.0, transform="positive")}, 1),
    ],
)
def test_a_genome_has_a_number_for_each_that_is_evolved(
    options: dict[str, Any], numbers: int
) -> None:
    layout = Layout(GROUPS, (*PUBLISHED, *rule_fields(RuleConfig(**options))))
    assert layout.size == 2 * N * N + numbers


def test_first_values_lie_around_init_and_each_field_has_its_own() -> None:
    rule = RuleConfig(
        name="abcd",
        eta=Evolvable(form="connection", init=0.5, spread=0.2, transform="positive"),
        coefficients={"A": Evolvable(form="connection", init=2.0, spread=0.1)},
    )
    fields = {field.name: field for field in rule_fields(rule)}
    groups = NeuronGroups(num_neurons=40)
    eta, a, b = (
        fields[f"rule.{name}"].init(groups, 1, GenomeConfig()) for name in ("eta", "A", "B")
    )
    assert float(eta.log().mean()) == pytest.approx(math.log(0.5), abs=0.02)
    assert float(eta.log().std()) == pytest.approx(0.2, abs=0.02)
    assert (float(a.mean()), float(a.std())) == pytest.approx((2.0, 0.1), abs=0.01)
    correlation = torch.corrcoef(torch.stack([a.reshape(-1), b.reshape(-1)]))[0, 1]
    assert abs(float(correlation)) < 0.1


@pytest.mark.parametrize("form", ["target", "source"])
def test_groups_of_neurons_may_begin_elsewhere(form: Any) -> None:
    chosen = Evolvable(form=form, init=0.2, init_of={"modulators": 3.0, "bias": -1.0})
    value_N = rule_fields(RuleConfig(eta=chosen))[0].init(GROUPS, 5, GenomeConfig())
    expected_N = torch.full((N,), 0.2)
    expected_N[GROUPS.modulators] = 3.0
    expected_N[GROUPS.bias] = -1.0
    assert torch.equal(value_N, expected_N)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"form": "scalar", "init_of": {"bias": 1.0}}, "no number for each neuron; drop it"),
        ({"form": "target", "init_of": {"modulator": 1.0}}, "did you mean 'modulators'?"),
        ({"form": "target", "init_of": {"bias": math.inf}}, "init_of bias is inf"),
        ({"form": "target", "upper": 0.5, "init_of": {"bias": 1.0}}, "init is 1.0, expected"),
        (
            {"form": "target", "init": 1.0, "init_of": {"bias": 0.0}, "transform": "positive"},
            "init_of bias is 0.0, expected a finite number, 1e-30 or more",
        ),
    ],
)
def test_groups_that_cannot_begin_elsewhere_are_refused(
    options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        Evolvable(**options)


def test_a_genome_file_brings_its_fields_back(tmp_path: Path) -> None:
    rule = RuleConfig(name="abcd_clustered", eta=Evolvable(init=0.1, transform="positive"))
    layout = Layout(GROUPS, (*PUBLISHED, *rule_fields(rule)))
    genome = Genome.random(layout, 3, GenomeConfig())
    genome.save(tmp_path / "g.safetensors")
    read = Genome.load(tmp_path / "g.safetensors")
    assert read.digest == genome.digest
    assert list(read.values) == ["w", "alpha", "rule.eta", *(f"rule.{n}" for n in "ABCD")]
    assert all(torch.equal(value, genome.values[name]) for name, value in read.values.items())
    with pytest.raises(UsageError, match="start from the recipe"):
        Genome.random(read.layout, 3, GenomeConfig())
