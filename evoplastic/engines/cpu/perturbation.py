"""The node perturbations of a trial inside compiled functions, equal to `random.counters`."""

from __future__ import annotations

from typing import Any

import numpy as np

from evoplastic.engines.cpu.simd.compile import inlined, outlined
from evoplastic.engines.cpu.simd.lanes import pack_nonzero
from evoplastic.engines.cpu.simd.philox import fill_words
from evoplastic.engines.cpu.simd.vectors import (
    count_u32,
    load,
    signed_to_f32,
    splat_f32,
    splat_u32,
    store,
    where_below,
)


@inlined
def begin_noise(plan: Any, room: Any, people: Any, person: int, trial: int, lives_on: bool) -> None:
    """Before a person's trial: noise drawn for its partner stays if it is the person's too.

    Args:
        plan: plan.
        room: room.
        people: streams.
        person: whose trial.
        trial: its number.
        lives_on: whether the person before has just had the same trial.
    """
    if trial < plan.first_quiet_trial:
        stream = people.perturb_stream
        if not lives_on or stream[person] != stream[person - 1]:
            room.drawn[0] = 0
    elif trial == plan.first_quiet_trial or trial == 0:
        room.xi[:] = np.float32(0)
        room.hit_start[:] = 0
        room.drawn[0] = plan.num_steps


@outlined
def draw_noise(plan: Any, room: Any, trial: int, stream: Any) -> None:
    """Draw the noise of the next chunk of steps, so that long trials cost those who live them."""
    first = room.drawn[0]
    stop = min(first + plan.chunk, plan.num_steps)
    perturb_steps(plan, room, trial, stream, first, stop)
    room.drawn[0] = stop


@inlined
def perturb_steps(plan: Any, room: Any, trial: int, stream: Any, first: int, stop: int) -> int:
    """Node perturbations of steps [first, stop); returns the number of hits of the trial so far.

    Steps are drawn in order, at most plan.chunk at a time.

    room.xi[t * S + CP + n]   perturbation of unclamped neuron n at step t, 0 where it is spared
    room.hit[h]               t << 16 | n of hit h, in the order of steps
    room.hit_start[t]         first hit of step t
    """
    quarter = plan.quarter
    row = plan.word_row
    hits = room.hit_start[first] if first > plan.first_hit_step else 0
    begin = max(first, plan.first_hit_step)
    fill_words(
        room.words,
        row,
        begin * quarter,
        stop * quarter,
        trial,
        stream,
        plan.perturb_purpose,
        plan.key0,
        plan.key1,
    )
    below = splat_u32(plan.hit_below, 16)
    centre = splat_u32(plan.hit_centre, 16)
    scale = splat_f32(plan.hit_scale, 16)
    for step in range(begin, stop):
        drawn = (step - begin) * quarter
        xi = step * plan.row + plan.clamped_room - plan.num_clamped
        for v in range(4):
            for q in range(0, quarter, 16):
                word = load(room.words, v * row + drawn + q, 16)
                value = where_below(word, below, signed_to_f32(word - centre) * scale)
                store(room.xi, xi + v * quarter + q, value)
        room.hit_start[step] = hits
        xi = step * plan.row + plan.clamped_room
        for n in range(0, plan.unclamped_room, 16):
            value = load(room.xi, xi + n, 16) * load(room.perturbed, n, 16)
            store(room.xi, xi + n, value)
            hits = pack_nonzero(room.hit, hits, count_u32(np.uint32((step << 16) + n), 16), value)
    room.hit_start[stop] = hits
    return hits
