"""Whole lifetimes of rules that change weights at every step, compiled for each rule's structure.

A step is one pass over the matrices (`simd/plastic_pass.py`): after the network has moved on and
its world has answered, the weights change and, while a row is in registers, the drive of the next
step is summed. Whatever a rule does is in the pass; here is only when it does it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evoplastic.engines.cpu.perturbation import begin_noise, draw_noise
from evoplastic.engines.cpu.plan import Plan
from evoplastic.engines.cpu.run import place_life
from evoplastic.engines.cpu.simd.compile import compiled_once, inlined
from evoplastic.engines.cpu.simd.modulation import modulate, modulatory_signal, squared_jump
from evoplastic.engines.cpu.simd.plastic_pass import Matrices, Places, make_pass
from evoplastic.engines.cpu.simd.vectors import (
    fma,
    load,
    splat_f32,
    store,
)
from evoplastic.engines.cpu.step import advance_network
from evoplastic.engines.cpu.trial import begin_trial, birth, meet_world
from evoplastic.engines.cpu.workspace import Workspace, allocate
from evoplastic.engines.structure import Compiled

MODULATED_BY_NOTHING, MODULATED_BY_OUTCOME, MODULATED_BY_NETWORK = range(3)


class Coefficients(NamedTuple):
    """What differs between individuals: coefficients, one flat array for each, and numbers.

    Coefficients of individual p lie from p * stride on.
    """

    of_target: tuple[NDArray[np.float32], ...]  # [P, N]
    target_stride: tuple[int, ...]
    of_source: tuple[NDArray[np.float32], ...]  # [P, N]
    source_stride: tuple[int, ...]
    of_pair: tuple[NDArray[np.float32], ...]  # [P, N, N]
    pair_stride: tuple[int, ...]
    retention: NDArray[np.float32]  # [P] of the trace


class Change(NamedTuple):
    """When a rule changes weights, and by what it is modulated."""

    at_steps: bool  # else at outcomes alone
    modulator: int
    max_change: np.float32
    max_p: np.float32
    mean_keep: np.float32
    num_target: int
    num_source: int
    num_pair: int


def make_matrices(plan: Plan, workspace: Workspace, compiled: Compiled) -> Matrices:
    """Memory of one thread, for two lives side by side: the workspace's and more; surplus is 0."""
    area = 2 * plan.row * plan.unclamped_width

    def zeros(size: int) -> NDArray[np.float32]:
        array = allocate(size)
        array[:] = 0.0
        return array

    return Matrices(
        weight=workspace.weight,
        alpha=workspace.alpha,
        p=zeros(area),
        trace=workspace.elig,
        of_pair=zeros(area * len(compiled.of_pair)),
        of_target=zeros(2 * len(compiled.of_target) * plan.unclamped_width),
        of_source=zeros(2 * len(compiled.of_source) * plan.row),
        modulation=zeros(2 * plan.unclamped_width),
        mean=zeros(2 * plan.row),
        limits=zeros(6),
    )


_LANES = (64, 32, 16)
_change64, _change32, _change16 = (make_pass(n, credits=True, changes=True) for n in _LANES)
_credit64, _credit32, _credit16 = (make_pass(n, credits=True, changes=False) for n in _LANES)
_send64, _send32, _send16 = (make_pass(n, credits=False, changes=False) for n in _LANES)


def _make_sweep(pass64: Any, pass32: Any, pass16: Any) -> Any:
    """A function that passes over all targets and keeps their drive."""

    @inlined
    def sweep(
        plan: Any, workspace: Any, structure: Any, matrices: Any, life: Any, places: Any, back: bool
    ) -> None:
        wide, sources = plan.unclamped_width, plan.num_unclamped + plan.num_clamped
        n = 0
        while n + 64 <= wide:
            drive = pass64(
                structure, matrices, places, workspace.rate, workspace.xi,
                n, wide, plan.num_unclamped, sources, back,
            )  # fmt: skip
            store(workspace.drive, life.state + n, drive)
            n += 64
        if n + 32 <= wide:
            drive = pass32(
                structure, matrices, places, workspace.rate, workspace.xi,
                n, wide, plan.num_unclamped, sources, back,
            )  # fmt: skip
            store(workspace.drive, life.state + n, drive)
            n += 32
        if n < wide:
            drive = pass16(
                structure, matrices, places, workspace.rate, workspace.xi,
                n, wide, plan.num_unclamped, sources, back,
            )  # fmt: skip
            store(workspace.drive, life.state + n, drive)

    return sweep


_change = _make_sweep(_change64, _change32, _change16)
_credit = _make_sweep(_credit64, _credit32, _credit16)
_send = _make_sweep(_send64, _send32, _send16)


