"""Whole lifetimes with external modulation, compiled: weights change once per trial.

Between two changes hardly more than the product of weights and rates is left of a step. The
eligibility trace is kept as it will stand when it is next read, at the first feedback step:

    elig = sum over hits h of retention ** (steps from h to the reading) xi(h) rate(h - 1)^T

so that a step costs it nothing; the hits of a trial (one neuron in ten at a step) are added just
before it is read, one row of the matrix each.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from evoplastic.kernels.lifetime.cpu_perturb import perturb_trial
from evoplastic.kernels.lifetime.cpu_step import advance_network, clamped_drive
from evoplastic.kernels.lifetime.cpu_trial import (
    begin_trial,
    birth,
    clamp_rates,
    hear_outcome,
    place_life,
    quiet,
)
from evoplastic.kernels.simd.compile import compiled_once, inlined
from evoplastic.kernels.simd.vectors import (
    add_transposed,
    fma,
    load,
    no_less,
    no_more,
    splat_f32,
    store,
)


@inlined
def collect_hits(plan: Any, room: Any, life: Any, first: int, stop: int) -> None:
    """elig[n, :] += retained[t] xi[t, n] rate[t, :] for the hits of a range of steps."""
    for h in range(room.hit_start[first], room.hit_start[stop]):
        packed = np.int64(room.hit[h])
        step, n = packed >> 16, packed & 0xFFFF
        size = room.xi[step * plan.row + plan.clamped_room + n] * room.retained[step]
        factor = splat_f32(size, 16)
        elig = life.matrix + n * plan.row
        rate = life.rate + step * plan.row
        for j in range(0, plan.row, 16):
            new = fma(load(room.rate, rate + j, 16), factor, load(room.elig, elig + j, 16))
            store(room.elig, elig + j, new)


@inlined
def change_weights(plan: Any, room: Any, life: Any, gate: Any) -> None:
    """weight += alpha * clip(-eta * gate * elig), and elig decays until it is read again."""
    factor = splat_f32(np.float32(-plan.eta * gate), 16)
    most = splat_f32(plan.max_change, 16)
    least = splat_f32(np.float32(-plan.max_change), 16)
    decay = splat_f32(plan.retention_trial, 16)
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
def decay_only(plan: Any, room: Any, life: Any) -> None:
    """elig decays until it is read again."""
    decay = splat_f32(plan.retention_trial, 16)
    for at in range(life.matrix, life.matrix + plan.unclamped_room * plan.row, 16):
        store(room.elig, at, load(room.elig, at, 16) * decay)


@inlined
def run_steps(
    plan: Any, room: Any, banks: Any, life: Any, entry: int, trial: int, first: int, stop: int
) -> None:
    """Activity of steps [first, stop); the clamped rates of the last one are left to the caller
    when it is the first feedback step."""
    window = plan.response_start, plan.response_stop
    for step in range(first, stop):
        clamped_changed = step == 0 or room.clamp_changed[life.slot]
        if clamped_changed:
            clamped_drive(plan, room, life, step)
        spoke = window[0] < step <= window[1] or (step == 0 and trial == 0)
        columns = plan.num_unclamped if spoke else plan.num_unclamped - plan.num_outputs
        gates = room.speaking if window[0] <= step < window[1] else room.silent
        advance_network(plan, room, gates, life, step, columns)
        clamp_rates(plan, room, banks, life, entry, step)


@compiled_once
def live_external(
    plan: Any, banks: Any, room: Any, people: Any, record: Any, first: int, stop: int
) -> None:
    """Live individuals [first, stop), at most two, side by side: partners share their noise."""
    for c in range(stop - first):
        birth(plan, room, people, place_life(plan, c), first + c)
    for trial in range(plan.num_trials):
        for c in range(stop - first):
            person = first + c
            if trial < plan.first_quiet_trial:
                if c == 0 or people.perturb_stream[person] != people.perturb_stream[person - 1]:
                    perturb_trial(plan, room, trial, people.perturb_stream[person])
            elif trial == plan.first_quiet_trial or trial == 0:
                quiet(plan, room)
            life = place_life(plan, c)
            entry = begin_trial(plan, room, banks, people, life, person, trial)
            start = plan.feedback_start
            run_steps(plan, room, banks, life, entry, trial, 0, start + 1)
            collect_hits(plan, room, life, 0, start + 1)
            gate = hear_outcome(plan, room, banks, life, entry, record, person, trial)
            if trial >= plan.first_trial:
                change_weights(plan, room, life, gate)
            else:
                decay_only(plan, room, life)
            run_steps(plan, room, banks, life, entry, trial, start + 1, plan.num_steps)
            collect_hits(plan, room, life, start + 1, plan.num_steps)
