"""Combinations of factors are tables like any other: the CPU engine equals the reference."""

from __future__ import annotations

import pytest
import torch

from evoplastic.engines.cpu.engine import cpu_covers, run_cpu
from evoplastic.engines.gpu.engine import gpu_covers
from evoplastic.engines.reference.engine import run_reference
from evoplastic.network.neurons import NeuronGroups
from tasks.suites.loading import load_suite
from tests.evoplastic.engines.cases import make_batch, make_config, make_params


@pytest.mark.parametrize("name", ["combinations", "combinations-cued"])
def test_both_engines_run_trials_of_4_and_of_16_kinds(name: str) -> None:
    suite = load_suite(name)
    tables = [suite.sample(task) for task in ("and-none-anti-a", "same-short-pro-b_over_a")]
    assert [len(table.first_M) for table in tables] == [4, 16]
    groups = NeuronGroups(num_neurons=33, num_inputs=suite.interface.num_inputs)
    params, batch = make_params(groups, 4, gain=0.9), make_batch(tables, 4)
    config = make_config()
    assert cpu_covers(groups, batch, config) is None
    assert gpu_covers(groups, batch, config) is None
    exact = run_reference(params, groups, batch, config, dtype=torch.float64)
    ours = run_cpu(params, groups, batch, config, threads=1)
    assert (ours.loss_PK.double() - exact.result.loss_PK).abs().max() < 1e-4
    assert torch.equal(ours.correct_PK, exact.result.correct_PK)
    assert exact.state.p_PNN.abs().max() > 1e-5
