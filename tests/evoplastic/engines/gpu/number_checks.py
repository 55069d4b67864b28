"""Checks of the numbers of a GPU lifetime, run like `checks.py`: its draws and its tanh."""

# mypy: allow-untyped-defs, allow-incomplete-defs
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from evoplastic.engines.gpu.bundles import Memory, Numbers, NumbersWithCourses
from evoplastic.engines.gpu.launch import bring_numbers
from evoplastic.engines.gpu.sizes import Sizes, make_sizes, make_tiles
from evoplastic.lifetime.batch import LifetimeBatch
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.network.neurons import NeuronGroups
from evoplastic.random.draws import perturbation_words, perturbations
from evoplastic.trials.order import trial_numbers
from tests.evoplastic.engines.gpu.checks import SHORT, Case, prepare
from tests.evoplastic.engines.gpu.process import (  # the fixtures serve every check below
    DEVICE,
    patch_once,  # noqa: F401
    uninitialised_memory_is_nan,  # noqa: F401
)

triton = pytest.importorskip("triton")

import triton.language as tl  # noqa: E402

from evoplastic.engines.gpu.activity import tanh  # noqa: E402
from evoplastic.engines.gpu.perturbation import draw_noise, philox, trial_entry  # noqa: E402


@triton.jit
def words_probe(out, c0_ptr, c1_ptr, c2_ptr, c3_ptr, key_ptr, SIZE: tl.constexpr):
    """Four words for each of SIZE counters."""
    at = tl.arange(0, SIZE)
    word0, word1, word2, word3 = philox(
        tl.load(c0_ptr + at).to(tl.uint32),
        tl.load(c1_ptr + at).to(tl.uint32),
        tl.load(c2_ptr + at).to(tl.uint32),
        tl.load(c3_ptr + at).to(tl.uint32),
        tl.load(key_ptr).to(tl.uint32),
        tl.load(key_ptr + 1).to(tl.uint32),
    )
    tl.store(out + at, word0.to(tl.int64))
    tl.store(out + SIZE + at, word1.to(tl.int64))
    tl.store(out + 2 * SIZE + at, word2.to(tl.int64))
    tl.store(out + 3 * SIZE + at, word3.to(tl.int64))


# Random123 (Salmon et al. 2011), kat_vectors, philox4x32 with 10 rounds: counter, key, words.
KNOWN_ANSWERS = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    (
        (0xFFFFFFFF,) * 4,
        (0xFFFFFFFF,) * 2,
        (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD),
    ),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN_ANSWERS)
def test_words_are_the_published_ones(counter: Any, key: Any, expected: Any) -> None:
    columns = [torch.full((16,), word, device=DEVICE) for word in counter]
    out = torch.empty((4, 16), dtype=torch.int64, device=DEVICE)
    words_probe[(1,)](out, *columns, torch.tensor(key, device=DEVICE), SIZE=16)
    assert out[:, 0].tolist() == list(expected)


@triton.jit
def noise_probe(memory, numbers, trial_ptr, stream_ptr, STEPS: tl.constexpr, S: tl.constexpr):
    """Perturbations of one trial, its first four steps apart, in blocks of 64 counters."""
    trial = tl.load(trial_ptr).to(tl.int32)
    stream = tl.load(stream_ptr).to(tl.uint32)
    draw_noise(memory, numbers, trial, stream, 0, 4, S)
    draw_noise(memory, numbers, trial, stream, 4, STEPS, S)


def told(
    groups: NeuronGroups, batch: LifetimeBatch, config: LifetimeConfig
) -> tuple[Sizes, Numbers | NumbersWithCourses]:
    """What kernels are told about two individuals."""
    sizes = make_sizes(groups, batch, config, make_tiles(groups, config))
    return sizes, bring_numbers(2, (0, 0, 0), batch, config, torch.device(DEVICE))


