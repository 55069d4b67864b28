"""Whole lifetimes of the schedule "at_outcome", compiled: weights change once per trial.

Between two changes hardly more than the product of weights and rates is left of a step. The
eligibility trace is not touched by steps: the hits of a trial (one neuron in ten at a step) are
added just before it is read, one row of the matrix each, as they will then stand:

    elig = sum over hits h of retention ** (steps from h to the reading) xi(h) rate(h - 1)^T

It is read when the outcome is known. How long it will then decay until it is read again is known
beforehand where the timing is fixed, so that reading and decay are one pass; a self-paced trial
tells at its end, and the trace of the trials before decays then.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from evoplastic.engines.cpu.course import taught
from evoplastic.engines.cpu.observations import sent_by_observation
from evoplastic.engines.cpu.perturbation import begin_noise, draw_noise
from evoplastic.engines.cpu.run import place_life
from evoplastic.engines.cpu.simd.compile import compiled_once, inlined
from evoplastic.engines.cpu.simd.lanes import add_transposed
from evoplastic.engines.cpu.simd.vectors import (
    fma,
    load,
    no_less,
    no_more,
    splat_f32,
    store,
)
from evoplastic.engines.cpu.step import advance_network, clamped_drive
from evoplastic.engines.cpu.trial import begin_trial, birth, meet_world


@inlined
def collect_hits(plan: Any, workspace: Any, life: Any, first: int, stop: int, read_at: int) -> None:
    """elig[n, :] += retention ** (read_at - t) xi[t, n] rate[t, :] for the hits of steps t in
    [first, stop)."""
    for h in range(workspace.hit_start[first], workspace.hit_start[stop]):
        packed = np.int64(workspace.hit[h])
        step, n = packed >> 16, packed & 0xFFFF
        size = (
            workspace.xi[step * plan.row + plan.clamped_width + n]
            * workspace.retained[read_at - step]
        )
        factor = splat_f32(size, 16)
        elig = life.matrix + n * plan.row
        rate = life.rate + step * plan.row
        for j in range(0, plan.row, 16):
            new = fma(
                load(workspace.rate, rate + j, 16), factor, load(workspace.elig, elig + j, 16)
            )
            store(workspace.elig, elig + j, new)


@inlined
def change_weights(plan: Any, workspace: Any, life: Any, gate: Any) -> None:
    """weight += alpha * clip(trace_gain * gate * elig), and elig decays by retention_read."""
    factor = splat_f32(np.float32(plan.trace_gain * gate), 16)
    most = splat_f32(plan.max_change, 16)
    least = splat_f32(np.float32(-plan.max_change), 16)
    decay = splat_f32(plan.retention_read, 16)
    for j in range(0, plan.row, 16):
        for n in range(0, plan.unclamped_width, 16):
            for i in range(16):
                at = life.matrix + (n + i) * plan.row + j
                elig = load(workspace.elig, at, 16)
                change = no_less(no_more(elig * factor, most), least)
                store(workspace.tile, 16 * i, change * load(workspace.alpha, at, 16))
                store(workspace.elig, at, elig * decay)
            add_transposed(
                workspace.tile,
                workspace.weight,
                life.weight + j * plan.unclamped_width + n,
                plan.unclamped_width,
            )


@inlined
def decay_trace(plan: Any, workspace: Any, life: Any, steps: int) -> None:
    """elig decays for a number of steps."""
    decay = splat_f32(workspace.retained[steps], 16)
    for at in range(life.matrix, life.matrix + plan.unclamped_width * plan.row, 16):
        store(workspace.elig, at, load(workspace.elig, at, 16) * decay)


@inlined
def run_steps(run: Any, life: Any, trial: int, entry: int, first: int) -> int:
    """Activity from a step on until the outcome of the trial is known, or to the trial's end;
    returns the step after the last one."""
    plan, workspace, individual = run.plan, run.workspace, life.individual
    window = plan.response_start, plan.response_stop
    for step in range(first, plan.num_steps):
        if step == workspace.drawn[0]:
            draw_noise(plan, workspace, trial, run.individuals.perturb_stream[individual])
        clamped_changed = step == 0 or workspace.clamp_changed[life.slot]
        if clamped_changed:
            sent = 0
            if plan.self_paced:
                task = run.individuals.task[individual]
                sent = sent_by_observation(plan, workspace, run.banks, life, task, step == 0)
            clamped_drive(plan, workspace, life, step, sent)
        spoke = window[0] < step <= window[1] or (step == 0 and trial == 0)
        columns = plan.num_unclamped if spoke else plan.num_unclamped - plan.num_outputs
        gates = workspace.speaking if window[0] <= step < window[1] else workspace.silent
        advance_network(plan, workspace, gates, life, step, columns)
        if meet_world(run, life, trial, entry, step):
            return step + 1
    return plan.num_steps


@inlined
def read_trace(plan: Any, workspace: Any, life: Any, trial: int, read_at: int) -> None:
    """The outcome is known after step read_at - 1: collect what led to it, change the weights."""
    if plan.self_paced:
        decay_trace(plan, workspace, life, read_at)
    collect_hits(plan, workspace, life, 0, read_at, read_at)
    if trial >= plan.first_trial:
        change_weights(plan, workspace, life, workspace.gate[life.slot])
    elif not plan.self_paced:
        decay_trace(plan, workspace, life, plan.num_steps)


@compiled_once
def run_at_outcome(run: Any, first: int, stop: int, trial_start: int, trial_stop: int) -> None:
    """Simulate trials [trial_start, trial_stop) of individuals [first, stop), at most two: partners
    share their noise. The workspace holds them from one call to the next."""
    plan, workspace = run.plan, run.workspace
    if trial_start == 0:
        for c in range(stop - first):
            birth(run, place_life(plan, c, first + c))
    for trial in range(trial_start, trial_stop):
        for c in range(stop - first):
            life = place_life(plan, c, first + c)
            begin_noise(run, life, trial)
            entry = begin_trial(run, life, trial)
            learns = taught(run, life.individual, trial)  # a probe leaves the trace as it is
            done = 0
            known_at = 0  # steps done when the outcome is known; a trial of fixed timing goes on
            while known_at == 0 or (done < plan.num_steps and not plan.self_paced):
                done = run_steps(run, life, trial, entry, done)
                if known_at == 0:
                    known_at = done
                    if learns:
                        read_trace(plan, workspace, life, trial, known_at)
                elif learns:
                    collect_hits(plan, workspace, life, known_at, done, known_at + plan.num_steps)
