"""The random numbers of a GPU lifetime, as Triton functions, equal to `random.counters`."""

# mypy: allow-untyped-defs, allow-incomplete-defs
# Triton's arguments are pointers and blocks; only compile-time constants carry annotations.
from __future__ import annotations

import triton
import triton.language as tl

from evoplastic.engines.gpu.numbers import (
    FIRST_HIT_STEP,
    FIRST_QUIET_TRIAL,
    HIT_BELOW,
    HIT_CENTRE,
    HIT_SCALE,
    KEY0,
    KEY1,
    PERTURB_HIDDEN,
    PERTURB_MODULATORS,
    PERTURB_PURPOSE,
    STOP_HIT_STEP,
    TRIAL_PURPOSE,
    real,
    unsigned,
)
from evoplastic.random.counters import PHILOX_M0, PHILOX_M1, PHILOX_W0, PHILOX_W1

M0, M1 = tl.constexpr(PHILOX_M0), tl.constexpr(PHILOX_M1)
W0, W1 = tl.constexpr(PHILOX_W0), tl.constexpr(PHILOX_W1)


@triton.jit
def philox(c0, c1, c2, c3, k0, k1):
    """Philox4x32-10, the words of `evoplastic.random.counters.philox`; every argument is uint32."""
    m0 = tl.full([], M0, tl.uint32)
    m1 = tl.full([], M1, tl.uint32)
    w0 = tl.full([], W0, tl.uint32)
    w1 = tl.full([], W1, tl.uint32)
    for _ in tl.static_range(10):
        high0 = tl.umulhi(c0, m0)
        high1 = tl.umulhi(c2, m1)
        low0 = c0 * m0
        low1 = c2 * m1
        c0 = high1 ^ c1 ^ k0
        c1 = low1
        c2 = high0 ^ c3 ^ k1
        c3 = low0
        k0 = k0 + w0
        k1 = k1 + w1
    return c0, c1, c2, c3


@triton.jit
def trial_entry(numbers, trial, stream, start, size):
    """The trial of fixed timing that a lifetime meets next."""
    zero = stream ^ stream
    drawn, _, _, _ = philox(
        zero,
        zero + (zero.to(tl.int32) + trial).to(tl.uint32),
        stream,
        unsigned(numbers.ints, TRIAL_PURPOSE),
        unsigned(numbers.ints, KEY0),
        unsigned(numbers.ints, KEY1),
    )
    return start + tl.umulhi(drawn, size).to(tl.int32)


@triton.jit
def _store_noise(xi_ptr, drawn, neuron, step, inside, loud, numbers, S: tl.constexpr):
    signed = (drawn - unsigned(numbers.ints, HIT_CENTRE)).to(tl.int32, bitcast=True)
    value = signed.to(tl.float32) * real(numbers, HIT_SCALE)
    hit = loud & (drawn <= unsigned(numbers.ints, HIT_BELOW))
    unclamped = neuron - S.num_clamped
    is_unclamped = unclamped >= 0
    modulator = (unclamped >= S.modulators_at) & (unclamped < S.response_at)
    hidden = is_unclamped & (unclamped < S.modulators_at)
    hit = hit & ((tl.load(numbers.ints + PERTURB_HIDDEN) != 0) | (hidden == 0))
    hit = hit & ((tl.load(numbers.ints + PERTURB_MODULATORS) != 0) | (modulator == 0))
    value = tl.where(hit, value, 0.0)
    place = unclamped
    kept = inside & (neuron < S.neurons)
    if S.xi_width > S.wide:  # clamped neurons are kept too
        place = tl.where(is_unclamped, unclamped, S.wide + neuron)
    else:
        kept = kept & is_unclamped
    tl.store(xi_ptr + step * S.xi_width + place, value, mask=kept)


@triton.jit
def draw_noise(memory, numbers, trial, stream, start, stop, S: tl.constexpr):
    """Write the perturbations [T, xi_width] of the steps start .. stop - 1 of a trial.

    Those of silenced steps, trials and neurons are 0.
    """
    DRAWS: tl.constexpr = S.block_draws
    quarter: tl.constexpr = (S.neurons + 3) // 4
    for first in range(start * quarter, stop * quarter, DRAWS):
        position = first + tl.arange(0, DRAWS)
        inside = position < stop * quarter
        step = position // quarter
        q = position % quarter
        word0, word1, word2, word3 = philox(
            position.to(tl.uint32),
            (position * 0 + trial).to(tl.uint32),
            stream,
            unsigned(numbers.ints, PERTURB_PURPOSE),
            unsigned(numbers.ints, KEY0),
            unsigned(numbers.ints, KEY1),
        )
        hit_step = (step >= tl.load(numbers.ints + FIRST_HIT_STEP)) & (
            step < tl.load(numbers.ints + STOP_HIT_STEP)
        )
        loud = hit_step & (position * 0 + trial < tl.load(numbers.ints + FIRST_QUIET_TRIAL))
        _store_noise(memory.xi, word0, q, step, inside, loud, numbers, S)
        _store_noise(memory.xi, word1, q + quarter, step, inside, loud, numbers, S)
        _store_noise(memory.xi, word2, q + 2 * quarter, step, inside, loud, numbers, S)
        _store_noise(memory.xi, word3, q + 3 * quarter, step, inside, loud, numbers, S)
