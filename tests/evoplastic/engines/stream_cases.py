"""Small lifetimes that are streams: parts of two tasks, drawn in several ways, probes between."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from evoplastic.lifetime.batch import LifetimeBatch
from evoplastic.network.neurons import NeuronGroups
from evoplastic.trials.course import Course, block_course
from evoplastic.trials.table import TrialTable
from evoplastic.trials.timing import TrialTiming
from tests.evoplastic.engines.cases import TIMING, make_bank, make_batch
from tests.evoplastic.engines.self_paced_cases import make_free_batch, make_node_bank

# 8 trials, as lifetimes of `make_config` have: parts 0 0 0 | 1 1 1 | 0 0, probes in the middle of
# the first and at the end of the second.
PART_K = np.array([0, 0, 0, 1, 1, 1, 2, 2])
TASK_K = np.array([0, 0, 1, 1, 1, 0, 0, 0])
PROBE_K = np.array([0, 1, 1, 0, 0, 1, 0, 0], dtype=bool)


def split_course(num_trials: int) -> Course:
    """The two halves of a table as two tasks; some trials share a key, some have one of their own,
    some go on in the block of others."""
    half = num_trials // 2
    return Course(
        parts=("a", "b", "a"),
        tasks=("a", "b"),
        part_K=PART_K,
        task_K=TASK_K,
        probe_K=PROBE_K,
        start_K=half * TASK_K,
        size_K=np.full(8, half),
        block_K=np.array([1, 1, half, half, 1, 1, 1, 1]),
        key_K=np.array([0, 1, 2, 2, 4, 4, 6, 0]),
        offset_K=np.array([0, 0, 0, 1, 0, 2, 0, 1]),
    )


def streams(tables: list[TrialTable]) -> list[TrialTable]:
    """A stream of halves, a stream whose blocks are lived in order, and a task without a course."""
    blocks = block_course(
        num_trials=len(tables[1].first_M),
        parts=("one",),
        tasks=("one",),
        part_K=0 * PART_K,
        task_K=0 * PART_K,
        probe_K=np.roll(PROBE_K, 2),
    )
    return [
        replace(tables[0], course=split_course(len(tables[0].first_M))),
        replace(tables[1], course=blocks),
        tables[2],
    ]


def stream_batch(
    groups: NeuronGroups,
    num_individuals: int,
    *,
    self_paced: bool,
    shared_noise: bool = False,
    timing: TrialTiming = TIMING,
    longest: int = 9,
) -> LifetimeBatch:
    """Individuals that take turns in living them."""
    if self_paced:
        banks = [make_node_bank(seed, num_entries=16, longest=longest) for seed in range(3)]
        return make_free_batch(streams(banks), groups, num_individuals, shared_noise=shared_noise)
    banks = [make_bank(seed, num_entries=16, timing=timing) for seed in range(3)]
    return make_batch(streams(banks), num_individuals, shared_noise=shared_noise)
