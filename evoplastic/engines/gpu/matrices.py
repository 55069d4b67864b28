"""The matrices of one network on the GPU, as Triton functions: newborn, eligible, changed.

Shapes as in `sizes.Tiles`; targets i and sources j count unclamped neurons from 0.
"""

# mypy: allow-untyped-defs, allow-incomplete-defs
# Triton's arguments are pointers and blocks; only compile-time constants carry annotations.
from __future__ import annotations

import triton
import triton.language as tl

from evoplastic.engines.gpu.bundles import Memory
from evoplastic.engines.gpu.numbers import (
    ALPHA_STRIDE,
    MAX_CHANGE,
    NUM_STEPS,
    PAIR_STRIDE,
    TRACE_GAIN,
    W_STRIDE,
    real,
    whole,
)
from evoplastic.engines.gpu.sizes import MATRICES

MATRIX_W, MATRIX_ALPHA = tl.constexpr(MATRICES.index("w")), tl.constexpr(MATRICES.index("alpha"))
MATRIX_P, MATRIX_ELIG = tl.constexpr(MATRICES.index("p")), tl.constexpr(MATRICES.index("elig"))
MATRIX_WEIGHT = tl.constexpr(MATRICES.index("weight"))
MATRIX_PAIRS = tl.constexpr(len(MATRICES))  # first of the coefficients of connections


@triton.jit
def limit(value, bound):
    """clip(value, -bound, bound); what is not a number stays so and is seen in the loss."""
    return tl.clamp(value, -bound, bound, propagate_nan=tl.PropagateNan.ALL)


@triton.jit
def memory_of(memory, program, numbers, S: tl.constexpr):
    """The pieces of the memory that belong to one program."""
    rows = whole(numbers, NUM_STEPS) + 1
    return Memory(
        memory.matrices + program * S.matrices_width,
        memory.history + program * (rows * S.history_width),
        memory.xi + program * (rows * S.xi_width),
        memory.force + program * (rows * S.force_width),
        memory.x + program * S.x_width,
        memory.powers,
    )


@triton.jit
def lay_out(individuals, individual, memory, numbers, S: tl.constexpr):
    """Write the matrices of a newborn: w and alpha transposed, p = elig = 0, weight = w."""
    SOURCES: tl.constexpr = S.block_sources
    TARGETS: tl.constexpr = S.block_targets
    matrix: tl.constexpr = S.matrix
    w_ptr = individuals.w + individual * tl.load(numbers.ints + W_STRIDE)
    alpha_ptr = individuals.alpha + individual * tl.load(numbers.ints + ALPHA_STRIDE)
    for first_j in range(0, S.row, SOURCES):
        for first_i in range(0, S.wide, TARGETS):
            j = first_j + tl.arange(0, SOURCES)
            i = first_i + tl.arange(0, TARGETS)
            w, alpha = genome_tile(w_ptr, j, i, S), genome_tile(alpha_ptr, j, i, S)
            at = memory.matrices + j[:, None] * S.wide + i[None, :]
            tl.store(at + MATRIX_W * matrix, w)
            tl.store(at + MATRIX_ALPHA * matrix, alpha)
            tl.store(at + MATRIX_P * matrix, tl.zeros_like(w))
            tl.store(at + MATRIX_ELIG * matrix, tl.zeros_like(w))
            tl.store(at + MATRIX_WEIGHT * matrix, w)


@triton.jit
def lay_out_pairs(coefficients, individual, memory, numbers, S: tl.constexpr):
    """Write a rule's coefficients of connections, transposed as w is."""
    SOURCES: tl.constexpr = S.block_sources
    TARGETS: tl.constexpr = S.block_targets
    NUM_PAIR: tl.constexpr = S.rule.num_pair
    first = coefficients.of_pair + individual * tl.load(numbers.ints + PAIR_STRIDE)
    for m in tl.static_range(NUM_PAIR):
        for first_j in range(0, S.row, SOURCES):
            for first_i in range(0, S.wide, TARGETS):
                j = first_j + tl.arange(0, SOURCES)
                i = first_i + tl.arange(0, TARGETS)
                at = memory.matrices + j[:, None] * S.wide + i[None, :]
                value = genome_tile(first + m * S.neurons * S.neurons, j, i, S)
                tl.store(at + (MATRIX_PAIRS + m) * S.matrix, value)


@triton.jit
def genome_tile(ptr, j, i, S: tl.constexpr):
    """A matrix of the genome from sources j to targets i; 0 where there is no such neuron."""
    source = tl.where(j < S.wide, j + S.num_clamped, j - S.wide)
    exists = tl.where(j < S.wide, j < S.num_unclamped, j - S.wide < S.num_clamped)
    mask = exists[:, None] & (i < S.num_unclamped)[None, :]
    at = (i + S.num_clamped)[None, :] * S.neurons + source[:, None]
    return tl.load(ptr + at, mask=mask, other=0.0)


