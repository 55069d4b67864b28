"""Courses: which trials a stream draws, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evoplastic.checks import UsageError
from evoplastic.trials.order import TrialStreams, taught_at, trial_numbers
from evoplastic.trials.stacked import stack_tables
from tests.evoplastic.engines.cases import make_bank
from tests.evoplastic.engines.stream_cases import PROBE_K, split_course, streams

TABLES = stack_tables(streams([make_bank(seed, num_entries=16) for seed in range(3)]))


def _drawn(task: int, lives: int = 400) -> np.ndarray:
    """Trials [P, K] of lifetimes of a task."""
    many = TrialStreams(np.full(lives, task), np.arange(lives), seed=3, epoch=1)
    numbers = [trial_numbers(many, TABLES, trial) for trial in range(8)]
    return np.stack(numbers, axis=1) - TABLES.start_B[task]


def test_each_trial_is_drawn_from_where_the_course_says() -> None:
    number_PK = _drawn(0)
    assert {(8 * (n // 8)).item() for n in number_PK[0]} == {0, 8}
    half_K = np.array([0, 0, 8, 8, 8, 0, 0, 0])
    assert (8 * (number_PK // 8) == half_K).all()
    assert (number_PK[:, 2] == 8).all()  # the only block of the half, in order
    assert (number_PK[:, 3] == 9).all()
    for first, second, gap in ((0, 7, 1), (4, 5, -6)):  # one key; of other offsets, or halves
        assert ((number_PK[:, second] - number_PK[:, first] - gap) % 8 == 0).all()
    assert (np.bincount(number_PK[:, 1], minlength=8)[:8] > 20).all()  # any of the half
    assert np.corrcoef(number_PK[:, 0], number_PK[:, 1])[0, 1] < 0.2  # keys of their own


def test_a_block_is_lived_in_order() -> None:
    number_PK = _drawn(1)
    assert set(number_PK[:, 0].tolist()) == {0, 8}
    assert (np.diff(number_PK, axis=1) == 1).all()


def test_probes_do_not_teach_and_the_last_trial_stays() -> None:
    one = TrialStreams(np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64), seed=3, epoch=1)
    assert [not taught_at(one, TABLES, trial)[0] for trial in range(8)] == PROBE_K.tolist()
    assert trial_numbers(one, TABLES, 8) == trial_numbers(one, TABLES, 7)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("part_K", np.array([0, 0, 1, 0, 1, 1, 2, 2]), "goes back"),
        ("part_K", np.full(8, 3), "expected 0 to 2"),
        ("task_K", np.full(8, -1), "expected 0 to 1"),
        ("size_K", np.full(8, 7), "whole blocks"),
        ("block_K", np.zeros(8, dtype=np.int64), "block_K spans 0"),
        ("offset_K", np.zeros(7, dtype=np.int64), r"expected \(8,\)"),
    ],
)
def test_what_contradicts_itself_is_refused(field: str, value: np.ndarray, message: str) -> None:
    course = split_course(16)
    with pytest.raises(UsageError, match=message):
        replace(course, **{field: value})  # type: ignore[arg-type]


def test_a_course_stays_within_its_table() -> None:
    with pytest.raises(UsageError, match="draws from trial 17, its table has 16"):
        replace(make_bank(0, num_entries=16), course=split_course(18))


def test_a_course_counts_in_the_digest() -> None:
    plain = make_bank(0, num_entries=16)
    one, other = (replace(plain, course=split_course(size)) for size in (16, 14))
    assert len({plain.digest, one.digest, other.digest}) == 3
    renamed = replace(split_course(16), parts=("x", "y", "z"))
    assert replace(plain, course=renamed).digest == one.digest