@inlined
def _lay_coefficients(run: Any, matrices: Any, coefficients: Any, change: Any, life: Any) -> None:
    """Coefficients of a newborn as a pass reads them; no p, no mean."""
    plan, workspace, individual = run.plan, run.workspace, life.individual
    wide, size = plan.unclamped_width, plan.num_clamped + plan.num_unclamped
    area = plan.row * wide
    first = life.slot * area
    matrices.p[first : first + area] = np.float32(0)
    matrices.mean[life.slot * plan.row : (life.slot + 1) * plan.row] = np.float32(0)
    limits = 3 * life.slot
    matrices.limits[limits] = coefficients.retention[individual]
    matrices.limits[limits + 1] = change.max_change
    matrices.limits[limits + 2] = change.max_p
    for n in range(plan.num_unclamped):
        source = (plan.num_clamped + n) * size
        for neuron in range(size):
            at = workspace.column[neuron] * wide + n
            for m in range(change.num_pair):
                value = coefficients.of_pair[m][
                    individual * coefficients.pair_stride[m] + source + neuron
                ]
                matrices.of_pair[(life.slot * change.num_pair + m) * area + at] = value
    for m in range(change.num_target):
        row = (life.slot * change.num_target + m) * wide
        start = individual * coefficients.target_stride[m] + plan.num_clamped
        for n in range(plan.num_unclamped):
            matrices.of_target[row + n] = coefficients.of_target[m][start + n]
    for m in range(change.num_source):
        row = (life.slot * change.num_source + m) * plan.row
        start = individual * coefficients.source_stride[m]
        for neuron in range(size):
            matrices.of_source[row + workspace.column[neuron]] = coefficients.of_source[m][
                start + neuron
            ]


@inlined
def _advance_means(
    plan: Any, workspace: Any, matrices: Any, life: Any, after: int, keep: Any
) -> None:
    """mean' = keep * mean + (1 - keep) * rate."""
    old = splat_f32(keep, 16)
    new = splat_f32(np.float32(np.float32(1) - keep), 16)
    first = life.slot * plan.row
    for j in range(0, plan.row, 16):
        value = load(workspace.rate, after + j, 16) * new
        store(matrices.mean, first + j, fma(load(matrices.mean, first + j, 16), old, value))


@inlined
def _run_trial(
    run: Any, structure: Any, matrices: Any, change: Any, life: Any, trial: int, entry: int
) -> Any:
    """One trial of one life; returns the roughness of its modulation."""
    plan, workspace = run.plan, run.workspace
    may_change = trial >= plan.first_trial
    roughness = np.float32(0)
    mod_before = np.float32(0)
    fan_out = workspace.fan_outs.plasticity
    has_feedback = trial > 0 or not plan.self_paced  # self-paced, it is that of the trial before
    area = plan.row * plan.unclamped_width
    for step in range(plan.num_steps):
        if step == workspace.drawn[0]:
            draw_noise(plan, workspace, trial, run.individuals.perturb_stream[life.individual])
        speaking = plan.response_start <= step < plan.response_stop
        gates = workspace.speaking if speaking else workspace.silent
        advance_network(plan, workspace, gates, life, step, 0)
        known = meet_world(run, life, trial, entry, step)
        after = life.rate + (step + 1) * plan.row
        changes = known
        gate = np.float32(1)
        if change.modulator == MODULATED_BY_OUTCOME:
            gate = workspace.gate[life.slot]
        if change.modulator == MODULATED_BY_NETWORK:
            gate = modulatory_signal(plan, workspace, after)
            if may_change:
                if step > 0:
                    roughness += squared_jump(fan_out, plan, workspace, after, gate, mod_before)
                mod_before = gate
        if change.at_steps:
            in_feedback = has_feedback and plan.feedback_start <= step < plan.feedback_stop
            changes = plan.gate_always or in_feedback
        places = Places(
            life.slot * area,
            life.state,
            life.slot * plan.row,
            life.slot,
            after - plan.row,
            after,
            step * plan.row + plan.clamped_width,
        )
        back = step & 1 == 1
        if may_change and changes:
            modulate(fan_out, plan, workspace, life, after, gate, matrices.modulation)
            _change(plan, workspace, structure, matrices, life, places, back)
        else:
            _credit(plan, workspace, structure, matrices, life, places, back)
        _advance_means(plan, workspace, matrices, life, after, change.mean_keep)
        if known and plan.self_paced:
            break
    return roughness


@compiled_once
def run_every_step(
    run: Any,
    structure: Any,
    matrices: Any,
    coefficients: Any,
    change: Any,
    first: int,
    stop: int,
    trial_start: int,
    trial_stop: int,
) -> None:
    """Simulate trials [trial_start, trial_stop) of individuals [first, stop), at most two: partners
    share their noise. The workspace holds them from one call to the next."""
    plan, workspace, record = run.plan, run.workspace, run.record
    for c in range(stop - first if trial_start == 0 else 0):
        life = place_life(plan, c, first + c)
        birth(run, life)
        _lay_coefficients(run, matrices, coefficients, change, life)
        record.smoothness[first + c] = np.float32(0)
        newborn = life.rate + plan.num_steps * plan.row
        places = Places(
            c * plan.row * plan.unclamped_width, life.state, c * plan.row, c, newborn, newborn, 0
        )
        _send(plan, workspace, structure, matrices, life, places, False)
    for trial in range(trial_start, trial_stop):
        for c in range(stop - first):
            life = place_life(plan, c, first + c)
            begin_noise(run, life, trial)
            entry = begin_trial(run, life, trial)
            record.smoothness[first + c] += _run_trial(
                run, structure, matrices, change, life, trial, entry
            )
