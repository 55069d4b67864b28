"""Self-paced trials on the GPU engine: what is covered, and its checks in their process."""

from __future__ import annotations

import numpy as np
import pytest

from evoplastic.engines.gpu.engine import gpu_covers
from evoplastic.engines.gpu.launch import carried
from evoplastic.engines.gpu.sizes import ON_CHIP, make_tiles
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.network.neurons import NeuronGroups
from evoplastic.rules.catalogue import RULES
from evoplastic.rules.config import RuleConfig
from evoplastic.trials.wiring import NO_LINE
from tasks.neurogym.stepped_task import stepped_task
from tests.evoplastic.engines.gpu.process import needs_gpu, needs_triton, run_checks
from tests.evoplastic.engines.self_paced_cases import make_free_batch, make_node_bank

COVERED = [
    LifetimeConfig(rule=RuleConfig(name=name))
    for name, rule in RULES.items()
    if rule.schedule != "every_step"  # test_every_step.py has the others
]


@needs_triton
def test_free_trials_pass_their_checks_under_the_interpreter() -> None:
    run_checks("self_paced_checks.py", interpreted=True)


@needs_triton
@needs_gpu
def test_free_trials_pass_their_checks_on_the_gpu() -> None:
    run_checks("self_paced_checks.py", interpreted=False)


@pytest.mark.parametrize("config", COVERED)
@pytest.mark.parametrize("size", [(70, 2, 2), (128, 33, 17), (256, 60, 20), (512, 100, 50)])
def test_any_network_is_covered_and_fits_its_tiles(
    size: tuple[int, int, int], config: LifetimeConfig
) -> None:
    neurons, inputs, outputs = size
    groups = NeuronGroups(num_neurons=neurons, num_inputs=inputs, num_outputs=outputs)
    batch = make_free_batch([make_node_bank(1)], groups, 1)
    assert gpu_covers(groups, batch, config) is None
    tiles = make_tiles(groups, config, self_paced=True)
    assert tiles.wide >= neurons - groups.num_clamped
    assert tiles.clamped >= groups.num_clamped
    largest, matrices = ON_CHIP[config.rule.schedule]
    fits = max(neurons - groups.num_clamped, groups.num_clamped) <= largest
    assert fits >= tiles.on_chip
    if fits and groups.num_clamped <= 32:
        assert tiles.on_chip
    if tiles.on_chip:
        assert matrices * tiles.row * tiles.wide / (32 * tiles.num_warps) <= 160
        assert tiles.num_warps * tiles.programs_per_processor == 8


def test_tasks_that_are_stepped_for_real_are_not_covered() -> None:
    task = stepped_task("tests/tasks/small_envs.py:Echo", {})
    groups = NeuronGroups(num_neurons=16, num_inputs=3, num_outputs=3)
    batch = make_free_batch([make_node_bank(1)], groups, 1)._replace(tasks=task)
    assert gpu_covers(groups, batch, LifetimeConfig()) == "tasks that are stepped for real"


def test_each_line_knows_what_it_carries() -> None:
    line_PC = np.array([[2, 0, NO_LINE], [1, 3, 0]])
    assert carried(line_PC, 4).tolist() == [[1, -1, 0, -1], [2, 0, -1, 1]]
