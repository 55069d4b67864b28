"""The GPU engine: what needs no Triton is checked here, the kernels in a process of their own."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from evoplastic.engines.gpu.engine import gpu_available, gpu_covers
from evoplastic.engines.gpu.plan import retention_powers
from evoplastic.engines.gpu.sizes import ON_CHIP, make_tiles
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.network.neurons import NeuronGroups
from evoplastic.rules.catalogue import RULES
from evoplastic.rules.config import RuleConfig
from tests.evoplastic.engines.cases import make_bank, make_batch, make_config
from tests.evoplastic.engines.gpu.process import HERE, needs_gpu, needs_triton, run_checks

COVERED = [
    LifetimeConfig(rule=RuleConfig(name=name))
    for name, rule in RULES.items()
    if rule.schedule != "every_step"  # test_every_step.py has the others
]


@needs_triton
def test_engine_passes_its_checks_under_the_interpreter() -> None:
    run_checks("checks.py", "number_checks.py", "stream_checks.py", interpreted=True)


@needs_triton
@needs_gpu
def test_engine_passes_its_checks_on_the_gpu() -> None:
    run_checks("checks.py", "number_checks.py", "stream_checks.py", interpreted=False)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_without_a_gpu_the_engine_says_so_and_leaves_triton_alone() -> None:
    code = (
        "import sys, cluster.executors, evoplastic.search.es;"
        "from evoplastic.engines.gpu.engine import gpu_available;"
        "print(gpu_available()); print('triton' in sys.modules)"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code], cwd=HERE, capture_output=True, text=True, timeout=120
    )
    assert finished.stdout.splitlines() == ["no CUDA device is visible to torch", "False"]
    assert gpu_available() == "no CUDA device is visible to torch"


@pytest.mark.parametrize("config", COVERED)
@pytest.mark.parametrize("size", [(70, 2, 2), (512, 2, 2), (512, 100, 50), (13, 2, 2)])
def test_any_network_is_covered_and_fits_its_tiles(
    size: tuple[int, int, int], config: LifetimeConfig
) -> None:
    neurons, inputs, outputs = size
    groups = NeuronGroups(num_neurons=neurons, num_inputs=inputs, num_outputs=outputs)
    batch = make_batch([make_bank(1, num_inputs=inputs, num_outputs=outputs)], 1)
    assert gpu_covers(groups, batch, config) is None
    for streamed in (False, True):
        tiles = make_tiles(groups, config, streamed)
        assert tiles.wide >= neurons - groups.num_clamped
        assert tiles.clamped >= groups.num_clamped
        assert tiles.wide % tiles.block_targets == 0
        assert tiles.wide % tiles.block_sources == tiles.clamped % tiles.block_sources == 0
        _, matrices = ON_CHIP[config.rule.schedule]
        registers = matrices * tiles.wide**2 / (32 * tiles.num_warps)
        assert not tiles.on_chip or registers <= 128
    assert make_tiles(groups, config).on_chip == (neurons <= 70)


def test_a_network_beyond_32_bit_offsets_is_not_covered() -> None:
    groups = NeuronGroups(num_neurons=22_000)
    reason = gpu_covers(groups, make_batch([make_bank(1)], 1), LifetimeConfig())
    assert reason == "22000 neurons, 12 steps and the tables need more than 32-bit offsets"


def test_a_trace_decays_by_powers_of_what_a_step_retains() -> None:
    config = make_config(rule={"tau_elig_ms": 100.0})
    batch = make_batch([make_bank(1)], 1)
    decay, trace = 0.8, 0.0
    power = retention_powers(batch, config)
    assert len(power) == batch.tables.fixed.timing.num_steps + 1
    for step in range(5):
        trace = decay * (trace + step)
    assert trace == pytest.approx(sum(s * float(power[5 - s]) for s in range(5)), rel=1e-6)
