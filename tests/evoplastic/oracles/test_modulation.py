"""The reference equals the oracle for every modulation that is listed, and some written out."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from evoplastic.engines.reference.engine import run_reference
from evoplastic.network.neurons import NeuronGroups
from tests.evoplastic.engines.cases import (
    make_bank,
    make_batch,
    make_config,
    make_params,
    with_fan_outs,
)
from tests.evoplastic.engines.self_paced_cases import make_free_batch, make_node_bank
from tests.evoplastic.modulation.settings import SETTINGS
from tests.evoplastic.oracles.lifetime import live


@pytest.mark.parametrize("self_paced", [False, True], ids=["fixed timing", "self-paced"])
@pytest.mark.parametrize("name", SETTINGS)
def test_reference_equals_the_oracle(name: str, self_paced: bool) -> None:
    config = make_config(**SETTINGS[name], num_trials=6)
    groups = NeuronGroups(num_neurons=16, num_modulators=config.modulation.table.num_neurons)
    if self_paced:
        batch = make_free_batch([make_node_bank(0)], groups, 1)
    else:
        batch = make_batch([make_bank(0)], 1)
    params = with_fan_outs(make_params(groups, 1), groups, config)
    trace = run_reference(params, groups, batch, config, dtype=torch.float64)
    life = live(params, groups, batch, config, 0)
    assert life.events.changes > 0
    unclamped = slice(groups.num_clamped, None)  # what clamped neurons receive reaches nothing
    for what, ours, theirs in (
        ("loss", trace.result.loss_PK[0], life.loss_K),
        ("smoothness", trace.result.smoothness_P[0], life.smoothness),
        ("rate", trace.state.rate_PN[0], life.rate_N),
        ("p", trace.state.p_PNN[0, unclamped], life.p_NN[unclamped]),
    ):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9, err_msg=what)


@pytest.mark.parametrize(
    "name", [name for name, each in SETTINGS.items() if each["modulation"]["channels"]]
)
def test_modulation_makes_a_difference(name: str) -> None:
    """Each listed channel changes what a network does, beside the same life without it."""
    config = make_config(**SETTINGS[name], num_trials=6)
    groups = NeuronGroups(num_neurons=16, num_modulators=config.modulation.table.num_neurons)
    batch, params = make_batch([make_bank(0)], 2), make_params(groups, 2)
    modulated = with_fan_outs(params, groups, config)
    with_all = run_reference(modulated, groups, batch, config).result.loss_PK
    for target in modulated.modulation._fields:
        if getattr(modulated.modulation, target) is None:
            continue
        without = modulated.modulation._replace(**{target: None})
        other = run_reference(modulated._replace(modulation=without), groups, batch, config)
        assert not torch.equal(other.result.loss_PK, with_all), f"{target} reaches nothing"