@triton.jit
def matrix_of(memory, which: tl.constexpr, S: tl.constexpr):
    """One matrix as it lies in memory, from unclamped [U', U'] and from clamped [C', U'] sources.

    Newborn p and elig are read like w and alpha, not made here: so the compiler keeps all four
    in one arrangement of registers and moves nothing at each step.
    """
    WIDE: tl.constexpr = S.wide
    CLAMPED: tl.constexpr = S.clamped
    at = memory.matrices + which * S.matrix + tl.arange(0, WIDE)[None, :]
    from_unclamped = tl.load(at + tl.arange(0, WIDE)[:, None] * WIDE)
    from_clamped = tl.load(at + (WIDE + tl.arange(0, CLAMPED))[:, None] * WIDE)
    return from_unclamped, from_clamped


@triton.jit
def drive_of(w, alpha, p, rate):
    """What the targets [U'] receive through (w + alpha * p) from one group of sources."""
    return tl.sum((w + alpha * p) * rate[:, None], 0)


@triton.jit
def credited(elig, memory, j, i, start, stop, S: tl.constexpr):
    """Traces after the steps start .. stop - 1, from what they were before.

    elig = retention^(stop - start) elig + sum_t retention^(stop - t) rate_j(t) xi_i(t)
    """
    STEPS: tl.constexpr = S.block_steps
    elig = tl.load(memory.powers + (stop - start)) * elig
    for first in range(start, stop, STEPS):
        t = first + tl.arange(0, STEPS)
        inside = t < stop
        at = memory.history + t[None, :] * S.row + j[:, None]
        rate = tl.load(at, mask=inside[None, :], other=0.0)
        at = memory.xi + t[:, None] * S.wide + i[None, :]
        xi = tl.load(at, mask=inside[:, None], other=0.0)
        xi = xi * tl.load(memory.powers + (stop - t), mask=inside, other=0.0)[:, None]
        elig = tl.dot(rate, xi, elig, input_precision="ieee")
    return elig


@triton.jit
def decayed(elig, elig_c, memory, steps):
    """What is left of traces after some steps, to which `credit_of` adds."""
    kept = tl.load(memory.powers + steps)
    return kept * elig, kept * elig_c


@triton.jit
def credit_of(memory, i, c, step, stop, S: tl.constexpr):
    """What a step adds to traces: its perturbations as `stop` will have them, and clamped rates."""
    xi = tl.load(memory.xi + step * S.wide + i) * tl.load(memory.powers + (stop - step))
    return xi, tl.load(memory.history + step * S.row + S.wide + c)


@triton.jit
def learnt(elig, elig_c, memory, gate, may_change, numbers, S: tl.constexpr):
    """The weights from unclamped and clamped sources after the outcome, as `learn`."""
    at = memory.matrices + tl.arange(0, S.wide)[None, :]
    at_c = at + (S.wide + tl.arange(0, S.clamped))[:, None] * S.wide
    weight_c = changed(elig_c, at_c, gate, may_change, numbers, S)
    at += tl.arange(0, S.wide)[:, None] * S.wide
    return changed(elig, at, gate, may_change, numbers, S), weight_c


@triton.jit
def changed(elig, at, gate, may_change, numbers, S: tl.constexpr):
    """Change p at some places by what is eligible there, and return the weights.

    p   += clip(gain * elig * gate, -max_change, max_change);    weight = w + alpha * p
    """
    change = limit(real(numbers, TRACE_GAIN) * elig * gate, real(numbers, MAX_CHANGE))
    p = tl.load(at + MATRIX_P * S.matrix) + tl.where(may_change, change, 0.0)
    tl.store(at + MATRIX_P * S.matrix, p)
    return tl.load(at + MATRIX_W * S.matrix) + tl.load(at + MATRIX_ALPHA * S.matrix) * p


@triton.jit
def learn(memory, stop, gate, may_change, numbers, S: tl.constexpr):
    """Change the weights at the outcome, `stop` steps into a trial, as `changed` says."""
    SOURCES: tl.constexpr = S.block_sources
    TARGETS: tl.constexpr = S.block_targets
    matrix: tl.constexpr = S.matrix
    for first_j in range(0, S.row, SOURCES):
        for first_i in range(0, S.wide, TARGETS):
            j = first_j + tl.arange(0, SOURCES)
            i = first_i + tl.arange(0, TARGETS)
            at = memory.matrices + j[:, None] * S.wide + i[None, :]
            elig = tl.load(at + MATRIX_ELIG * matrix)
            elig = credited(elig, memory, j, i, 0, stop, S)
            tl.store(at + MATRIX_ELIG * matrix, elig)
            weight = changed(elig, at, gate, may_change, numbers, S)
            tl.store(at + MATRIX_WEIGHT * matrix, weight)


@triton.jit
def credit_rest(memory, start, stop, S: tl.constexpr):
    """Bring the eligibility traces from the first feedback step to the trial's end."""
    SOURCES: tl.constexpr = S.block_sources
    TARGETS: tl.constexpr = S.block_targets
    for first_j in range(0, S.row, SOURCES):
        for first_i in range(0, S.wide, TARGETS):
            j = first_j + tl.arange(0, SOURCES)
            i = first_i + tl.arange(0, TARGETS)
            at = memory.matrices + MATRIX_ELIG * S.matrix + j[:, None] * S.wide + i[None, :]
            elig = tl.load(at)
            elig = credited(elig, memory, j, i, start, stop, S)
            tl.store(at, elig)
