"""The generated machine code: hot loops use the widest registers and nothing narrower."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import llvmlite.binding
import numba
import numpy as np
import pytest

from evoplastic.engines.cpu.at_outcome import change_weights, collect_hits, decay_trace
from evoplastic.engines.cpu.engine import of_rule
from evoplastic.engines.cpu.lazy import drive_neurons, trace_hits
from evoplastic.engines.cpu.mutations import _normal_row
from evoplastic.engines.cpu.observations import sent_by_observation
from evoplastic.engines.cpu.plan import make_plan
from evoplastic.engines.cpu.run import Run, place_life
from evoplastic.engines.cpu.self_paced import clamp_state
from evoplastic.engines.cpu.simd.philox import fill_words
from evoplastic.engines.cpu.simd.plastic_pass import Places, Sizes, make_pass
from evoplastic.engines.cpu.step import advance_network, clamped_drive
from evoplastic.engines.cpu.tables import make_banks, make_individuals, make_record
from evoplastic.engines.cpu.workspace import make_workspace
from evoplastic.modulation.params import ModulationParams
from evoplastic.network.neurons import NeuronGroups
from tests.evoplastic.engines.cases import (
    make_bank,
    make_batch,
    make_config,
    make_params,
    with_evolved,
)
from tests.evoplastic.engines.self_paced_cases import make_free_batch, make_node_bank

pytestmark = pytest.mark.skipif(
    not llvmlite.binding.get_host_cpu_features().get("avx512f", False),
    reason="this processor has no AVX-512; explicit vectors fall into narrower registers",
)

PACKED = {
    "fma": r"vfn?m(?:add|sub)\d+ps\s",
    "multiply words": r"vpmuludq\s",
    "divide": r"vdivps\s",
    "divide float64": r"vdivpd\s",
    "multiply": r"vmulps\s",
    "add": r"vaddps\s",
}


def _asm(function: Callable[..., Any], *args: Any) -> str:
    compiled = numba.njit(function)
    compiled.compile(tuple(numba.typeof(a) for a in args))
    (text,) = compiled.inspect_asm().values()
    # What follows the compiled function itself are its wrappers for Python.
    return str(text)


def _widths(asm: str, operation: str) -> set[str]:
    lines = re.findall(PACKED[operation] + r".*", asm)
    return {re.findall(r"%([xyz]mm)\d+", line)[-1] for line in lines}


def _loops(asm: str) -> Iterator[str]:
    """Innermost loops: blocks that end in a jump back to their own label."""
    parts = re.split(r"^(\.LBB\d+_\d+):", asm, flags=re.MULTILINE)
    for label, body in zip(parts[1::2], parts[2::2], strict=True):
        if re.search(rf"^\s+j\w+\s+{re.escape(label)}$", body, flags=re.MULTILINE):
            yield body


def _most(asm: str, operation: str) -> int:
    return max(len(re.findall(PACKED[operation] + r".*%zmm", body)) for body in _loops(asm))


@pytest.fixture(scope="module")
def arguments() -> tuple[Any, Any, Any]:
    groups, batch, config = NeuronGroups(), make_batch([make_bank(0)], 1), make_config()
    plan = make_plan(groups, batch, config)
    return (
        plan,
        make_workspace(groups, batch, config, plan, ModulationParams()),
        place_life.py_func(plan, 0, 0),
    )


@pytest.fixture(scope="module")
def self_paced_arguments() -> tuple[Any, Any]:
    groups, config = NeuronGroups(num_neurons=70, num_inputs=20), make_config()
    batch = make_free_batch([make_node_bank(0, num_inputs=20)], groups, 1)
    plan = make_plan(groups, batch, config)
    run = Run(
        plan,
        make_banks(batch, config),
        make_workspace(groups, batch, config, plan, ModulationParams()),
        make_individuals(make_params(groups, 1), groups, batch, config),
        make_record(1, config.num_trials),
    )
    return run, place_life.py_func(plan, 0, 0)


def test_product_keeps_sixteen_sums_of_sixteen_in_registers(arguments: Any) -> None:
    plan, workspace, life = arguments

    def step(plan: Any, workspace: Any, life: Any) -> None:
        advance_network(plan, workspace, workspace.silent, life, 3, 60)

    asm = _asm(step, plan, workspace, life)
    for operation in ("fma", "divide"):
        assert _widths(asm, operation) == {"zmm"}, operation
    assert _most(asm, "fma") >= 16
    spilled = [body for body in _loops(asm) if re.search(r"vmovups\s+%zmm\d+, -?\d*\(%rsp\)", body)]
    assert not spilled, "sums leave the registers within the loop over columns"


def test_rows_of_the_lazy_schedule_use_the_widest_registers(arguments: Any) -> None:
    plan, workspace, life = arguments

    def step(plan: Any, workspace: Any, life: Any) -> None:
        drive_neurons(plan, workspace, life, 3, True, np.float32(0.5))
        trace_hits(plan, workspace, life, 3, True, np.float32(0.5), np.float32(1.0))

    asm = _asm(step, plan, workspace, life)
    assert _widths(asm, "fma") == {"zmm"}
    assert _most(asm, "fma") >= 16


def test_plasticity_at_outcomes_uses_the_widest_registers(arguments: Any) -> None:
    plan, workspace, life = arguments

    def trial(plan: Any, workspace: Any, life: Any) -> None:
        collect_hits(plan, workspace, life, 0, plan.num_steps, plan.num_steps)
        change_weights(plan, workspace, life, np.float32(0.5))

    asm = _asm(trial, plan, workspace, life)
    assert _widths(asm, "fma") == {"zmm"}
    assert "zmm" in _widths(asm, "add")
    assert "zmm" in _widths(asm, "multiply")
    assert re.search(r"vmovups\s+%zmm", asm)


def test_drive_of_clamped_neurons_uses_the_widest_registers(arguments: Any) -> None:
    plan, workspace, life = arguments

    def step(plan: Any, workspace: Any, life: Any) -> None:
        clamped_drive(plan, workspace, life, 3, 0)

    asm = _asm(step, plan, workspace, life)
    assert _widths(asm, "fma") == {"zmm"}
    assert _most(asm, "fma") >= 4, "fewer than 64 neurons at a time"


def test_a_trace_that_decays_at_the_end_of_a_trial_uses_the_widest_registers(
    arguments: Any,
) -> None:
    plan, workspace, life = arguments

    def end(plan: Any, workspace: Any, life: Any) -> None:
        decay_trace(plan, workspace, life, 7)

    asm = _asm(end, plan, workspace, life)
    assert _most(asm, "multiply") >= 1


def test_observations_are_copied_by_whole_registers(self_paced_arguments: Any) -> None:
    run, life = self_paced_arguments

    def show(run: Any, life: Any) -> None:
        clamp_state(run, life, 3, 1, np.float32(0.5), np.float32(0.5))

    asm = _asm(show, run, life)
    assert _most(asm, "multiply") >= 1
    copied = [body for body in _loops(asm) if re.search(r"%zmm\d+ \{%k\d\} \{z\}", body)]
    assert copied, "what a state shows is not read under a mask, 16 channels at a time"


def test_observations_are_sent_four_at_a_time_from_registers(self_paced_arguments: Any) -> None:
    run, life = self_paced_arguments

    def send(run: Any, life: Any) -> int:
        return int(sent_by_observation(run.plan, run.workspace, run.banks, life, 0, True))

    asm = _asm(send, run, life)
    assert _widths(asm, "fma") == {"zmm"}
    assert _most(asm, "fma") >= 16
    spilled = [body for body in _loops(asm) if re.search(r"vmovups\s+%zmm\d+, -?\d*\(%rsp\)", body)]
    assert not spilled, "sums leave the registers within the loop over channels"


@pytest.mark.parametrize(
    ("rule", "operations"),
    # a, b, c, d and the rate, p, alpha, two sums; u v of four terms, alpha, the sum
    [("abcd", {"fma": 6, "multiply": 1}), ("abcd_rank_one", {"fma": 6})],
)
def test_a_pass_of_a_rule_is_its_terms_in_the_widest_registers(
    rule: str, operations: dict[str, int]
) -> None:
    groups, batch = NeuronGroups(), make_batch([make_bank(0)], 1)
    config = make_config(rule={"name": rule})
    plan = make_plan(groups, batch, config)
    params = with_evolved(make_params(groups, 1), groups, config.rule)
    workspace = make_workspace(groups, batch, config, plan, params.modulation)
    formula, matrices, *_ = of_rule(plan, params, batch, config)
    passes = make_pass(4, changes=True)

    def step(formula: Any, matrices: Any, places: Any, sizes: Any, workspace: Any) -> None:
        passes(
            formula, matrices, places, sizes, workspace.rate, workspace.xi, workspace.drive, 0, True
        )

    places, sizes = Places(0, 0, 0, 0, 80, 16), Sizes(64, 80, 63, 70)
    asm = _asm(step, formula, matrices, places, sizes, workspace)
    assert _widths(asm, "fma") == {"zmm"}
    (loop,) = (body for body in _loops(asm) if re.search(PACKED["fma"], body))
    loop = re.split(r"^\s+j\w+\s+\.LBB", loop, flags=re.MULTILINE)[0]
    for operation, count in operations.items():
        found = len(re.findall(PACKED[operation] + r".*%zmm", loop))
        assert found == 4 * count, f"{found} of {operation} for four tiles"
    assert not re.search(r"zmm\d+, -?\d*\(%rsp\)", loop), "numbers leave the registers"


def test_philox_multiplies_eight_words_at_a_time(arguments: Any) -> None:
    _, workspace, _ = arguments

    def draw(words: Any) -> None:
        fill_words(words, 128, 0, 96, 1, 2, 3, np.uint32(4), np.uint32(5))

    asm = _asm(draw, workspace.words)
    assert _widths(asm, "multiply words") == {"zmm"}


def test_normal_numbers_divide_eight_at_a_time() -> None:
    out, words = np.empty(9800, dtype=np.float32), np.empty(5000, dtype=np.uint32)
    key = np.uint32(1)
    asm = _asm(_normal_row.py_func, out, words, np.empty(5000, dtype=np.float32), 1, key, key, key)
    assert _widths(asm, "divide float64") == {"zmm"}
    assert _widths(asm, "multiply words") == {"zmm"}
