"""Which trial a lifetime meets next, compiled, and whether it teaches (`trials.course`)."""

from __future__ import annotations

from typing import Any

import numpy as np

from evoplastic.engines.courses import BLOCK, COLUMNS, KEY, OFFSET, SIZE, START, TAUGHT
from evoplastic.engines.cpu.simd.compile import inlined
from evoplastic.engines.cpu.simd.philox import one_word


@inlined
def _row(run: Any, individual: int, trial: int) -> int:
    """Where the course of an individual says what a trial is."""
    task = run.individuals.task[individual]
    return (task * (run.plan.num_trials + 1) + trial) * COLUMNS


@inlined
def taught(run: Any, individual: int, trial: int) -> bool:
    """Whether anything is learnt at a trial of an individual, or it is a probe."""
    return run.banks.course[_row(run, individual, trial) + TAUGHT] != 0


@inlined
def drawn_trial(run: Any, individual: int, trial: int) -> int:
    """The trial of the tables that an individual meets at a trial of its life."""
    plan, course = run.plan, run.banks.course
    row = _row(run, individual, trial)
    stream = run.individuals.trial_stream[individual]
    word = one_word(0, course[row + KEY], stream, plan.trial_purpose, plan.key0, plan.key1)
    size, block = course[row + SIZE], course[row + BLOCK]
    place = block * np.int64((word * np.uint64(size // block)) >> np.uint64(32))
    return course[row + START] + (place + course[row + OFFSET]) % size
