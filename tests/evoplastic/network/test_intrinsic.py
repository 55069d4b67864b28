"""Time constants and thresholds as fields of a genome: forms, bounds, and what is refused."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch

from evoplastic.checks import UsageError
from evoplastic.genome.config import GenomeConfig
from evoplastic.genome.evolved import DYNAMICS
from evoplastic.genome.layout import Layout
from evoplastic.lifetime.config import DynamicsConfig, LifetimeConfig
from evoplastic.lifetime.fields import genome_fields
from evoplastic.lifetime.problem import LifetimeProblem
from evoplastic.network.intrinsic import decode_intrinsic, intrinsic_fields
from evoplastic.network.neurons import GROUPS as NAMES
from evoplastic.network.neurons import NeuronGroups
from evoplastic.rules.coefficients import Evolvable, Form
from tests.evoplastic.engines.cases import make_bank

GROUPS = NeuronGroups(num_neurons=17)
POSITIVE: dict[str, Any] = {"init": 80.0, "transform": "positive", "lower": 20.0}
FORMS: dict[Form, tuple[dict[str, Any], int]] = {
    "scalar": ({}, 1),
    "target": ({}, 17),
    "cell_types": ({"number": 3}, 3),
    "groups": ({}, len(NAMES)),
}


@pytest.mark.parametrize("form", FORMS)
def test_each_neuron_gets_the_number_of_its_form(form: Form) -> None:
    options, genes = FORMS[form]
    config = DynamicsConfig(tau_ms=Evolvable(form=form, spread=0.3, **POSITIVE, **options))
    (field,) = intrinsic_fields(config)
    assert field.name == "dynamics.tau_ms"
    value = field.init(GROUPS, 3, GenomeConfig())
    assert value.numel() == genes
    tau_PN = decode_intrinsic(config, GROUPS, {field.name: value[None]}).tau_ms_PN
    assert tau_PN is not None
    flat = value.reshape(-1)
    for i in range(17):
        places: dict[Form, int] = {"scalar": 0, "target": i, "cell_types": i % 3}
        if (place := places.get(form)) is None:
            place = next(
                number
                for number, name in enumerate(NAMES)
                if GROUPS.rows_of(name).start <= i < GROUPS.rows_of(name).stop
            )
        assert tau_PN[0, i] == flat[place]


def test_no_mutation_leads_beyond_the_bounds() -> None:
    config = DynamicsConfig(tau_ms=Evolvable(form="target", **POSITIVE, upper=500.0))
    value = torch.linspace(1.0, 1000.0, 17)[None]
    tau_PN = decode_intrinsic(config, GROUPS, {f"{DYNAMICS}tau_ms": value}).tau_ms_PN
    assert tau_PN is not None
    assert (float(tau_PN.min()), float(tau_PN.max())) == (20.0, 500.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tau_ms": 0.0}, "tau_ms is 0.0, expected a positive time constant"),
        ({"tau_ms": -5.0}, "tau_ms is -5.0, expected a positive time constant"),
        ({"tau_ms": Evolvable(init=80.0, lower=20.0)}, "set transform to positive"),
        ({"tau_ms": Evolvable(init=80.0, transform="positive")}, "set its lower to that of"),
        (
            {"tau_ms": Evolvable(form="connection", **POSITIVE)},
            "tau_ms has form 'connection', but it is a neuron's, not a connection's; expected one "
            "of scalar, target, cell_types, groups",
        ),
        ({"threshold": Evolvable(form="rank_one")}, "threshold has form 'rank_one'"),
    ],
)
def test_contradictions_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        DynamicsConfig(**options)


def problem(dynamics: DynamicsConfig, genome: DynamicsConfig | None = None) -> LifetimeProblem:
    lifetime = LifetimeConfig(dynamics=dynamics)
    fields = genome_fields(LifetimeConfig(dynamics=genome or dynamics))
    return LifetimeProblem(
        layout=Layout(GROUPS, fields),
        lifetime=lifetime,
        train=(make_bank(0, num_entries=4),),
        held_out=(),
        seed=1,
    )


@pytest.mark.parametrize(
    "tau_ms",
    [19.0, Evolvable(init=80.0, transform="positive", lower=19.0)],
    ids=["number", "field"],
)
def test_a_time_constant_below_a_time_step_is_refused(tau_ms: Any) -> None:
    with pytest.raises(UsageError, match=r"but a time step of task 'toy' takes 20\.0 ms"):
        problem(DynamicsConfig(tau_ms=tau_ms))


def test_a_genome_without_the_fields_is_refused_with_both_lists() -> None:
    own = DynamicsConfig(tau_ms=Evolvable(form="target", **POSITIVE))
    with pytest.raises(
        UsageError, match=r"fields \[w, alpha\], but .*, dynamics.tau_ms \(N, positive"
    ):
        problem(own, DynamicsConfig())
    assert problem(own).layout.size == 2 * 17**2 + 17
