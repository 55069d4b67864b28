"""Levels of simple policies: by hand, by simulation, and where NeuroGym's own score is wrong."""

from __future__ import annotations

import numpy as np
import pytest

from evoplastic.checks import UsageError
from tasks.environments import EnvSource
from tasks.neurogym_bank import build_step_bank
from tasks.step_levels import best_constant, chance, constant, live, oracle
from tests.tasks.small_envs import Echo


def test_levels_of_a_small_task_are_those_computed_by_hand() -> None:
    bank = build_step_bank(EnvSource(Echo), 200, 1)
    ones = float((bank.answer_M == 1).mean())
    assert oracle(bank) == (1.0, 1.0)
    assert constant(bank, 0) == (0.0, 0.0)
    assert constant(bank, 1) == pytest.approx((ones, ones - 1.0), abs=1e-6)  # 10 aborts of -0.1
    assert best_constant(bank)[0] == (1 if ones > 0.5 else 2)
    # 10 steps with two aborting actions of three; then five chances to answer
    right = 0.5 * (1 - (1 / 3) ** 5)
    assert chance(bank) == pytest.approx((right, right - 2 / 3), abs=1e-6)


@pytest.mark.parametrize("name", ["DelayComparison-v0", "yang19.dms-v0", "GoNogo-v0"])
def test_chance_is_what_random_actions_reach(name: str) -> None:
    bank = build_step_bank(EnvSource(name), 40, 1)
    rng = np.random.default_rng(0)
    shape = bank.ground_truth_MT.shape
    lives = [live(bank, rng.integers(bank.interface.num_outputs, size=shape)) for _ in range(200)]
    level = chance(bank)
    rewards = np.array([lived.reward_M.mean() for lived in lives])
    scores = np.array([lived.correct_M.mean() for lived in lives])
    assert level.accuracy == pytest.approx(scores.mean(), abs=1e-6 + 5 * scores.std() / 200**0.5)
    assert level.reward == pytest.approx(rewards.mean(), abs=1e-6 + 5 * rewards.std() / 200**0.5)


def test_doing_nothing_is_right_where_nothing_is_asked_and_wrong_where_a_time_is() -> None:
    gonogo = build_step_bank(EnvSource("GoNogo-v0"), 40, 1)
    nothing = live(gonogo, np.zeros_like(gonogo.ground_truth_MT))
    assert np.array_equal(nothing.correct_M == 1, gonogo.answer_M == 0)
    assert 0 < nothing.correct_M.mean() < 1
    assert constant(build_step_bank(EnvSource("ReadySetGo-v0"), 10, 1), 0).accuracy == 0.0


def test_a_task_without_ground_truth_has_rewards_only() -> None:
    bank = build_step_bank(EnvSource("EconomicDecisionMaking-v0"), 10, 1)
    assert chance(bank).accuracy is oracle(bank).accuracy is None
    assert chance(bank).reward < 0


def test_actions_that_do_not_fit_are_refused() -> None:
    bank = build_step_bank(EnvSource(Echo), 2, 1)
    with pytest.raises(UsageError, match="expected actions 0 to 2"):
        live(bank, np.full_like(bank.ground_truth_MT, 3))
