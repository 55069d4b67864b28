"""Time constants and thresholds of each neuron on the CPU engine: equal to the reference."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from evoplastic.engines.cpu.engine import cpu_covers, run_cpu
from evoplastic.engines.reference.engine import run_reference
from evoplastic.lifetime.batch import LifetimeBatch, PlasticParams
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.modulation.config import ModulationConfig
from evoplastic.modulation.table import Channel
from evoplastic.network.neurons import NeuronGroups
from tests.evoplastic.engines.cases import (
    OWN_INTRINSIC,
    make_bank,
    make_batch,
    make_config,
    make_params,
    with_fan_outs,
    with_intrinsic,
)
from tests.evoplastic.engines.rules import short_life
from tests.evoplastic.engines.self_paced_cases import make_free_batch, make_node_bank

LAST_PLACE = 2e-7
RULES = {
    "node_perturbation": short_life("node_perturbation"),
    "node_perturbation_network": short_life("node_perturbation_network"),
    "oja": {"name": "oja", "max_change": 0.003},
}
DYNAMICS: dict[str, dict[str, Any]] = {
    "both of each neuron": OWN_INTRINSIC,
    "time constants": {"tau_ms": OWN_INTRINSIC["tau_ms"]},
    "one threshold for all": {"threshold": -0.3},
}


def built(
    config: LifetimeConfig, groups: NeuronGroups, *, self_paced: bool
) -> tuple[PlasticParams, LifetimeBatch]:
    if self_paced:
        batch = make_free_batch([make_node_bank(0), make_node_bank(1)], groups, 3)
    else:
        batch = make_batch([make_bank(0), make_bank(1)], 3)
    return with_intrinsic(make_params(groups, 3, gain=0.9), groups, config.dynamics), batch


@pytest.mark.parametrize("self_paced", [False, True], ids=["fixed timing", "self-paced"])
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("dynamics", DYNAMICS)
def test_error_is_within_twice_that_of_float32(dynamics: str, rule: str, self_paced: bool) -> None:
    config = make_config(rule=RULES[rule], dynamics=DYNAMICS[dynamics])
    for num_neurons in (13, 33, 70):
        groups = NeuronGroups(num_neurons=num_neurons)
        params, batch = built(config, groups, self_paced=self_paced)
        exact = run_reference(params, groups, batch, config, dtype=torch.float64)
        plain = run_reference(params, groups, batch, config).result
        ours = run_cpu(params, groups, batch, config, threads=1)
        assert exact.state.p_PNN.abs().max() > 1e-5, "plasticity goes untested"
        for what in ("loss_PK", "smoothness_P"):
            expected = getattr(exact.result, what).double()
            rounding = float((getattr(plain, what).double() - expected).abs().max())
            assert rounding < 1e-4, f"{what}: chaotic, parity would prove nothing"
            error = float((getattr(ours, what).double() - expected).abs().max())
            assert error <= 2 * rounding + LAST_PLACE, f"{what}: {error:.1e} not {rounding:.1e}"
        assert torch.equal(ours.correct_PK, exact.result.correct_PK)
        assert torch.equal(ours.steps_PK, exact.result.steps_PK)


@pytest.mark.parametrize("rule", RULES)
def test_numbers_that_are_the_same_everywhere_change_not_a_bit(rule: str) -> None:
    groups = NeuronGroups(num_neurons=33)
    plain = make_config(rule=RULES[rule])
    batch, params = make_batch([make_bank(0)], 4), make_params(groups, 4)
    own = make_config(rule=RULES[rule], dynamics=OWN_INTRINSIC)
    intrinsic = params.intrinsic._replace(
        tau_ms_PN=torch.full((4, 33), 100.0), threshold_PN=torch.zeros(4, 33)
    )
    one = run_cpu(params, groups, batch, plain, threads=1)
    other = run_cpu(params._replace(intrinsic=intrinsic), groups, batch, own, threads=1)
    for what, ours, theirs in zip(one._fields, one, other, strict=True):
        assert torch.equal(ours, theirs), what


def test_replicas_need_no_copies() -> None:
    groups = NeuronGroups(num_neurons=33)
    config = make_config(dynamics=OWN_INTRINSIC)
    params, batch = built(config, groups, self_paced=False)
    replicas = params.each(lambda tensor: tensor[1].expand(3, *tensor.shape[1:]))
    copies = params.each(lambda tensor: tensor[[1, 1, 1]])
    one, other = (run_cpu(each, groups, batch, config) for each in (replicas, copies))
    assert torch.equal(one.loss_PK, other.loss_PK)


@pytest.mark.exhaustive
def test_modulation_comes_on_top_of_them() -> None:
    groups = NeuronGroups(num_neurons=33)
    channels = (Channel(target="gain", spread=0.5), Channel(target="threshold", spread=0.5))
    config = replace(
        make_config(dynamics=OWN_INTRINSIC),
        modulation=ModulationConfig(name="both", channels=channels),
    )
    params, batch = built(config, groups, self_paced=False)
    params = with_fan_outs(params, groups, config)
    assert cpu_covers(groups, batch, config) is None
    exact = run_reference(params, groups, batch, config, dtype=torch.float64).result
    plain = run_reference(params, groups, batch, config).result
    ours = run_cpu(params, groups, batch, config, threads=1)
    rounding = float((plain.loss_PK.double() - exact.loss_PK).abs().max())
    assert rounding < 1e-4, "chaotic, parity would prove nothing"
    assert float((ours.loss_PK.double() - exact.loss_PK).abs().max()) <= 2 * rounding + LAST_PLACE
    unmodulated = params._replace(modulation=params.modulation.each(torch.zeros_like))
    still = run_reference(unmodulated, groups, batch, config).result
    assert float((still.loss_PK - plain.loss_PK).abs().max()) > 1e-3
