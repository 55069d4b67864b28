"""What every curriculum must do, and what each of ours does."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from evoplastic.checks import UsageError
from evoplastic.random.counters import Purpose, words
from tasks.curricula.catalogue import CURRICULA
from tasks.curricula.curriculum import Curriculum
from tasks.curricula.informed import Informed, Measured
from tasks.suites.loading import load_suite

SUITE = SimpleNamespace(train=("a", "b", "c", "d"), half_of_train=(0, 1, 0, 1))


def make(name: str, seed: int = 23) -> Curriculum:
    entry = CURRICULA[name]
    return entry.build(entry.options(), SUITE, seed=seed)


@pytest.mark.parametrize("name", sorted(CURRICULA))
def test_the_choice_is_a_function_of_seed_generation_and_group(name: str) -> None:
    curriculum, group_P = make(name), np.arange(200)
    chosen = curriculum.tasks_of(5, group_P)
    assert chosen.shape == (200,)
    assert chosen.dtype == np.int64
    assert set(chosen.tolist()) <= {0, 1, 2, 3}, "a held-out task was drawn"
    curriculum.tasks_of(6, group_P)
    np.testing.assert_array_equal(curriculum.tasks_of(5, group_P), chosen)
    np.testing.assert_array_equal(curriculum.tasks_of(5, group_P[50:90]), chosen[50:90])
    np.testing.assert_array_equal(make(name).tasks_of(5, np.repeat(group_P, 2))[1::2], chosen)
    assert not np.array_equal(make(name, 24).tasks_of(5, group_P), chosen)
    assert not np.array_equal(curriculum.tasks_of(4, group_P), chosen)


@pytest.mark.parametrize("name", sorted(CURRICULA))
def test_every_training_task_comes_in_its_time(name: str) -> None:
    curriculum = make(name)
    seen = {task for k in range(8) for task in curriculum.tasks_of(k, np.arange(200)).tolist()}
    assert seen == {0, 1, 2, 3}


@pytest.mark.parametrize("name", sorted(CURRICULA))
def test_an_entry_says_what_it_is_and_fits_the_suites_that_ship(name: str) -> None:
    entry = CURRICULA[name]
    assert entry.name == name == entry.options().name
    assert entry.title
    assert entry.source
    for suite_name in ("miconi2023", "yang19"):
        suite = load_suite(suite_name)
        curriculum = entry.build(entry.options(), suite, seed=0)
        assert curriculum.tasks_of(0, np.arange(9)).max() < len(suite.train)


def test_halves_of_the_tasks_alternate_every_two_generations() -> None:
    curriculum = make("alternate_halves")
    for generation in range(9):
        tasks = curriculum.tasks_of(generation, np.arange(200))
        eligible = {1, 3} if generation % 4 >= 2 else {0, 2}
        assert set(tasks.tolist()) == eligible, f"generation {generation}"


def test_a_half_without_tasks_is_refused() -> None:
    entry = CURRICULA["alternate_halves"]
    one_half = SimpleNamespace(train=("a", "b"), half_of_train=(0, 0))
    with pytest.raises(UsageError, match="half 1 is empty; set curriculum to uniform"):
        entry.build(entry.options(), one_half, seed=0)


def test_uniform_draws_every_task_alike_from_draws_of_its_own() -> None:
    tasks = make("uniform").tasks_of(0, np.arange(4_000))
    assert stats.chisquare(np.bincount(tasks, minlength=4)).pvalue > 1e-3
    # The task must not foretell the first trial, drawn on the same stream.
    drawn = [int(words(23, Purpose.TASK, 0, pair, 0, 1)[0]) for pair in range(50)]
    assert tasks[:50].tolist() == [word * 4 // 2**32 for word in drawn]


@pytest.mark.parametrize("name", ["learning_progress", "hard_first"])
def test_informed_curricula_go_by_what_was_measured(name: str) -> None:
    curriculum, group_P = make(name), np.arange(4_000)
    assert isinstance(curriculum, Informed)
    measured = Measured(np.array([0.1, 0.5, 0.2, 0.9]), np.array([0.4, 0.6, 0.1, 0.9]))
    share_T = {  # 0.2 / 4 of exploring, and 0.8 by the weights
        "learning_progress": [0.05 + 0.8 * 0.75, 0.05 + 0.8 * 0.25, 0.05, 0.05],
        "hard_first": [0.05 + 0.4, 0.05, 0.05 + 0.4, 0.05],
    }[name]
    chosen = curriculum.tasks_given(3, group_P, measured)
    counts_T = np.bincount(chosen, minlength=4)
    assert stats.chisquare(counts_T, 4_000 * np.array(share_T)).pvalue > 1e-3
    np.testing.assert_array_equal(curriculum.tasks_given(3, group_P[9:30], measured), chosen[9:30])
    nothing = Measured(np.full(4, 0.5), np.full(4, 0.5))
    if name == "learning_progress":  # no task is learnt within a lifetime: all are alike
        assert (
            stats.chisquare(np.bincount(curriculum.tasks_given(3, group_P, nothing))).pvalue > 1e-3
        )


def test_shares_beyond_one_are_refused() -> None:
    for name, option in (("learning_progress", "explore"), ("hard_first", "hardest")):
        with pytest.raises(UsageError, match=f"{option} of the curriculum is 1.5, expected 0 to 1"):
            CURRICULA[name].options(**{option: 1.5})
