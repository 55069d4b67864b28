"""Whole lifetimes with external modulation, compiled: weights change once per trial.

Between two changes hardly more than the product of weights and rates is left of a step. The
eligibility trace is not touched by steps: the hits of a trial (one neuron in ten at a step) are
added just before it is read, one row of the matrix each, as they will then stand:

    elig = sum over hits h of retention ** (steps from h to the reading) xi(h) rate(h - 1)^T

It is read when the outcome is known. How long it will then decay until it is read again is known
beforehand in paced trials, where reading and decay are one pass; a trial that runs freely tells at
its end, and the trace of the trials before decays then.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from evoplastic.engines.cpu.observations import sent_by_sight
from evoplastic.engines.cpu.perturbation import begin_noise, draw_noise
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
from evoplastic.engines.cpu.trial import begin_trial, birth, meet_world, place_life


@inlined
def collect_hits(plan: Any, room: Any, life: Any, first: int, stop: int, read_at: int) -> None:
    """elig[n, :] += retention ** (read_at - t) xi[t, n] rate[t, :] for the hits of steps t in
    [first, stop)."""
    for h in range(room.hit_start[first], room.hit_start[stop]):
        packed = np.int64(room.hit[h])
        step, n = packed >> 16, packed & 0xFFFF
        size = room.xi[step * plan.row + plan.clamped_room + n] * room.retained[read_at - step]
        factor = splat_f32(size, 16)
        elig = life.matrix + n * plan.row
        rate = life.rate + step * plan.row
        for j in range(0, plan.row, 16):
            new = fma(load(room.rate, rate + j, 16), factor, load(room.elig, elig + j, 16))
            store(room.elig, elig + j, new)


@inlined
def change_weights(plan: Any, room: Any, life: Any, gate: Any) -> None:
    """weight += alpha * clip(-eta * gate * elig), and elig decays by retention_read."""
    factor = splat_f32(np.float32(-plan.eta * gate), 16)
    most = splat_f32(plan.max_change, 16)
    least = splat_f32(np.float32(-plan.max_change), 16)
    decay = splat_f32(plan.retention_read, 16)
    for j in range(0, plan.row, 16):
        for n in range(0, plan.unclamped_room, 16):
            for i in range(16):
                at = life.matrix + (n + i) * plan.row + j
                elig = load(room.elig, at, 16)
                change = no_less(no_more(elig * factor, most), least)
                store(room.tile, 16 * i, change * load(room.alpha, at, 16))
                store(room.elig, at, elig * decay)
            add_transposed(
                room.tile,
                room.weight,
                life.weight + j * plan.unclamped_room + n,
                plan.unclamped_room,
            )


@inlined
def decay_trace(plan: Any, room: Any, life: Any, steps: int) -> None:
    """elig decays for a number of steps."""
    decay = splat_f32(room.retained[steps], 16)
    for at in range(life.matrix, life.matrix + plan.unclamped_room * plan.row, 16):
        store(room.elig, at, load(room.elig, at, 16) * decay)


@inlined
def run_steps(
    plan: Any,
    room: Any,
    banks: Any,
    people: Any,
    life: Any,
    record: Any,
    person: int,
    trial: int,
    entry: int,
    first: int,
) -> int:
    """Activity from a step on until the outcome of the trial is known, or to the trial's end;
    returns the step after the last one."""
    window = plan.response_start, plan.response_stop
    for step in range(first, plan.num_steps):
        if step == room.drawn[0]:
            draw_noise(plan, room, trial, people.perturb_stream[person])
        clamped_changed = step == 0 or room.clamp_changed[life.slot]
        if clamped_changed:
            sent = 0
            if plan.free:
                task = people.task[person]
                sent = sent_by_sight(plan, room, banks, life, task, step == 0)
            clamped_drive(plan, room, life, step, sent)
        spoke = window[0] < step <= window[1] or (step == 0 and trial == 0)
        columns = plan.num_unclamped if spoke else plan.num_unclamped - plan.num_outputs
        gates = room.speaking if window[0] <= step < window[1] else room.silent
        advance_network(plan, room, gates, life, step, columns)
        if meet_world(plan, room, banks, people, life, record, person, trial, entry, step):
            return step + 1
    return plan.num_steps


@inlined
def read_trace(plan: Any, room: Any, life: Any, trial: int, read_at: int) -> None:
    """The outcome is known after step read_at - 1: collect what led to it, change the weights."""
    if plan.free:
        decay_trace(plan, room, life, read_at)
    collect_hits(plan, room, life, 0, read_at, read_at)
    if trial >= plan.first_trial:
        change_weights(plan, room, life, room.gate[life.slot])
    elif not plan.free:
        decay_trace(plan, room, life, plan.num_steps)


@compiled_once
def live_external(
    plan: Any, banks: Any, room: Any, people: Any, record: Any, first: int, stop: int
) -> None:
    """Live individuals [first, stop), at most two, side by side: partners share their noise."""
    for c in range(stop - first):
        birth(plan, room, banks, people, place_life(plan, c), first + c)
    for trial in range(plan.num_trials):
        for c in range(stop - first):
            person = first + c
            begin_noise(plan, room, people, person, trial, c > 0)
            life = place_life(plan, c)
            entry = begin_trial(plan, room, banks, people, life, person, trial)
            lived = 0
            told = 0  # steps lived when the outcome is known; a paced trial goes on
            while told == 0 or (lived < plan.num_steps and not plan.free):
                lived = run_steps(
                    plan, room, banks, people, life, record, person, trial, entry, lived
                )
                if told == 0:
                    told = lived
                    read_trace(plan, room, life, trial, told)
                else:
                    collect_hits(plan, room, life, told, lived, told + plan.num_steps)
