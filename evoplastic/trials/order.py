"""Which trials a lifetime meets, in which order: a function of its address among random numbers."""

from __future__ import annotations

from typing import NamedTuple

from evoplastic.random.counters import Purpose, bounded, philox, purpose_word, seed_key
from evoplastic.trials.stacked import StackedTables
from evoplastic.types import BoolArray, Int64Array


class TrialStreams(NamedTuple):
    """The tasks of P individuals, and the streams from which their trials are drawn."""

    task_P: Int64Array  # index of each individual's task
    stream_P: Int64Array  # 0 <= stream < 2**32
    seed: int  # run seed, 0 <= seed < 2**64
    epoch: int  # generation, 0 <= epoch < 2**24
    evaluation: bool = False  # evaluation lifetimes draw from streams of their own

    def words(self, trial: int | Int64Array) -> tuple[Int64Array, Int64Array]:
        """Words 0 and 1 [P] of the order of trials at a trial, one for all or [P]; 32 bits each."""
        purpose = Purpose.EVALUATION_TRIAL if self.evaluation else Purpose.TRIAL
        word = purpose_word(purpose, self.epoch)
        first_P, second_P, *_ = philox((0, trial, self.stream_P, word), seed_key(self.seed))
        return first_P, second_P


def trial_numbers(
    streams: TrialStreams, tables: StackedTables, trial: int | Int64Array
) -> Int64Array:
    """The trial [P] of the tables that each individual meets at a trial of its lifetime.

    number = start + (block * floor(u(key) * size / block) + offset) mod size

    u from word 0 of the order of trials; the rest as the task's course has it
    (`evoplastic.trials.course`).

    Args:
        streams: of the individuals.
        tables: of their tasks.
        trial: of the lifetime, one for all or [P].
    """
    drawn = tables.drawn(streams.task_P, trial)
    block_P = drawn.block * bounded(streams.words(drawn.key)[0], drawn.size // drawn.block)
    number_P: Int64Array = drawn.start + (block_P + drawn.offset) % drawn.size
    return number_P


def taught_at(streams: TrialStreams, tables: StackedTables, trial: int) -> BoolArray:
    """Whether each individual [P] may learn at a trial; at probes it may not."""
    return tables.drawn(streams.task_P, trial).taught
