"""Modulated networks on the CPU engine: equal to the reference to rounding.

A kernel is compiled for the channels that there are, which takes long; those of the default set
have between them every channel, the others are `exhaustive`.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from evoplastic.engines.cpu.engine import cpu_covers, run_cpu
from evoplastic.engines.reference.engine import run_reference
from evoplastic.lifetime.batch import LifetimeBatch, PlasticParams
from evoplastic.lifetime.config import LifetimeConfig
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

LAST_PLACE = 2e-7
QUICK = {
    "opposed_pair, node_perturbation",
    "opposed_pair, node_perturbation_network",
    "five neurons without a channel",
    "activity, outcome",
    "all channels, three neurons",
}
SIZES = ((13, False), (33, False), (33, True), (70, True), (90, False), (512, False))


def built(
    config: LifetimeConfig, num_neurons: int, *, self_paced: bool, individuals: int = 3
) -> tuple[PlasticParams, NeuronGroups, LifetimeBatch]:
    number = config.modulation.table.num_neurons
    groups = NeuronGroups(num_neurons=max(num_neurons, number + 11), num_modulators=number)
    if self_paced:
        batch = make_free_batch([make_node_bank(0), make_node_bank(1)], groups, individuals)
    else:
        batch = make_batch([make_bank(0), make_bank(1)], individuals)
    params = make_params(groups, individuals, gain=0.9)
    return with_fan_outs(params, groups, config), groups, batch


@pytest.mark.parametrize(
    "name",
    [
        name if name in QUICK else pytest.param(name, marks=pytest.mark.exhaustive)
        for name in SETTINGS
    ],
)
def test_error_is_within_twice_that_of_float32(name: str) -> None:
    config = make_config(**SETTINGS[name])
    for num_neurons, self_paced in SIZES:
        individuals = 1 if num_neurons > 200 else 3
        case = built(config, num_neurons, self_paced=self_paced, individuals=individuals)
        params, groups, batch = case
        assert cpu_covers(groups, batch, config) is None
        exact = run_reference(params, groups, batch, config, dtype=torch.float64)
        plain = run_reference(params, groups, batch, config).result
        ours = run_cpu(params, groups, batch, config, threads=1)
        assert exact.state.p_PNN.abs().max() > 1e-5, "plasticity goes untested"
        for what in ("loss_PK", "smoothness_P"):
            expected = getattr(exact.result, what).double()
            rounding = float((getattr(plain, what).double() - expected).abs().max())
            assert rounding < 1e-4, f"{what}: chaotic, parity would prove nothing"
            error = float((getattr(ours, what).double() - expected).abs().max())
            terms = groups.num_modulators if what == "smoothness_P" else 1  # of a step, summed
            last_place = LAST_PLACE * terms
            assert error <= 2 * rounding + last_place, f"{what}: {error:.1e} not {rounding:.1e}"
        assert torch.equal(ours.correct_PK, exact.result.correct_PK)


@pytest.mark.parametrize("name", ["activity, outcome", "all channels, three neurons"])
def test_a_lifetime_depends_neither_on_company_nor_on_threads(name: str) -> None:
    config = make_config(**SETTINGS[name])
    params, groups, batch = built(config, 33, self_paced=False)
    together = run_cpu(params, groups, batch, config, threads=1)
    spread = run_cpu(params, groups, batch, config, threads=2)
    who = np.array([2])
    alone = run_cpu(
        params.each(lambda tensor: tensor[who]),
        groups,
        batch._replace(
            task_P=batch.task_P[who],
            trial_stream_P=batch.trial_stream_P[who],
            perturb_stream_P=batch.perturb_stream_P[who],
        ),
        config,
        threads=1,
    )
    for what, one, two, three in zip(together._fields, together, spread, alone, strict=True):
        assert torch.equal(one, two), f"{what} depends on the number of threads"
        assert torch.equal(one[who], three), f"{what} depends on who else is simulated"


def test_a_gain_of_nothing_changes_no_bit() -> None:
    config = make_config(**SETTINGS["activity, outcome"])
    params, groups, batch = built(config, 33, self_paced=False)
    silent = params._replace(modulation=params.modulation.each(torch.zeros_like))
    plain = make_config(rule=SETTINGS["activity, outcome"]["rule"])
    expected = run_cpu(params._replace(modulation=silent.modulation), groups, batch, config)
    without = params._replace(modulation=type(params.modulation)())
    assert torch.equal(expected.loss_PK, run_cpu(without, groups, batch, plain).loss_PK)