@pytest.mark.parametrize("num_neurons", [13, 20, 33])
@pytest.mark.parametrize("probability", [0.1, 1.0])
def test_perturbations_are_those_of_the_reference_bit_for_bit(
    num_neurons: int, probability: float
) -> None:
    last = SHORT.num_steps - 2
    noise = {
        "probability": probability,
        "stop_step": last,
        "perturb_hidden": probability < 1,
    }
    case = Case(num_neurons=num_neurons, perturbation=noise)
    _, groups, batch, config = prepare(case)
    trial, steps, stream = 2, SHORT.num_steps, 2**31 + 77
    batch = batch._replace(perturb_stream_P=np.full(2, stream))
    sizes, numbers = told(groups, batch, config)
    xi = torch.full((steps, sizes.wide), float("nan"), device=DEVICE)
    noise_probe[(1,)](
        Memory(*[xi] * len(Memory._fields)),
        numbers,
        torch.tensor([trial], device=DEVICE),
        torch.tensor([stream], device=DEVICE),
        STEPS=steps,
        S=sizes._replace(block_draws=64),
    )
    expected = perturbations(batch, trial, steps, num_neurons, config.perturbation)[0][0]
    expected[: config.perturbation.first_step] = 0.0
    expected[last:] = 0.0
    if probability == 1:
        expected[:, groups.hidden] = 0.0
    unclamped = num_neurons - groups.num_clamped
    got = xi.cpu().numpy()
    assert np.array_equal(got[:, :unclamped], expected[:, groups.num_clamped :])
    assert np.isnan(got[:, unclamped:]).all()
    assert len(np.unique(perturbation_words(batch, trial, steps, num_neurons)[0])) > 100


@triton.jit
def entry_probe(out, numbers, trial_ptr, stream_ptr, start_ptr, size_ptr):
    """Bank entry of one trial."""
    entry = trial_entry(
        numbers,
        tl.load(trial_ptr).to(tl.int32),
        tl.load(stream_ptr).to(tl.uint32),
        tl.load(start_ptr).to(tl.int32),
        tl.load(size_ptr).to(tl.uint32),
    )
    tl.store(out, entry)


@pytest.mark.parametrize("stream", [7, 2**32 - 5])
def test_trials_come_in_the_order_of_the_reference(stream: int) -> None:
    _, groups, batch, config = prepare(Case())
    batch = batch._replace(trial_stream_P=np.full(2, stream))
    _, numbers = told(groups, batch, config)
    for trial in (0, 1, 399):
        for individual in (0, 1):
            task = batch.task_P[individual]
            out = torch.empty(1, dtype=torch.int32, device=DEVICE)
            asked = (trial, stream, batch.tables.start_B[task], batch.tables.size_B[task])
            entry_probe[(1,)](
                out, numbers, *(torch.tensor([int(number)], device=DEVICE) for number in asked)
            )
            assert int(out) == trial_numbers(batch.trial_streams, batch.tables, trial)[individual]


@triton.jit
def tanh_probe(out, x_ptr, SIZE: tl.constexpr):
    """tanh of SIZE numbers."""
    at = tl.arange(0, SIZE)
    tl.store(out + at, tanh(tl.load(x_ptr + at)))


def test_tanh_is_exact_to_a_few_units_of_float32() -> None:
    x = torch.cat([torch.linspace(-12, 12, 4090), torch.tensor([0.0, 1e-6, -1e-3, 1e30, -1e30])])
    x = torch.cat([x, torch.tensor([float("nan")])]).to(DEVICE)
    out = torch.empty_like(x)
    tanh_probe[(1,)](out, x, SIZE=4096)
    exact = torch.tanh(x.double())
    assert bool(out[-1].isnan())
    relative = ((out - exact).abs() / exact.abs().clamp(min=1e-30))[:-1]
    assert float(relative[x[:-1] != 0].max()) < 5e-7
    assert float(out[x == 0.0].abs().max()) == 0.0
