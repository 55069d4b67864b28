"""Trials of fixed timing are drawn with the numbers of their table."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.previews.fixed_timing import as_steps
from analysis.previews.task import preview
from evoplastic.checks import UsageError
from tasks.two_stimulus.combinations.task import combination


def test_steps_are_those_of_the_table() -> None:
    task = combination("first-short-pro-b_over_a")
    table = task.trials()
    bank = as_steps(table, [9, 2], task.periods())
    assert np.array_equal(bank.observation_MTI, table.fixed.stimulus_MTI[[9, 2]])
    assert np.array_equal(bank.reward_MTO.sum(axis=1), table.fixed.reward_MO[[9, 2]])
    assert np.array_equal(bank.answer_M, table.fixed.target_action_M[[9, 2]])
    titles = [axes.get_title() for axes in preview(bank, 2).axes[:2]]
    assert titles == [
        f"trial {place}: answer {answer}, reward 1" for place, answer in enumerate(bank.answer_M)
    ]


def test_a_trial_that_is_not_there_is_refused() -> None:
    task = combination("first-short-pro-b")
    with pytest.raises(UsageError, match="expected some of 0 to 3"):
        as_steps(task.trials(), [4], task.periods())
