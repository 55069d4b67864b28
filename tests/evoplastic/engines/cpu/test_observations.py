"""What channels and bias send is made for observations ahead, and made anew when it must be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numba import njit

from evoplastic.engines import run_lifetimes
from evoplastic.engines.cpu.engine import run_cpu
from evoplastic.engines.cpu.observations import AHEAD, sent_by_observation
from evoplastic.engines.cpu.plan import make_plan
from evoplastic.engines.cpu.run import place_life
from evoplastic.engines.cpu.tables import make_banks
from evoplastic.engines.cpu.workspace import make_workspace
from evoplastic.modulation.params import ModulationParams
from evoplastic.network.neurons import NeuronGroups
from evoplastic.rules.catalogue import RULES
from evoplastic.trials.stacked import StackedTables, stack_tables
from evoplastic.trials.table import TrialTable
from tests.evoplastic.engines.cases import make_config, make_params
from tests.evoplastic.engines.self_paced_cases import make_free_batch, make_node_bank

LINES: dict[str, Any] = {"num_inputs": 5, "num_outputs": 3}

send = njit(
    lambda plan, workspace, banks, life, task, anew: sent_by_observation(
        plan, workspace, banks, life, task, anew
    )
)


def _with_pauses(bank: TrialTable) -> TrialTable:
    """Every node of three shows what the node before it shows."""
    shown_V = 3 * (np.arange(len(bank.observation_VI)) // 3)
    return replace(bank, observation_VI=bank.observation_VI[shown_V])


def test_neighbours_that_show_the_same_share_an_observation() -> None:
    banks = [_with_pauses(make_node_bank(seed, **LINES)) for seed in (0, 1)]
    stacked = stack_tables(banks)
    assert len(stacked.state_of_observation_S) < len(stacked.observation_id_V) / 2
    assert stacked.observation_id_V[0] == 0
    assert set(np.diff(stacked.observation_id_V)) == {0, 1}
    np.testing.assert_array_equal(
        stacked.observation_VI[stacked.state_of_observation_S][stacked.observation_id_V],
        stacked.observation_VI,
    )


@pytest.mark.parametrize("num_neurons", [20, 48, 70, 140])  # rooms of 16, 48, 64, 64 + 32 + 16 ...
def test_sums_are_those_of_the_present_observation(num_neurons: int) -> None:
    groups, config = NeuronGroups(num_neurons=num_neurons, **LINES), make_config()
    batch = make_free_batch([make_node_bank(0, **LINES)], groups, 1)
    plan, banks = make_plan(groups, batch, config), make_banks(batch, config)
    workspace, life = (
        make_workspace(groups, batch, config, plan, ModulationParams()),
        place_life.py_func(plan, 1, 0),
    )
    nodes = batch.tasks
    assert isinstance(nodes, StackedTables)
    random = np.random.default_rng(0)
    clamped_CU: Any = workspace.weight[life.weight :][: plan.row * plan.unclamped_width].reshape(
        plan.row, plan.unclamped_width
    )[plan.unclamped_width :]
    gain, bias = config.dynamics.stimulus_gain, groups.num_clamped - groups.num_outputs - 1
    last = len(banks.state_of_observation) - 1
    for observation in (0, 0, 1, AHEAD - 1, AHEAD, AHEAD + 1, 2, last - 1, last):
        for anew in (False, True):
            if anew or observation == 0:
                clamped_CU[:] = random.normal(size=clamped_CU.shape)
            workspace.observation[1] = observation
            row = send(plan, workspace, banks, life, 0, anew or observation == 0)
            shown_I = gain * nodes.observation_VI[nodes.state_of_observation_S[observation]]
            expected_U = shown_I @ clamped_CU[:5] + config.dynamics.bias_rate * clamped_CU[bias]
            np.testing.assert_allclose(
                workspace.sent[row : row + plan.unclamped_width], expected_U, rtol=1e-4, atol=1e-5
            )


@pytest.mark.parametrize("rule", [name for name in RULES if RULES[name].schedule != "every_step"])
def test_lifetimes_with_pauses_equal_the_reference(rule: str) -> None:
    groups = NeuronGroups(num_neurons=33, **LINES)
    config = make_config(rule={"name": rule, "first_trial": 1})
    banks = [_with_pauses(make_node_bank(seed, **LINES)) for seed in (0, 1)]
    batch, params = make_free_batch(banks, groups, 4), make_params(groups, 4, gain=0.9)
    ours = run_cpu(params, groups, batch, config, threads=1)
    theirs = run_lifetimes(params, groups, batch, config, engine="reference")
    np.testing.assert_array_equal(ours.steps_PK, theirs.steps_PK)
    np.testing.assert_allclose(ours.loss_PK, theirs.loss_PK, atol=2e-5)
