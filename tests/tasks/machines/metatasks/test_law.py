"""Trials of meta-tasks are what a scalar interpreter lives from the words of their files."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.machines.states import machine_nodes
from tests.tasks.machines.metatasks.worlds import live, random_worlds


def agree(count: int, trials: int) -> None:
    rng = np.random.default_rng(5)
    steps = paid = 0
    for number, (plain, task) in enumerate(random_worlds(count)):
        bank = machine_nodes(task.machine(), trials, seed=number)
        for trial in range(trials):
            actions = rng.integers(len(task.actions), size=task.num_steps).tolist()
            node = int(bank.first_M[trial])
            for t, step in enumerate(live(plain, task.code, number, trial, actions)):
                where = f"{task.name}, trial {trial}, step {t}"
                assert node >= 0, where
                assert tuple(bank.observation_VI[node].tolist()) == step.shown, where
                assert float(bank.reward_VO[node, actions[t]]) == step.reward, where
                node = int(bank.next_VO[node, actions[t]])
                assert (node < 0) == step.over, where
                steps, paid = steps + 1, paid + (step.reward != 0)
    assert paid > 0.05 * steps, "hardly anything was paid, the test sees little"


def test_random_meta_tasks_follow_the_interpreter() -> None:
    agree(16, 6)


@pytest.mark.exhaustive
def test_a_thousand_random_meta_tasks_follow_the_interpreter() -> None:
    agree(1000, 8)
