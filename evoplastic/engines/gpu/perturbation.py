"""The random numbers of a GPU lifetime, as Triton functions, equal to `random.counters`."""

# mypy: allow-untyped-defs, allow-incomplete-defs
# Triton's arguments are pointers and blocks; only compile-time constants carry annotations.
from __future__ import annotations

import triton
import triton.language as tl

from evoplastic.engines.gpu.plan import Ints, Reals
from evoplastic.random.counters import PHILOX_M0, PHILOX_M1, PHILOX_W0, PHILOX_W1

M0, M1 = tl.constexpr(PHILOX_M0), tl.constexpr(PHILOX_M1)
W0, W1 = tl.constexpr(PHILOX_W0), tl.constexpr(PHILOX_W1)
TRIAL_PURPOSE = tl.constexpr(Ints._fields.index("trial_purpose"))
PERTURB_PURPOSE = tl.constexpr(Ints._fields.index("perturb_purpose"))
KEY0 = tl.constexpr(Ints._fields.index("key0"))
KEY1 = tl.constexpr(Ints._fields.index("key1"))
HIT_BELOW = tl.constexpr(Ints._fields.index("hit_below"))
HIT_CENTRE = tl.constexpr(Ints._fields.index("hit_centre"))
HIT_SCALE = tl.constexpr(Reals._fields.index("hit_scale"))
FIRST_QUIET_TRIAL = tl.constexpr(Ints._fields.index("first_quiet_trial"))
FIRST_HIT_STEP = tl.constexpr(Ints._fields.index("first_hit_step"))
PERTURB_MODULATORS = tl.constexpr(Ints._fields.index("perturb_modulators"))


@triton.jit
def unsigned(array, index: tl.constexpr):
    """A 32-bit word that was stored in 64 bits."""
    return tl.load(array + index).to(tl.uint32)


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
def trial_entry(ints, trial, stream, start, size):
    """Bank entry that a lifetime meets at a trial."""
    zero = stream ^ stream
    word, _, _, _ = philox(
        zero,
        zero + (zero.to(tl.int32) + trial).to(tl.uint32),
        stream,
        unsigned(ints, TRIAL_PURPOSE),
        unsigned(ints, KEY0),
        unsigned(ints, KEY1),
    )
    return start + tl.umulhi(word, size).to(tl.int32)


@triton.jit
def _store_noise(
    xi_ptr, word, neuron, step, drawn, loud, ints, reals, N: tl.constexpr, O: tl.constexpr,
    CLAMPED: tl.constexpr, WIDE: tl.constexpr,
):  # fmt: skip
    signed = (word - unsigned(ints, HIT_CENTRE)).to(tl.int32, bitcast=True)
    value = signed.to(tl.float32) * tl.load(reals + HIT_SCALE)
    hit = loud & (word <= unsigned(ints, HIT_BELOW))
    modulator = (neuron >= N - O - 2) & (neuron < N - O)
    hit = hit & ((tl.load(ints + PERTURB_MODULATORS) != 0) | (modulator == 0))
    value = tl.where(hit, value, 0.0)
    kept = drawn & (neuron >= CLAMPED) & (neuron < N)
    tl.store(xi_ptr + step * WIDE + (neuron - CLAMPED), value, mask=kept)


@triton.jit
def draw_noise(
    xi_ptr, ints, reals, trial, stream, start, stop, N: tl.constexpr, O: tl.constexpr,
    CLAMPED: tl.constexpr, WIDE: tl.constexpr, DRAWS: tl.constexpr,
):  # fmt: skip
    """Write the perturbations [T, U'] of the steps start .. stop - 1 of a trial.

    Those of silenced steps, trials and neurons are 0.
    """
    quarter: tl.constexpr = (N + 3) // 4
    for first in range(start * quarter, stop * quarter, DRAWS):
        position = first + tl.arange(0, DRAWS)
        drawn = position < stop * quarter
        step = position // quarter
        q = position % quarter
        word0, word1, word2, word3 = philox(
            position.to(tl.uint32),
            (position * 0 + trial).to(tl.uint32),
            stream,
            unsigned(ints, PERTURB_PURPOSE),
            unsigned(ints, KEY0),
            unsigned(ints, KEY1),
        )
        loud = (step >= tl.load(ints + FIRST_HIT_STEP)) & (
            position * 0 + trial < tl.load(ints + FIRST_QUIET_TRIAL)
        )
        _store_noise(xi_ptr, word0, q, step, drawn, loud, ints, reals, N, O, CLAMPED, WIDE)
        _store_noise(
            xi_ptr, word1, q + quarter, step, drawn, loud, ints, reals, N, O, CLAMPED, WIDE
        )
        _store_noise(
            xi_ptr, word2, q + 2 * quarter, step, drawn, loud, ints, reals, N, O, CLAMPED, WIDE
        )
        _store_noise(
            xi_ptr, word3, q + 3 * quarter, step, drawn, loud, ints, reals, N, O, CLAMPED, WIDE
        )
