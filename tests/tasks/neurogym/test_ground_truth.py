"""Ground truth is what the environment itself says, in a bank and when it is stepped."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from neurogym.core import TrialEnv

from evoplastic.types import NO_TARGET
from tasks.neurogym.bank import build_step_bank
from tasks.neurogym.environments import EnvSource
from tasks.neurogym.stepped_life import SteppedLife
from tasks.neurogym.task import SelfPacedTask
from tests.tasks import small_envs as envs

FILE = "tests/tasks/small_envs.py"
SAYING = [envs.AssignsGroundTruth, envs.AssignsLists, envs.AsksByProperty, envs.AsksAfterwards]
SILENT = [envs.AsksForOwnNumber]


@pytest.mark.parametrize("task", SAYING)
def test_a_bank_asks_for_what_the_environment_says(task: type[TrialEnv]) -> None:
    bank = build_step_bank(EnvSource(task), 12, 1)
    assert bank.ground_truth_MT.shape == (12, 15)
    assert not bank.ground_truth_MT[:, :10].any()
    for m in range(12):
        bit = int(bank.observation_MTI[m, 0].argmax()) - 1
        assert set(bank.ground_truth_MT[m, 10:]) == {1 + bit}
    assert bank.answer_M.tolist() == bank.ground_truth_MT[:, 10].tolist()
    assert bank.digest == build_step_bank(EnvSource(task), 12, 1, thorough=True).digest


@pytest.mark.parametrize("task", SAYING)
def test_an_oracle_of_these_tasks_is_always_right(task: type[TrialEnv]) -> None:
    levels = SelfPacedTask(name="mine", source=f"{FILE}:{task.__name__}").levels()
    assert levels.oracle.accuracy == 1.0
    assert levels.chance.accuracy is not None
    assert levels.chance.accuracy < 0.6


@pytest.mark.parametrize("task", SAYING)
def test_stepping_asks_for_the_same(task: type[TrialEnv]) -> None:
    """Each step's target and part, and whether whoever follows is right, as the bank says."""
    bank = build_step_bank(EnvSource(task), 8, 3)
    table = bank.table()
    life = SteppedLife(EnvSource(task), 3, 600, has_answers=True, isolate=False)
    for m in range(8):
        state, over = int(table.first_M[m]), False
        assert life.kind == bank.answer_M[m]
        while not over:
            assert life.target_action == table.target_action_V[state]
            if task is not envs.AssignsLists:  # it says nothing of where a trial ends at the latest
                assert life.flags == table.flags_V[state]
            action = life.target_action
            reward, over, right = life.act(action)
            assert np.float32(reward) == table.reward_VO[state, action]
            assert right == over
            state = int(table.next_VO[state, action])
        assert state < 0


def test_what_info_says_in_the_end_is_believed_over_what_a_copy_foresaw() -> None:
    class Moves(envs.AsksAfterwards):
        def _step(self, action: int) -> Any:
            *rest, info = super()._step(action)
            return (*rest, {**info, "gt": info["gt"] or 2 * (action == 2)})

    life = SteppedLife(EnvSource(Moves), 3, 600, has_answers=True, isolate=False)
    life.act(0)
    assert life.target_action == 0  # as whoever waits will hear
    while life.target_action == 0:
        life.act(0)
    assert life.act(life.target_action).correct


@pytest.mark.parametrize("task", SILENT)
def test_a_default_in_info_is_no_ground_truth(task: type[TrialEnv]) -> None:
    bank = build_step_bank(EnvSource(task), 12, 1)
    assert (bank.ground_truth_MT == NO_TARGET).all()
    assert not bank.table().has_answers


def test_the_ground_truth_of_an_earlier_trial_is_none_of_this_one() -> None:
    bank = build_step_bank(EnvSource(envs.AsksAtTimes), 8, 1)
    asked_M = (bank.ground_truth_MT != NO_TARGET).any(axis=1)
    assert asked_M.tolist() == [False, True] * 4
    life = SteppedLife(EnvSource(envs.AsksAtTimes), 1, 600, has_answers=True, isolate=False)
    for m in range(8):
        assert (life.target_action != NO_TARGET) == asked_M[m]
        over = False
        while not over:
            over = life.act(1).over


def test_a_gt_now_that_raises_is_named() -> None:
    class Raises(envs.AsksAfterwards):
        @property
        def gt_now(self) -> int:
            raise KeyError("no such answer")

    with pytest.raises(Exception, match=r"gt_now raised KeyError: 'no such answer'.*test_ground"):
        build_step_bank(EnvSource(Raises), 2, 1)
