"""The schedule every_step where matrices lie in memory: passes over them block by block.

A step takes two passes: one multiplies, one changes. Dividing p by its largest magnitude is put
off: p lies as the last change left it, and whoever reads it multiplies by `share`.
"""

# mypy: allow-untyped-defs, allow-incomplete-defs
# Triton's arguments are pointers and blocks; only compile-time constants carry annotations.
from __future__ import annotations

import triton
import triton.language as tl

from evoplastic.engines.gpu.activity import leak_of, onto_plasticity, rates_after
from evoplastic.engines.gpu.course import if_taught
from evoplastic.engines.gpu.every_step.plasticity import (
    advanced_mean,
    changed,
    credited,
    ends_of,
    joined,
    target_factors,
)
from evoplastic.engines.gpu.matrices import (
    MATRIX_ALPHA,
    MATRIX_ELIG,
    MATRIX_P,
    MATRIX_PAIRS,
    MATRIX_W,
)
from evoplastic.engines.gpu.numbers import MEAN_KEEP, MEAN_REST, real


@triton.jit
def advance_streamed(memory, own, step, share, in_window, numbers, S: tl.constexpr):
    """One step of the unclamped neurons, from the rates before it to those after it."""
    SOURCES: tl.constexpr = S.block_sources
    TARGETS: tl.constexpr = S.block_targets
    before = memory.history + step * S.row
    for first_i in range(0, S.wide, TARGETS):
        i = first_i + tl.arange(0, TARGETS)
        drive = tl.zeros([TARGETS], tl.float32)
        for first_j in range(0, S.row, SOURCES):
            j = first_j + tl.arange(0, SOURCES)
            at = memory.matrices + j[:, None] * S.wide + i[None, :]
            p = stored_p(at, share, S)
            weight = tl.load(at + MATRIX_W * S.matrix) + tl.load(at + MATRIX_ALPHA * S.matrix) * p
            drive += tl.sum(weight * tl.load(before + j)[:, None], 0)
        x = tl.load(memory.x + i)
        x = (
            x
            + leak_of(own, i, numbers, S) * (drive - x)
            + tl.load(memory.xi + step * S.xi_width + i)
        )
        tl.store(memory.x + i, x)
        is_response = (i >= S.response_at) & (i < S.num_unclamped)
        rate = rates_after(x, before, own, i, is_response, in_window, S)
        tl.store(before + S.row + i, rate)


@triton.jit
def stored_p(at, share, S: tl.constexpr):
    """Plastic weights of a block."""
    p = tl.load(at + MATRIX_P * S.matrix)
    if S.rule.normalises:
        p = p * share
    return p


@triton.jit
def change_streamed(
    memory, own, step, changes, learns, gate, share, of_target, of_source, retention, numbers,
    S: tl.constexpr,
):  # fmt: skip
    """Traces, if a trial `learns`, and weights, if `changes`, after a step; returns the largest
    magnitude of p.
    """
    SOURCES: tl.constexpr = S.block_sources
    TARGETS: tl.constexpr = S.block_targets
    before = memory.history + step * S.row
    xi_t = memory.xi + step * S.xi_width
    mean = memory.x + S.wide
    largest = tl.full([], 0.0, tl.float32)
    for first_i in range(0, S.wide, TARGETS):
        i = first_i + tl.arange(0, TARGETS)
        targets = ends_at(before + S.row, xi_t, mean, i, i < S.num_unclamped, True, S)
        modulation = onto_plasticity(gate, before + S.row, own, i, S)
        us = target_factors(targets, i, of_target, modulation, S)
        for first_j in range(0, S.row, SOURCES):
            j = first_j + tl.arange(0, SOURCES)
            exists = tl.where(j < S.wide, j < S.num_unclamped, j < S.wide + S.num_clamped)
            sources = ends_at(before, xi_t, mean, j, exists, S.rule.noisy_sources, S)
            at = memory.matrices + j[:, None] * S.wide + i[None, :]
            trace = tl.zeros([SOURCES, TARGETS], tl.float32)
            if S.rule.num_credits > 0:
                earlier = tl.load(at + MATRIX_ELIG * S.matrix)
                later = credited(earlier, sources, targets, retention, S)
                later = if_taught(learns, later, earlier, S)
                tl.store(at + MATRIX_ELIG * S.matrix, later)
                trace = later
                if not S.rule.trace_first:
                    trace = earlier
            if changes:
                pairs = pair_blocks(at, S)
                p = stored_p(at, share, S)
                p = changed(p, trace, pairs, us, sources, j, of_source, numbers, S)
                tl.store(at + MATRIX_P * S.matrix, p)
                if S.rule.normalises:
                    largest = tl.maximum(largest, tl.max(tl.max(tl.abs(p), 0), 0))
    return largest


@triton.jit
def ends_at(rates, xi, mean, at, exists, noisy: tl.constexpr, S: tl.constexpr):
    """One side of a block of connections, read from memory."""
    rate = tl.load(rates + at)
    xi_at, mean_at = rate, rate  # never read
    if noisy:
        xi_at = tl.load(xi + at)
    if S.rule.centres:
        mean_at = tl.load(mean + at)
    return ends_of(rate, xi_at, mean_at, exists)


@triton.jit
def pair_blocks(at, S: tl.constexpr):
    """The coefficients of the connections of a block."""
    NUM_PAIR: tl.constexpr = S.rule.num_pair
    blocks = ()
    for m in tl.static_range(NUM_PAIR):
        blocks = joined(blocks, tl.load(at + (MATRIX_PAIRS + m) * S.matrix))
    return blocks


@triton.jit
def advance_means(memory, step, learns, numbers, S: tl.constexpr):
    """Let the rates after a step enter the running means of all neurons."""
    SOURCES: tl.constexpr = S.block_sources
    keep, rest = real(numbers, MEAN_KEEP), real(numbers, MEAN_REST)
    for first_j in range(0, S.row, SOURCES):
        at = memory.x + S.wide + first_j + tl.arange(0, SOURCES)
        rate = tl.load(memory.history + (step + 1) * S.row + first_j + tl.arange(0, SOURCES))
        mean = tl.load(at)
        later = advanced_mean(mean, rate, keep, rest)
        tl.store(at, if_taught(learns, later, mean, S))


@triton.jit
def forget_means(memory, S: tl.constexpr):
    """The running means of a newborn."""
    SOURCES: tl.constexpr = S.block_sources
    for first_j in range(0, S.row, SOURCES):
        at = memory.x + S.wide + first_j + tl.arange(0, SOURCES)
        tl.store(at, tl.zeros([SOURCES], tl.float32))
