"""The node perturbations of a trial inside compiled functions, equal to `evoplastic.noise`."""

from __future__ import annotations

from typing import Any

import numpy as np

from evoplastic.kernels.simd.compile import inlined
from evoplastic.kernels.simd.philox import fill_words
from evoplastic.kernels.simd.vectors import (
    count_u32,
    load,
    pack_nonzero,
    signed_to_f32,
    splat_f32,
    splat_u32,
    store,
    where_below,
)


@inlined
def perturb_trial(plan: Any, room: Any, trial: int, stream: Any) -> int:
    """Node perturbations of a trial; returns the number of hits.

    room.xi[t * S + CP + n]   perturbation of unclamped neuron n at step t, 0 where it is spared
    room.hit[h]               t << 16 | n of hit h, in the order of steps
    room.hit_start[t]         first hit of step t
    """
    quarter = plan.quarter
    row = plan.word_row
    fill_words(
        room.words,
        row,
        plan.first_hit_step * quarter,
        plan.num_steps * quarter,
        trial,
        stream,
        plan.perturb_purpose,
        plan.key0,
        plan.key1,
    )
    below = splat_u32(plan.hit_below, 16)
    centre = splat_u32(plan.hit_centre, 16)
    scale = splat_f32(plan.hit_scale, 16)
    hits = 0
    for step in range(plan.first_hit_step, plan.num_steps):
        drawn = (step - plan.first_hit_step) * quarter
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
    room.hit_start[plan.num_steps] = hits
    return hits
