"""Which trials a lifetime meets, in which order: a function of its address among random numbers."""

from __future__ import annotations

from typing import NamedTuple

from evoplastic.random.counters import Purpose, bounded, philox, purpose_word, seed_key
from evoplastic.trials.stacked import StackedTables
from evoplastic.types import Int64Array


class TrialStreams(NamedTuple):
    """The tasks of P individuals, and the streams from which their trials are drawn."""

    task_P: Int64Array  # index of each individual's task
    stream_P: Int64Array  # 0 <= stream < 2**32
    seed: int  # run seed, 0 <= seed < 2**64
    epoch: int  # generation, 0 <= epoch < 2**24
    evaluation: bool = False  # evaluation lifetimes draw from streams of their own

    def words(self, trial: int) -> tuple[Int64Array, Int64Array]:
        """Words 0 and 1 [P] of the order of trials at a trial, 32 bits each."""
        purpose = Purpose.EVALUATION_TRIAL if self.evaluation else Purpose.TRIAL
        word = purpose_word(purpose, self.epoch)
        first_P, second_P, *_ = philox((0, trial, self.stream_P, word), seed_key(self.seed))
        return first_P, second_P


def uniform_trials(streams: TrialStreams, tables: StackedTables, trial: int) -> Int64Array:
    """The trial [P] of the tables that each individual meets: any of its task's, at random.

    number = start + floor(u * size),     u from word 0 of the order of trials
    """
    start_P, size_P = tables.start_B[streams.task_P], tables.size_B[streams.task_P]
    drawn_P: Int64Array = start_P + bounded(streams.words(trial)[0], size_P)
    return drawn_P


def first_trials(streams: TrialStreams, tables: StackedTables) -> Int64Array:
    """The trial [P] of the tables at which each individual begins: that of a block, at random.

    number = start + block * floor(u * size / block),     u from word 0 of the order of trials
    """
    block_P = tables.block_B[streams.task_P]
    blocks_P = tables.size_B[streams.task_P] // block_P
    drawn_P = bounded(streams.words(0)[0], blocks_P)
    first_P: Int64Array = tables.start_B[streams.task_P] + block_P * drawn_P
    return first_P
