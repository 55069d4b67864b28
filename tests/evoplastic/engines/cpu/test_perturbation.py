"""The CPU engine hits the neurons that `evoplastic.random.counters` says, with the same bits."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from evoplastic.engines.cpu.perturbation import draw_noise
from evoplastic.engines.cpu.plan import make_plan
from evoplastic.engines.cpu.simd.philox import one_word
from evoplastic.engines.cpu.workspace import make_workspace
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.modulation.params import ModulationParams
from evoplastic.network.neurons import NeuronGroups
from evoplastic.random.counters import Purpose, words
from evoplastic.random.draws import perturbations
from tests.evoplastic.engines.cases import TIMING, make_bank, make_batch, make_config

draw = njit(lambda plan, workspace, trial, stream: draw_noise(plan, workspace, trial, stream))
word = njit(lambda c0, c1, c2, c3, k0, k1: one_word(c0, c1, c2, c3, k0, k1))

CONFIGS = {
    "default": make_config(),
    "certain": make_config(perturbation={"probability": 1.0, "first_step": 0}),
    "rare": make_config(perturbation={"probability": 0.003, "first_step": 5}),
    "until a step": make_config(perturbation={"first_step": 1, "stop_step": 8}),
    "until no step": make_config(perturbation={"stop_step": 10_000}),
    "hidden spared": make_config(perturbation={"perturb_hidden": False}),
    "spared": make_config(perturbation={"perturb_modulators": False}),
}


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
@pytest.mark.parametrize("num_neurons", [13, 16, 33, 70, 129])
@pytest.mark.parametrize("chunk", [TIMING.num_steps, 5, 1])
def test_perturbations_equal_the_definition(
    chunk: int, num_neurons: int, config: LifetimeConfig
) -> None:
    groups = NeuronGroups(num_neurons=num_neurons)
    batch = make_batch([make_bank(0)], 1, seed=2**63 + 11, epoch=2**24 - 1)
    batch = batch._replace(perturb_stream_P=np.array([2**32 - 1], dtype=np.int64))
    plan = make_plan(groups, batch, config)._replace(chunk=chunk)
    workspace = make_workspace(groups, batch, config, plan, ModulationParams())
    trial = 3
    workspace.drawn[0] = 0
    while workspace.drawn[0] < TIMING.num_steps:
        draw(plan, workspace, trial, batch.perturb_stream_P[0])
    hits = workspace.hit_start[TIMING.num_steps]

    expected, _ = perturbations(batch, trial, TIMING.num_steps, num_neurons, config.perturbation)
    expected_TN = expected[0]
    expected_TN[: config.perturbation.first_step] = 0.0
    expected_TN[config.perturbation.stop_step or TIMING.num_steps :] = 0.0
    if not config.perturbation.perturb_hidden:
        expected_TN[:, groups.hidden] = 0.0
    if not config.perturbation.perturb_modulators:
        expected_TN[:, groups.modulators] = 0.0
    unclamped_TN = expected_TN[:, groups.num_clamped :]
    xi = workspace.xi[: TIMING.num_steps * plan.row].reshape(TIMING.num_steps, plan.row)
    ours_TN = xi[:, plan.clamped_width : plan.clamped_width + plan.num_unclamped]
    np.testing.assert_array_equal(ours_TN, unclamped_TN)

    step, neuron = np.nonzero(unclamped_TN)
    np.testing.assert_array_equal(workspace.hit[:hits], step << 16 | neuron)
    np.testing.assert_array_equal(
        workspace.hit_start[: TIMING.num_steps + 1],
        np.searchsorted(step, np.arange(TIMING.num_steps + 1)),
    )


def test_single_words_equal_the_definition() -> None:
    for stream, trial in ((0, 0), (2**32 - 1, 399)):
        expected = words(2**64 - 1, Purpose.TRIAL, 7, stream, trial, 1)[0]
        purpose = (int(Purpose.TRIAL) << 24) | 7
        assert word(0, trial, stream, purpose, 2**32 - 1, 2**32 - 1) == expected
