"""Philox words inside compiled functions, equal to `evoplastic.random.counters` bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np

from evoplastic.engines.cpu.simd.compile import inlined
from evoplastic.engines.cpu.simd.vectors import count_u64, low32, splat_u64, store
from evoplastic.random.counters import PHILOX_M0, PHILOX_M1, PHILOX_ROUNDS, PHILOX_W0, PHILOX_W1

PHILOX_LANES = 32
MULTIPLIER_0, MULTIPLIER_1 = np.uint64(PHILOX_M0), np.uint64(PHILOX_M1)
WEYL_0, WEYL_1 = np.uint32(PHILOX_W0), np.uint32(PHILOX_W1)
HALF = np.uint64(32)
LOW = np.uint64(0xFFFFFFFF)


@inlined
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


@inlined
def fill_words(
    words: Any, row: int, first: int, stop: int, c1: Any, c2: Any, c3: Any, k0: Any, k1: Any
) -> None:
    """words[v * row + i] = word v of the counter with word 0 = first + i, up to `stop`.

    Whole vectors are written: a row needs PHILOX_LANES words of workspace behind stop - first.
    """
    trial = splat_u64(np.uint64(c1), PHILOX_LANES)
    stream = splat_u64(np.uint64(c2), PHILOX_LANES)
    purpose = splat_u64(np.uint64(c3), PHILOX_LANES)
    for position in range(first, stop, PHILOX_LANES):
        count = count_u64(np.uint64(position), PHILOX_LANES)
        w0, w1, w2, w3 = philox(count, trial, stream, purpose, k0, k1)
        at = position - first
        store(words, at, low32(w0))
        store(words, row + at, low32(w1))
        store(words, 2 * row + at, low32(w2))
        store(words, 3 * row + at, low32(w3))


@inlined
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
