"""The GPU engine: what needs no Triton here; `gpu_checks.py` in a process of its own."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from evoplastic.kernels.lifetime.gpu import gpu_available, gpu_covers
from evoplastic.kernels.lifetime.gpu_plan import make_tiles, retained
from evoplastic.lifetime import LifetimeConfig, published_internal
from evoplastic.network.neurons import NeuronGroups
from tests.evoplastic.cases import TIMING, make_bank, make_batch, make_config

CHECKS = Path(__file__).with_name("gpu_checks.py")
ROOT = CHECKS.parents[3]
needs_triton = pytest.mark.skipif(
    importlib.util.find_spec("triton") is None,
    reason="the package triton is not installed (it comes with the extra 'dev' on Linux)",
)


def run_checks(**environment: str) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p"]
    finished = subprocess.run(
        [*command, "no:xdist", str(CHECKS)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert finished.returncode == 0, finished.stdout[-6000:] + finished.stderr[-2000:]
    assert " passed" in finished.stdout
    assert "skipped" not in finished.stdout


@needs_triton
def test_engine_passes_its_checks_under_the_interpreter() -> None:
    run_checks(TRITON_INTERPRET="1")


@needs_triton
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
def test_engine_passes_its_checks_on_the_gpu() -> None:
    run_checks(TRITON_INTERPRET="0")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_without_a_gpu_the_engine_says_so_and_leaves_triton_alone() -> None:
    code = (
        "import sys; from evoplastic.kernels.lifetime.gpu import gpu_available;"
        "print(gpu_available()); print('triton' in sys.modules)"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert finished.stdout.splitlines() == ["no CUDA device is visible to torch", "False"]
    assert gpu_available() == "no CUDA device is visible to torch"


@pytest.mark.parametrize("config", [LifetimeConfig(), published_internal()])
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
        matrices = 4 if config.plasticity.modulation == "internal" else 1
        registers = matrices * tiles.wide**2 / (32 * tiles.num_warps)
        assert not tiles.on_chip or registers <= 128
    assert make_tiles(groups, config).on_chip == (neurons <= 70)


def test_a_network_beyond_32_bit_offsets_is_not_covered() -> None:
    groups = NeuronGroups(num_neurons=22_000)
    reason = gpu_covers(groups, make_batch([make_bank(1)], 1), LifetimeConfig())
    assert reason == "22000 neurons, 12 steps and the trial bank need more than 32-bit offsets"


def test_hits_decay_until_the_trace_is_read() -> None:
    config = make_config(plasticity={"tau_elig_ms": 100.0})
    batch = make_batch([make_bank(1)], 1)
    decay = 0.8
    trace, retained_T = 0.0, retained(batch, config)
    for step in range(TIMING.feedback[0] + 1):
        trace = decay * (trace + step)
    expected = sum(s * float(retained_T[s]) for s in range(TIMING.feedback[0] + 1))
    assert trace == pytest.approx(expected, rel=1e-6)
    assert np.allclose(retained_T[-2:], [decay**2, decay])
