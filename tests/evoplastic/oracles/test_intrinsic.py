"""Reference and oracle agree where neurons have time constants and thresholds of their own."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from evoplastic.engines.reference.engine import run_reference
from evoplastic.network.neurons import NeuronGroups
from tests.evoplastic.engines.cases import (
    OWN_INTRINSIC,
    make_bank,
    make_batch,
    make_config,
    make_params,
    with_intrinsic,
)
from tests.evoplastic.engines.self_paced_cases import make_free_batch, make_node_bank
from tests.evoplastic.oracles.lifetime import live

GROUPS = NeuronGroups(num_neurons=14)


@pytest.mark.parametrize("self_paced", [False, True], ids=["fixed timing", "self-paced"])
@pytest.mark.parametrize("rule", ["node_perturbation", "oja"])
def test_reference_equals_the_oracle(rule: str, self_paced: bool) -> None:
    config = make_config(rule={"name": rule}, dynamics=OWN_INTRINSIC, num_trials=6)
    if self_paced:
        batch = make_free_batch([make_node_bank(0), make_node_bank(1)], GROUPS, 2)
    else:
        batch = make_batch([make_bank(0), make_bank(1)], 2)
    params = with_intrinsic(make_params(GROUPS, 2), GROUPS, config.dynamics)
    trace = run_reference(params, GROUPS, batch, config, dtype=torch.float64)
    for p in range(2):
        life = live(params, GROUPS, batch, config, p)
        assert life.events.changes > 0
        for what, ours, theirs in (
            ("loss", trace.result.loss_PK[p], life.loss_K),
            ("x", trace.state.x_PN[p], life.x_N),
            ("rate", trace.state.rate_PN[p], life.rate_N),
            ("p", trace.state.p_PNN[p], life.p_NN),
        ):
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9, err_msg=what)


@pytest.mark.parametrize("name", OWN_INTRINSIC)
def test_both_make_a_difference(name: str) -> None:
    batch = make_batch([make_bank(0)], 2)
    losses = []
    for dynamics in ({}, {name: OWN_INTRINSIC[name]}):
        config = make_config(dynamics=dynamics)
        params = with_intrinsic(make_params(GROUPS, 2), GROUPS, config.dynamics)
        losses.append(run_reference(params, GROUPS, batch, config).result.loss_PK)
    assert (losses[0] - losses[1]).abs().max() > 1e-3
