"""Levels of simple policies: by hand, by simulation, and where NeuroGym's own score is wrong."""

from __future__ import annotations

import numpy as np
import pytest

from evoplastic.checks import UsageError
from evoplastic.trials.table import TrialTable
from evoplastic.trials.timing import OVER_RIGHT
from tasks.baselines.levels import (
    best_constant,
    best_fixed,
    chance,
    constant,
    fixed,
    level_of,
    oracle,
)
from tasks.machines.states import machine_nodes
from tasks.neurogym.bank import build_step_bank
from tasks.neurogym.environments import EnvSource
from tasks.neurogym.machine_bank import machine_bank
from tests.tasks.machines.machines import META_RL
from tests.tasks.small_envs import Echo


def nodes(name: str, num_trials: int = 40) -> TrialTable:
    """Trials of a registered task."""
    source = EnvSource(name)
    machine = machine_bank(source, num_trials, 1)
    return build_step_bank(source, num_trials, 1).table() if machine is None else machine


def lived(bank: TrialTable, action_V: np.ndarray) -> tuple[float, float]:
    """Accuracy and reward of one action at each node, trial by trial."""
    right, reward = 0, 0.0
    for first in bank.first_M:
        node = int(first)
        while node >= 0:
            reward += float(bank.reward_VO[node, action_V[node]])
            node = int(bank.next_VO[node, action_V[node]])
        right += node == OVER_RIGHT
    return right / len(bank.first_M), reward / len(bank.first_M)


def test_levels_of_a_small_task_are_those_computed_by_hand() -> None:
    steps = build_step_bank(EnvSource(Echo), 200, 1)
    bank = steps.table()
    ones = float((steps.answer_M == 1).mean())
    assert oracle(bank) == (1.0, 1.0)
    assert constant(bank, 0) == (0.0, 0.0)
    assert constant(bank, 1) == pytest.approx((ones, ones - 1.0), abs=1e-6)  # 10 aborts of -0.1
    assert best_constant(bank)[0] == (1 if ones > 0.5 else 2)
    # who waits for the answer period gives the same answers, and pays for no abort
    assert fixed(bank, 1) == pytest.approx((ones, ones))
    assert best_fixed(bank)[1].accuracy == max(ones, 1 - ones)
    # 10 steps with two aborting actions of three; then five chances to answer
    right = 0.5 * (1 - (1 / 3) ** 5)
    assert chance(bank) == pytest.approx((right, right - 2 / 3), abs=1e-6)


NAMES = ["DelayComparison-v0", "yang19.dms-v0", "GoNogo-v0", "DawTwoStep-v0", "meta-rl"]


@pytest.mark.parametrize("name", NAMES)
def test_levels_are_what_simulated_lives_reach(name: str) -> None:
    bank = machine_nodes(META_RL, 40, 1) if name == "meta-rl" else nodes(name)
    V, O = bank.reward_VO.shape
    assert oracle(bank) == pytest.approx(lived(bank, np.maximum(bank.target_action_V, 0)))
    assert constant(bank, 1) == pytest.approx(lived(bank, np.ones(V, dtype=int)))
    rng = np.random.default_rng(0)
    lives = np.array([lived(bank, rng.integers(O, size=V)) for _ in range(200)])
    error = 1e-6 + 5 * lives.std(axis=0) / 200**0.5
    assert (np.abs(lives.mean(axis=0) - np.array(chance(bank))) < error).all()


def test_doing_nothing_is_right_where_nothing_is_asked_and_wrong_where_a_time_is() -> None:
    gonogo = build_step_bank(EnvSource("GoNogo-v0"), 40, 1)
    nogo = float((gonogo.answer_M == 0).mean())
    assert 0 < nogo < 1
    assert constant(gonogo.table(), 0).accuracy == nogo
    assert constant(nodes("ReadySetGo-v0", 10), 0).accuracy == 0.0


def test_the_best_fixed_answer_waits_for_its_time() -> None:
    """Two answers of equal odds: a fixed one is right half of the time, and loses nothing else."""
    bank = nodes("PerceptualDecisionMaking-v0", 400)
    answer, level = best_fixed(bank)
    assert answer in (1, 2)
    assert level.accuracy == pytest.approx(0.5, abs=0.08)
    assert level.reward == pytest.approx(level.accuracy, abs=1e-6)
    assert best_constant(bank)[1].reward < level.reward - 0.4  # it aborts fixation


def test_a_two_step_task_is_right_by_its_first_choice() -> None:
    bank = nodes("DawTwoStep-v0", 4000)
    assert oracle(bank).accuracy == 1.0
    assert oracle(bank).reward == pytest.approx(0.8 * 0.9 + 0.2 * 0.1, abs=0.04)
    assert chance(bank).accuracy == pytest.approx(1 / 9)  # the better choice, then fixation
    assert best_fixed(bank)[1].accuracy == pytest.approx(0.5, abs=0.1)  # it switches now and then


def test_a_task_without_ground_truth_has_rewards_only() -> None:
    bank = nodes("EconomicDecisionMaking-v0", 10)
    assert chance(bank).accuracy is oracle(bank).accuracy is best_fixed(bank)[1].accuracy is None
    assert chance(bank).reward < 0


def test_policies_that_do_not_fit_are_refused() -> None:
    bank = build_step_bank(EnvSource(Echo), 2, 1).table()
    for policy_VO in (np.ones((3, 3)), np.ones(bank.reward_VO.shape)):
        with pytest.raises(UsageError, match="expected probabilities that add up to 1"):
            level_of(bank, policy_VO)
