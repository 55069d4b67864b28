"""Whole lifetimes of rules that change weights at every step, compiled for each rule's structure.

A step is one pass over the matrices (`simd/plastic_pass.py`): after the network has moved on and
its world has answered, the weights change and, while a row is in registers, the drive of the next
step is summed. Whatever a rule does is in the pass; here is only when it does it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evoplastic.engines.cpu.course import taught
from evoplastic.engines.cpu.perturbation import begin_noise, draw_noise
from evoplastic.engines.cpu.plan import Plan
from evoplastic.engines.cpu.run import place_life
from evoplastic.engines.cpu.simd.compile import compiled_once, inlined
from evoplastic.engines.cpu.simd.formula import ALPHA, WEIGHT, Formula, P
from evoplastic.engines.cpu.simd.modulation import modulate, modulatory_signal, squared_jump
from evoplastic.engines.cpu.simd.plastic_pass import (
    LIMITS,
    MAX_CHANGE,
    MAX_P,
    RETENTION,
    SCALE,
    Matrices,
    Places,
    Sizes,
    make_pass,
)
from evoplastic.engines.cpu.simd.senders import make_senders
from evoplastic.engines.cpu.simd.vectors import (
    fma,
    load,
    splat_f32,
    store,
)
from evoplastic.engines.cpu.step import advance_network
from evoplastic.engines.cpu.trial import begin_trial, birth, meet_world
from evoplastic.engines.cpu.workspace import allocate

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
    """When a rule changes weights, by what it is modulated, and what of it lies where."""

    at_steps: bool  # else at outcomes alone
    modulator: int
    max_change: np.float32
    max_p: np.float32
    mean_keep: np.float32
    centres: bool
    normalises: bool
    reads_noise_of_sources: bool
    num_target: int
    num_source: int
    num_pair: int
    pairs_at: int
    trace_at: int  # -1 without a trace
    num_matrices: int


def make_matrices(plan: Plan, formula: Formula) -> Matrices:
    """Memory of one thread, for two lives side by side; surplus is 0."""
    wide = plan.unclamped_width

    def zeros(size: int) -> NDArray[np.float32]:
        array = allocate(size)
        array[:] = 0.0
        return array

    return Matrices(
        rows=zeros(2 * plan.row * formula.num_matrices * wide),
        of_target=zeros(2 * formula.num_target * wide),
        of_source=zeros(2 * formula.num_source * plan.row),
        senders=zeros(len(formula.senders) * plan.row),
        noise=zeros(plan.row),
        modulation=zeros(2 * wide),
        mean=zeros(2 * plan.row),
        limits=zeros(2 * LIMITS),
        plastic=zeros(2 * wide),
        largest=zeros(wide // 16),
        kept=zeros(plan.row * wide if formula.credits else 0),
    )


def read_connections(
    plan: Plan, formula: Formula, matrices: Matrices
) -> dict[str, NDArray[np.float32]]:
    """p and eligibility [U', row] of the life in slot 0."""
    rows = matrices.rows[: matrices.rows.size // 2]
    every = rows.reshape(plan.row, formula.num_matrices, plan.unclamped_width)
    p = matrices.limits[SCALE] * every[:, P]
    elig = every[:, formula.trace_at] if formula.credits else np.zeros_like(p)
    return {"p": p.T, "elig": elig.T}


def _make_sweep(pass_four: Any, pass_one: Any) -> Any:
    """A function that passes over all targets, four tiles at a time and one by one behind them."""

    @inlined
    def sweep(
        sizes: Any, workspace: Any, formula: Any, matrices: Any, places: Any, back: bool
    ) -> None:
        rate, xi, drive = workspace.rate, workspace.xi, workspace.drive
        n = 0
        while n + 64 <= sizes.wide:
            pass_four(formula, matrices, places, sizes, rate, xi, drive, n, back)
            n += 64
        while n < sizes.wide:
            pass_one(formula, matrices, places, sizes, rate, xi, drive, n, back)
            n += 16

    return sweep


_change = _make_sweep(make_pass(4, changes=True), make_pass(1, changes=True))
_stay = _make_sweep(make_pass(4, changes=False), make_pass(1, changes=False))


@inlined
def _lay_coefficients(run: Any, matrices: Any, coefficients: Any, change: Any, life: Any) -> None:
    """Matrices and coefficients of a newborn as a pass reads them; no p, no trace, no mean."""
    plan, workspace, individual = run.plan, run.workspace, life.individual
    wide, size = plan.unclamped_width, plan.num_clamped + plan.num_unclamped
    stride = change.num_matrices * wide
    first = life.slot * plan.row * stride
    matrices.rows[first : first + plan.row * stride] = np.float32(0)
    matrices.mean[life.slot * plan.row : (life.slot + 1) * plan.row] = np.float32(0)
    limits = life.slot * LIMITS
    matrices.limits[limits + RETENTION] = coefficients.retention[individual]
    matrices.limits[limits + MAX_CHANGE] = change.max_change
    matrices.limits[limits + MAX_P] = change.max_p
    matrices.limits[limits + SCALE] = np.float32(1)
    for j in range(plan.row):
        row = first + j * stride
        for n in range(wide):
            matrices.rows[row + WEIGHT * wide + n] = workspace.weight[life.weight + j * wide + n]
            matrices.rows[row + ALPHA * wide + n] = workspace.alpha[life.matrix + j * wide + n]
    for n in range(plan.num_unclamped):
        source = (plan.num_clamped + n) * size
        for neuron in range(size):
            at = first + workspace.column[neuron] * stride + change.pairs_at * wide + n
            for m in range(change.num_pair):
                value = coefficients.of_pair[m][
                    individual * coefficients.pair_stride[m] + source + neuron
                ]
                matrices.rows[at + m * wide] = value
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
def _drive_anew(
    plan: Any, workspace: Any, matrices: Any, change: Any, life: Any, rate: int
) -> None:
    """The drive of all targets from rates at a place, p as it lies there; rare, and slow."""
    wide = plan.unclamped_width
    stride = change.num_matrices * wide
    first = life.slot * plan.row * stride
    workspace.drive[life.state : life.state + wide] = np.float32(0)
    for j in range(plan.row):
        row = first + j * stride
        for n in range(wide):
            p = matrices.rows[row + P * wide + n]
            weight = matrices.rows[row + WEIGHT * wide + n]
            weight += matrices.rows[row + ALPHA * wide + n] * p
            workspace.drive[life.state + n] += weight * workspace.rate[rate + j]


@inlined
def _normalise(
    plan: Any, workspace: Any, matrices: Any, change: Any, life: Any, after: int
) -> None:
    """Set the scale of p to 1 / max |P|, or to 1 where that is 0 or not a number."""
    largest = np.float32(0)
    total = np.float32(0)
    for tile in range(plan.unclamped_width // 16):
        here = matrices.largest[tile]
        largest = max(here, largest)
        total += here
    scale = np.float32(1)
    if largest > 0 and not np.isnan(total):
        scale = np.float32(np.float32(1) / largest)
    if np.isinf(scale):  # largest is so small that its reciprocal is none: divide at once
        stride = change.num_matrices * plan.unclamped_width
        first = life.slot * plan.row * stride + P * plan.unclamped_width
        for j in range(plan.row):
            for n in range(plan.unclamped_width):
                matrices.rows[first + j * stride + n] /= largest
        scale = np.float32(1)
        _drive_anew(plan, workspace, matrices, change, life, after)
        matrices.plastic[life.state : life.state + plan.unclamped_width] = np.float32(0)
    matrices.limits[life.slot * LIMITS + SCALE] = scale


@inlined
def _join_drive(plan: Any, workspace: Any, matrices: Any, life: Any) -> None:
    """drive += scale * sum of alpha P rate."""
    scale = splat_f32(matrices.limits[life.slot * LIMITS + SCALE], 16)
    for n in range(life.state, life.state + plan.unclamped_width, 16):
        joined = fma(load(matrices.plastic, n, 16), scale, load(workspace.drive, n, 16))
        store(workspace.drive, n, joined)


@inlined
def _lay_noise(run: Any, matrices: Any, life: Any, xi: int) -> None:
    """The perturbations of all neurons as sources lie; `xi` is that of the first target."""
    plan, workspace = run.plan, run.workspace
    for n in range(0, plan.unclamped_width, 16):
        store(matrices.noise, n, load(workspace.xi, xi + n, 16))
    lines = life.individual * plan.num_inputs
    for neuron in range(plan.num_clamped):
        place = neuron
        if neuron < plan.num_inputs:
            place = run.individuals.input_place[lines + neuron]
        matrices.noise[plan.unclamped_width + place] = workspace.xi[xi - plan.num_clamped + neuron]


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
def _keep_trace(plan: Any, matrices: Any, change: Any, life: Any, back: bool) -> None:
    """Put the trace of a life aside before a probe, or back after it."""
    if change.trace_at < 0:
        return
    wide = plan.unclamped_width
    stride = change.num_matrices * wide
    first = life.slot * plan.row * stride + change.trace_at * wide
    for j in range(plan.row):
        for n in range(wide):
            if back:
                matrices.rows[first + j * stride + n] = matrices.kept[j * wide + n]
            else:
                matrices.kept[j * wide + n] = matrices.rows[first + j * stride + n]


@inlined
def _run_trial(
    run: Any, formula: Any, matrices: Any, change: Any, life: Any, trial: int, entry: int
) -> Any:
    """One trial of one life; returns the roughness of its modulation."""
    plan, workspace = run.plan, run.workspace
    learns = taught(run, life.individual, trial)
    may_change = learns and trial >= plan.first_trial
    if not learns:
        _keep_trace(plan, matrices, change, life, False)
    roughness = np.float32(0)
    mod_before = np.float32(0)
    fan_out = workspace.fan_outs.plasticity
    has_feedback = trial > 0 or not plan.self_paced  # self-paced, it is that of the trial before
    sizes = Sizes(
        plan.unclamped_width,
        plan.row,
        plan.num_unclamped,
        plan.num_unclamped + plan.num_clamped,
    )
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
        xi = step * plan.row + plan.clamped_width
        places = Places(life.state, life.slot * plan.row, life.slot, after - plan.row, after, xi)
        if change.reads_noise_of_sources:
            _lay_noise(run, matrices, life, xi)
        make_senders(formula, matrices, places, sizes, workspace.rate)
        back = step & 1 == 1
        if may_change and changes:
            modulate(fan_out, plan, workspace, life, after, gate, matrices.modulation)
            _change(sizes, workspace, formula, matrices, places, back)
            if change.normalises:
                _normalise(plan, workspace, matrices, change, life, after)
        else:
            _stay(sizes, workspace, formula, matrices, places, back)
        if change.normalises:
            _join_drive(plan, workspace, matrices, life)
        if change.centres and learns:
            _advance_means(plan, workspace, matrices, life, after, change.mean_keep)
        if known and plan.self_paced:
            break
    if not learns:
        _keep_trace(plan, matrices, change, life, True)
    return roughness


@compiled_once
def run_every_step(
    run: Any,
    formula: Any,
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
        _drive_anew(plan, workspace, matrices, change, life, newborn)
    for trial in range(trial_start, trial_stop):
        for c in range(stop - first):
            life = place_life(plan, c, first + c)
            begin_noise(run, life, trial)
            entry = begin_trial(run, life, trial)
            record.smoothness[first + c] += _run_trial(
                run, formula, matrices, change, life, trial, entry
            )
