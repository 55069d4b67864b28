"""Every GPU kernel, as it would be launched, compiles for a GPU that nobody needs to have.

The interpreter forgives what the compiler refuses: a variable that changes its type in a loop, say.
"""

# mypy: allow-untyped-defs, allow-incomplete-defs
from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from evoplastic.engines.gpu.engine import run_gpu
from evoplastic.lifetime.batch import LifetimeBatch
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.modulation.table import Channel
from evoplastic.network.neurons import NeuronGroups
from tests.evoplastic.engines.cases import (
    GATED,
    OWN_INTRINSIC,
    make_bank,
    make_batch,
    make_config,
    make_params,
    with_evolved,
    with_fan_outs,
    with_intrinsic,
)
from tests.evoplastic.engines.self_paced_cases import make_free_batch, make_node_bank
from tests.evoplastic.engines.stream_cases import stream_batch

triton = pytest.importorskip("triton")

from triton.backends.compiler import GPUTarget  # noqa: E402
from triton.compiler import ASTSource  # noqa: E402

from evoplastic.engines.gpu import mutations as noise_gpu  # noqa: E402

HOPPER = GPUTarget("cuda", 90, 32)
POINTERS = {
    torch.float64: "*fp64",
    torch.float32: "*fp32",
    torch.int64: "*i64",
    torch.int32: "*i32",
    torch.int8: "*i8",
}
LAUNCH_OPTIONS = ("num_warps", "enable_fp_fusion")

BY_OUTCOME = make_config(feedback="reward_prediction_error", rule={"outcome": "reward"})
BINARY = make_config(feedback="prediction_error", rule={"outcome": "binary", "baseline": "none"})
BY_NETWORK = make_config(
    feedback="reward", rule={"name": "node_perturbation_network", "gate": "feedback"}
)
PER_CONNECTION = make_config(rule={"name": "abcd_rates"})
CENTRED = make_config(rule={"name": "cubed_fluctuations"})


GATED_BY_OUTCOME = make_config(modulation=GATED)
GATED_BY_NETWORK = make_config(
    rule={"name": "node_perturbation_network"}, modulation=GATED, dynamics=OWN_INTRINSIC
)

ALL_CHANNELS = make_config(
    rule={"name": "backpropamine"},
    modulation={**GATED, "channels": (*GATED["channels"], Channel(target="plasticity", init=1.0))},
)


class Launches:
    """Stands where a kernel stands, and keeps what it is launched with."""

    def __init__(self) -> None:
        self.seen: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

    def __getitem__(self, grid: object) -> Any:
        return lambda *args, **kwargs: self.seen.append((args, kwargs))


