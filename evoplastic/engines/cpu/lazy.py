"""Whole lifetimes of the schedule "lazy", compiled: weights may change at every step.

As long as the clip does not bind, p grows along the eligibility trace of its row:

    p(t) = p(t0) + (s(t) - s(t0)) U,    s = running sum of gain * mod * scale,    elig = scale * U

with U constant between two hits of the row. So a step needs no pass over the matrices: it uses

    (w + alpha p) rate = (weight + s trace) rate

with weight = leak (w + alpha p(t0)) and trace = leak alpha U, t0 the step at which s was last set
to 0. When U grows by v, weight loses s leak alpha v, which did not grow before; only the rows of
perturbed neurons (one in ten) change. A bound on each row's trace tells when the clip could bind;
then that step's change is made in full, clipped.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from evoplastic.engines.cpu.course import taught
from evoplastic.engines.cpu.perturbation import begin_noise, draw_noise
from evoplastic.engines.cpu.run import place_life
from evoplastic.engines.cpu.simd.compile import compiled_once, inlined
from evoplastic.engines.cpu.simd.modulation import modulatory_signal
from evoplastic.engines.cpu.simd.tiles import TILE, tiles_times_rates, traced_tiles_times_rates
from evoplastic.engines.cpu.simd.vectors import (
    any_above,
    fma,
    load,
    magnitude,
    no_less,
    no_more,
    splat_f32,
    store,
)
from evoplastic.engines.cpu.step import advance_network
from evoplastic.engines.cpu.trial import (
    begin_trial,
    birth,
    meet_world,
    place_in_tiles,
)

SMALLEST_SCALE = np.float32(1.0 / 16.0)  # the trace is rescaled before it loses precision


@inlined
def drive_neurons(
    plan: Any, workspace: Any, life: Any, step: int, growing: bool, total: Any
) -> None:
    """What every neuron receives, with the growth of the weights since they were settled.

    Up and down in turn: the rows read last are still in the first-level cache.
    """
    rate = life.rate + step * plan.row
    for block in range(0, plan.unclamped_width, 16):
        n = plan.unclamped_width - 16 - block if step & 1 else block
        at = life.matrix + n * plan.row
        if growing:
            drive = traced_tiles_times_rates(
                workspace.weight, at, plan.row, workspace.rate, rate, workspace.elig, total
            )
        else:
            drive = tiles_times_rates(workspace.weight, at, plan.row, workspace.rate, rate)
        store(workspace.drive, life.state + n, drive)


@inlined
def settle(plan: Any, workspace: Any, life: Any, total: Any, rescale: Any) -> None:
    """weight += s trace; trace *= rescale; s starts again at 0."""
    grown = splat_f32(total, 16)
    factor = splat_f32(rescale, 16)
    for j in range(life.matrix, life.matrix + plan.unclamped_width * plan.row, 16):
        trace = load(workspace.elig, j, 16)
        store(workspace.weight, j, fma(grown, trace, load(workspace.weight, j, 16)))
        store(workspace.elig, j, trace * factor)


@inlined
def trace_hits(
    plan: Any, workspace: Any, life: Any, step: int, growing: bool, total: Any, gain: Any
) -> None:
    """trace[n, :] += v and weight[n, :] -= s v for neurons n hit at a step, v = gain xi[n] leak
    alpha[n, :] rate: the growth so far is none of v's."""
    rate = life.rate + step * plan.row
    xi = step * plan.row + plan.clamped_width
    before = splat_f32(np.float32(-total), 16)
    for h in range(workspace.hit_start[step], workspace.hit_start[step + 1]):
        n = np.int64(workspace.hit[h]) & 0xFFFF
        factor = splat_f32(np.float32(workspace.xi[xi + n] * gain), 16)
        at = place_in_tiles(life.matrix, plan.row, n, 0)
        for j in range(0, plan.row, 16):
            credit = load(workspace.alpha, at, 16) * load(workspace.rate, rate + j, 16) * factor
            if growing:
                store(workspace.weight, at, fma(before, credit, load(workspace.weight, at, 16)))
            store(workspace.elig, at, load(workspace.elig, at, 16) + credit)
            at += TILE


@inlined
def bound_traces(plan: Any, workspace: Any, life: Any, step: int, most: Any, change: Any) -> bool:
    """Whether |gain * mod * elig| could exceed max_change anywhere, by a bound on every row.

    bound' = |retention| (bound + |xi| max |rate|) >= |elig|,     change = |gain * mod|
    """
    keep = splat_f32(np.float32(abs(plan.retention)), 16)
    largest = splat_f32(most, 16)
    limit = splat_f32(plan.max_change, 16)
    factor = splat_f32(change, 16)
    exceeds = False
    for n in range(0, plan.unclamped_width, 16):
        xi = magnitude(load(workspace.xi, step * plan.row + plan.clamped_width + n, 16))
        bound = fma(xi, largest, load(workspace.bound, life.state + n, 16)) * keep
        store(workspace.bound, life.state + n, bound)
        exceeds = exceeds | any_above(bound * factor, limit)
    return exceeds


