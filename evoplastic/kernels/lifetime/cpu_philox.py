"""Philox words and node perturbations inside compiled functions, equal to `evoplastic.noise`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from evoplastic.kernels.lifetime.cpu_vectors import (
    count_u32,
    count_u64,
    load,
    low32,
    pack_nonzero,
    signed_to_float,
    splat_f32,
    splat_u32,
    splat_u64,
    store,
    where_below,
)
from evoplastic.noise import PHILOX_M0, PHILOX_M1, PHILOX_ROUNDS, PHILOX_W0, PHILOX_W1

PHILOX_LANES = 32
MULTIPLIER_0, MULTIPLIER_1 = np.uint64(PHILOX_M0), np.uint64(PHILOX_M1)
WEYL_0, WEYL_1 = np.uint32(PHILOX_W0), np.uint32(PHILOX_W1)
HALF = np.uint64(32)
LOW = np.uint64(0xFFFFFFFF)


@njit(forceinline=True)
def philox(c0: Any, c1: Any, c2: Any, c3: Any, k0: Any, k1: Any) -> Any:
    """Four vectors of 32-bit words (in 64-bit lanes, upper halves 0) of a vector of counters."""
    m0 = splat_u64(MULTIPLIER_0, PHILOX_LANES)
    m1 = splat_u64(MULTIPLIER_1, PHILOX_LANES)
    half = splat_u64(HALF, PHILOX_LANES)
    low = splat_u64(LOW, PHILOX_LANES)
    for _ in range(PHILOX_ROUNDS):
        product0 = m0 * (c0 & low)
        product1 = m1 * (c2 & low)
        key0 = splat_u64(np.uint64(k0), PHILOX_LANES)
        key1 = splat_u64(np.uint64(k1), PHILOX_LANES)
        c0 = (product1 >> half) ^ c1 ^ key0
        c2 = (product0 >> half) ^ c3 ^ key1
        c1, c3 = product1, product0
        k0 = np.uint32(k0 + WEYL_0)
        k1 = np.uint32(k1 + WEYL_1)
    return c0, c1, c2, c3


@njit(forceinline=True)
def fill_words(
    words: Any, row: int, first: int, stop: int, c1: Any, c2: Any, c3: Any, k0: Any, k1: Any
) -> None:
    """words[v * row + position] = word v of the counter at `position` in [first, stop).

    Whole vectors are written: a row needs PHILOX_LANES words of room behind `stop`.
    """
    trial = splat_u64(np.uint64(c1), PHILOX_LANES)
    stream = splat_u64(np.uint64(c2), PHILOX_LANES)
    purpose = splat_u64(np.uint64(c3), PHILOX_LANES)
    for position in range(first, stop, PHILOX_LANES):
        count = count_u64(np.uint64(position), PHILOX_LANES)
        w0, w1, w2, w3 = philox(count, trial, stream, purpose, k0, k1)
        store(words, position, low32(w0))
        store(words, row + position, low32(w1))
        store(words, 2 * row + position, low32(w2))
        store(words, 3 * row + position, low32(w3))


@njit(forceinline=True)
def one_word(c0: Any, c1: Any, c2: Any, c3: Any, k0: Any, k1: Any) -> Any:
    """Word 0 of one counter."""
    c0, c1, c2, c3 = np.uint64(c0), np.uint64(c1), np.uint64(c2), np.uint64(c3)
    k0, k1 = np.uint64(k0), np.uint64(k1)
    for _ in range(PHILOX_ROUNDS):
        product0 = MULTIPLIER_0 * c0
        product1 = MULTIPLIER_1 * c2
        c0 = (product1 >> HALF) ^ c1 ^ k0
        c2 = (product0 >> HALF) ^ c3 ^ k1
        c1, c3 = product1 & LOW, product0 & LOW
        k0 = (k0 + np.uint64(WEYL_0)) & LOW
        k1 = (k1 + np.uint64(WEYL_1)) & LOW
    return c0


@njit(forceinline=True)
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
        xi = step * plan.row + plan.clamped_room - plan.num_clamped
        for v in range(4):
            for q in range(0, quarter, 16):
                word = load(room.words, v * row + step * quarter + q, 16)
                value = where_below(word, below, signed_to_float(word - centre) * scale)
                store(room.xi, xi + v * quarter + q, value)
        room.hit_start[step] = hits
        xi = step * plan.row + plan.clamped_room
        for n in range(0, plan.unclamped_room, 16):
            value = load(room.xi, xi + n, 16) * load(room.perturbed, n, 16)
            store(room.xi, xi + n, value)
            hits = pack_nonzero(room.hit, hits, count_u32(np.uint32((step << 16) + n), 16), value)
    room.hit_start[plan.num_steps] = hits
    return hits