@pytest.mark.parametrize(
    ("name", "config", "free", "streamed"),
    [
        ("at_outcome", BY_OUTCOME, False, False),
        ("lazy", BY_NETWORK, False, False),
        ("streamed", BINARY, False, True),
        pytest.param("at_outcome", GATED_BY_OUTCOME, False, False, marks=pytest.mark.exhaustive),
        ("streamed", GATED_BY_NETWORK, False, True),
        ("self_paced", GATED_BY_NETWORK, True, False),
        ("self_paced", BY_OUTCOME, True, False),
        ("self_paced", BINARY, True, True),
        ("self_paced", BY_NETWORK, True, False),
        ("self_paced", BY_NETWORK, True, True),
        ("every_step.kernel", PER_CONNECTION, False, False),
        ("every_step.kernel", CENTRED, True, True),
        ("every_step.kernel", ALL_CHANNELS, True, False),
        pytest.param("every_step.kernel", ALL_CHANNELS, False, True, marks=pytest.mark.exhaustive),
    ],
)
def test_a_kernel_compiles_as_it_is_launched(
    name: str,
    config: LifetimeConfig,
    free: bool,
    streamed: bool,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    number = config.modulation.table.num_neurons
    groups = NeuronGroups(num_neurons=17, num_inputs=3, num_outputs=3, num_modulators=number)
    lines: dict[str, Any] = {"num_inputs": 3, "num_outputs": 3}
    if free:
        batch = make_free_batch([make_node_bank(1, **lines)], groups, 2)
    else:
        batch = make_batch([make_bank(1, **lines)], 2)
    assert len(compiled(name, config, groups, batch, streamed, monkeypatch).asm["cubin"]) > 1000


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("name", "config", "free", "streamed"),
    [
        ("at_outcome", BY_OUTCOME, False, False),
        ("lazy", BY_NETWORK, False, False),
        ("streamed", BINARY, False, True),
        ("streamed", BY_NETWORK, False, True),
        ("self_paced", BY_OUTCOME, True, False),
        ("self_paced", BINARY, True, True),
        ("self_paced", BY_NETWORK, True, False),
        ("self_paced", BY_NETWORK, True, True),
        ("every_step.kernel", ALL_CHANNELS, False, False),
        ("every_step.kernel", ALL_CHANNELS, True, False),
        ("every_step.kernel", CENTRED, False, True),
        ("every_step.kernel", CENTRED, True, True),
    ],
)
def test_a_kernel_for_streams_of_tasks_compiles(
    name: str,
    config: LifetimeConfig,
    free: bool,
    streamed: bool,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    groups = NeuronGroups(num_neurons=17, num_modulators=config.modulation.table.num_neurons)
    batch = stream_batch(groups, 2, self_paced=free)
    assert len(compiled(name, config, groups, batch, streamed, monkeypatch).asm["cubin"]) > 1000


def compiled(
    name: str,
    config: LifetimeConfig,
    groups: NeuronGroups,
    batch: LifetimeBatch,
    streamed: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> Any:
    """The kernel of a batch."""
    module = importlib.import_module(f"evoplastic.engines.gpu.{name}")
    entry = f"run_{name.partition('.')[0]}"
    kernel, launches = getattr(module, entry), Launches()
    monkeypatch.setattr(module, entry, launches)
    params = with_evolved(make_params(groups, 2), groups, config.rule)
    params = with_intrinsic(with_fan_outs(params, groups, config), groups, config.dynamics)
    run_gpu(params, groups, batch, config, device="cpu", streamed=streamed)
    return compile_as_launched(kernel, launches)


@pytest.mark.parametrize("name", ["perturb", "accumulate"])
def test_mutations_are_compiled_to_instructions_that_round_as_numpy_does(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    kernel, launches = getattr(noise_gpu, name), Launches()
    monkeypatch.setattr(noise_gpu, name, launches)
    size = 578
    sigma_G = torch.full((size,), 0.03)
    if name == "perturb":
        noise_gpu.perturb_pairs(torch.zeros(size), sigma_G, 1, 0, 0, 3, device="cpu")
    else:
        total_G, weights = np.zeros(size), np.ones(3)
        noise_gpu.accumulate_pairs(total_G, sigma_G, 1, 0, 0, weights, device="cpu")
    code = compile_as_launched(kernel, launches).asm["ptx"]
    floating = set(
        re.findall(r"\b((?:add|sub|mul|fma|mad|div|sqrt|rcp|rsqrt|ex2|lg2)\.[\w.]*f\d+)", code)
    )
    assert {"add.rn.f64", "mul.rn.f64", "div.rn.f64", "sqrt.rn.f64", "mul.rn.f32"} <= floating
    # Rounded to nearest, one operation at a time: nothing approximate, nothing fused.
    assert not [found for found in floating if not re.fullmatch(r"(?!fma)\w+\.rn\.f\d+", found)]


def type_of(value: Any) -> Any:
    """Triton's name for the type of an argument, a bundle of them included."""
    if isinstance(value, torch.Tensor):
        return POINTERS[value.dtype]
    return type(value)(*(type_of(each) for each in value))


def compile_as_launched(kernel: Any, launches: Launches) -> Any:
    """The kernel, compiled for what it was launched with once."""
    ((args, kwargs),) = launches.seen
    options = {option: kwargs.pop(option) for option in LAUNCH_OPTIONS}
    arguments = dict(zip(kernel.arg_names, args, strict=False)) | kwargs
    assert sorted(arguments) == sorted(kernel.arg_names)
    assert len(args) + len(kwargs) == len(arguments)

    signature = {
        argument: "constexpr" if argument in kwargs else type_of(value)
        for argument, value in arguments.items()
    }
    constants = {(kernel.arg_names.index(key),): value for key, value in kwargs.items()}
    source = ASTSource(
        fn=kernel,
        signature={argument: signature[argument] for argument in kernel.arg_names},
        constexprs=constants,
    )
    return triton.compile(source, target=HOPPER, options=options)


def test_bounds_of_unrolled_loops_are_compile_time_constants_by_name() -> None:
    """Triton 3.6 takes no plain number of a named tuple for one; later ones do."""
    folder = Path(noise_gpu.__file__).parent
    bounds = [
        bound
        for file in folder.rglob("*.py")
        for bound in re.findall(r"static_range\((.*?)\)", file.read_text())
    ]
    assert len(bounds) > 5
    assert [bound for bound in bounds if "." in bound] == []