@inlined
def change_clipped(plan: Any, workspace: Any, life: Any, change: Any) -> None:
    """weight += leak alpha clip(change * elig), written with trace = leak alpha elig / scale."""
    factor = splat_f32(change, 16)
    most = splat_f32(plan.max_change, 16)
    none = splat_f32(np.float32(0), 16)
    for j in range(life.matrix, life.matrix + plan.unclamped_width * plan.row, 16):
        limit = magnitude(load(workspace.alpha, j, 16)) * most
        new = no_less(no_more(load(workspace.elig, j, 16) * factor, limit), none - limit)
        store(workspace.weight, j, load(workspace.weight, j, 16) + new)


@inlined
def largest_rate(plan: Any, workspace: Any, life: Any, trial: int, step: int) -> Any:
    """The largest |rate| before a step."""
    most = plan.largest_rate
    clamped = life.rate + step * plan.row + plan.unclamped_width
    for c in range(plan.num_clamped):
        most = max(most, abs(workspace.rate[clamped + c]))
    if trial == 0 and step == 0:
        most = max(most, abs(plan.initial_activation))
    return np.float32(most)


@inlined
def run_trial(run: Any, life: Any, trial: int, entry: int, scale: Any) -> Any:
    """One trial of one life; returns the scale of its trace and the roughness of its modulation."""
    plan, workspace = run.plan, run.workspace
    learns = taught(run, life.individual, trial)
    may_change = learns and trial >= plan.first_trial
    growing = False
    total = np.float32(0)
    roughness = np.float32(0)
    mod_before = np.float32(0)
    most = plan.largest_rate
    has_feedback = trial > 0 or not plan.self_paced  # self-paced, it is that of the trial before
    for step in range(plan.num_steps):
        if step == workspace.drawn[0]:
            draw_noise(plan, workspace, trial, run.individuals.perturb_stream[life.individual])
        drive_neurons(plan, workspace, life, step, growing, total)
        speaking = plan.response_start <= step < plan.response_stop
        gates = workspace.speaking if speaking else workspace.silent
        if step <= 1 or workspace.clamp_changed[life.slot]:
            most = largest_rate(plan, workspace, life, trial, step)
        advance_network(plan, workspace, gates, life, step, 0)

        if learns:
            scale = np.float32(scale * plan.retention)
        if abs(scale) < SMALLEST_SCALE:
            settle(plan, workspace, life, total, scale)
            scale = np.float32(1)
            total = np.float32(0)
        gain = np.float32(plan.retention / scale)
        if learns:
            trace_hits(plan, workspace, life, step, growing, total, gain)

        known = meet_world(run, life, trial, entry, step)

        rate = life.rate + (step + 1) * plan.row
        mod = modulatory_signal(plan, workspace, rate)
        change = np.float32(plan.trace_gain * mod)
        may_clip = learns and bound_traces(plan, workspace, life, step, most, abs(change))
        if may_change:
            if step > 0:
                jump = np.float32(mod - mod_before)
                roughness += jump * jump
            mod_before = mod
            in_feedback = has_feedback and plan.feedback_start <= step < plan.feedback_stop
            if plan.gate_always or in_feedback:
                if may_clip:
                    settle(plan, workspace, life, total, np.float32(1))
                    total = np.float32(0)
                    change_clipped(plan, workspace, life, np.float32(change * scale))
                else:
                    total = np.float32(total + change * scale)
                    growing = True
            elif growing:
                settle(plan, workspace, life, total, np.float32(1))
                total = np.float32(0)
                growing = False
        if known and plan.self_paced:
            break
    if growing:
        settle(plan, workspace, life, total, np.float32(1))
    return scale, roughness


@compiled_once
def run_lazy(run: Any, first: int, stop: int, trial_start: int, trial_stop: int) -> None:
    """Simulate trials [trial_start, trial_stop) of individuals [first, stop), at most two: partners
    share their noise. The workspace holds them from one call to the next."""
    plan, workspace, record = run.plan, run.workspace, run.record
    if trial_start == 0:
        for c in range(stop - first):
            birth(run, place_life(plan, c, first + c))
            workspace.scale[c] = np.float32(1)
            record.smoothness[first + c] = np.float32(0)
        workspace.bound[:] = np.float32(0)
    for trial in range(trial_start, trial_stop):
        for c in range(stop - first):
            life = place_life(plan, c, first + c)
            begin_noise(run, life, trial)
            entry = begin_trial(run, life, trial)
            scale, roughness = run_trial(run, life, trial, entry, workspace.scale[c])
            workspace.scale[c] = scale
            record.smoothness[first + c] += roughness
