"""Which trial a lifetime meets next on the GPU, and whether it teaches (`trials.course`).

Kernels are compiled with a course (`Sizes.course`) or without: without one these functions leave
nothing behind in them.
"""

# mypy: allow-untyped-defs, allow-incomplete-defs
# Triton's arguments are pointers and blocks; only compile-time constants carry annotations.
from __future__ import annotations

import triton
import triton.language as tl

from evoplastic.engines import courses
from evoplastic.engines.gpu.bundles import Means
from evoplastic.engines.gpu.numbers import (
    KEY0,
    KEY1,
    NUM_TRIALS,
    TRIAL_PURPOSE,
    unsigned,
    whole,
)
from evoplastic.engines.gpu.perturbation import philox, trial_entry

COLUMNS = tl.constexpr(courses.COLUMNS)
START, SIZE, BLOCK = (
    tl.constexpr(courses.START),
    tl.constexpr(courses.SIZE),
    tl.constexpr(courses.BLOCK),
)
KEY, OFFSET, TAUGHT = (
    tl.constexpr(courses.KEY),
    tl.constexpr(courses.OFFSET),
    tl.constexpr(courses.TAUGHT),
)


@triton.jit
def _row(numbers, task, trial):
    """Where the course of a task says what a trial is."""
    return numbers.course + (task * (whole(numbers, NUM_TRIALS) + 1) + trial) * COLUMNS


@triton.jit
def teaches(numbers, task, trial, S: tl.constexpr):
    """Whether anything is learnt at a trial of a lifetime, or it is a probe."""
    if S.course:
        return tl.load(_row(numbers, task, trial) + TAUGHT) != 0
    else:
        return trial >= 0


@triton.jit
def if_taught(learns, value, otherwise, S: tl.constexpr):
    """A value of a trial that teaches, or what stands in for it at a probe."""
    if S.course:
        return tl.where(learns, value, otherwise)
    else:
        return value


@triton.jit
def drawn_trial(numbers, task, trial, stream):
    """The trial of the tables that a lifetime meets at a trial, as its task's course has it."""
    row = _row(numbers, task, trial)
    zero = stream ^ stream
    drawn, _, _, _ = philox(
        zero,
        tl.load(row + KEY).to(tl.uint32),
        stream,
        unsigned(numbers.ints, TRIAL_PURPOSE),
        unsigned(numbers.ints, KEY0),
        unsigned(numbers.ints, KEY1),
    )
    size, block = tl.load(row + SIZE), tl.load(row + BLOCK)
    place = block * tl.umulhi(drawn, (size // block).to(tl.uint32)).to(tl.int64)
    return (tl.load(row + START) + (place + tl.load(row + OFFSET)) % size).to(tl.int32)


@triton.jit
def fixed_trial(numbers, task, trial, stream, start, size, S: tl.constexpr):
    """The trial of fixed timing that a lifetime meets next."""
    if S.course:
        return drawn_trial(numbers, task, trial, stream)
    else:
        return trial_entry(numbers, trial, stream, start, size)


@triton.jit
def told(learns, first, second, S: tl.constexpr):
    """Rates of both feedback neurons; a probe tells nothing."""
    return if_taught(learns, first, 0.0, S), if_taught(learns, second, 0.0, S)


@triton.jit
def remembered(learns, advanced, means, S: tl.constexpr):
    """The running means after a trial, advanced; a probe leaves them as they were."""
    if S.course:
        return Means(
            tl.where(learns, advanced.baseline, means.baseline),
            tl.where(learns, advanced.correct, means.correct),
            tl.where(learns, advanced.reward, means.reward),
            tl.where(learns, advanced.loss, means.loss),
            means.decay,
            means.rest,
        )
    else:
        return advanced
