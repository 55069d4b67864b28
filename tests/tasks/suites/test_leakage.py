"""Copies are known by what they ask, whatever they are called and however they are wired."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from neurogym.core import TrialEnv

from evoplastic.trials.table import TrialTable
from tasks.neurogym.bank import build_step_bank
from tasks.neurogym.environments import EnvSource
from tasks.suites.leakage import negated, same_question
from tests.tasks.small_envs import Echo


class Renamed(Echo):
    """Another class, another name, the same code, other rewards."""

    def __init__(self, dt: int = 20, wait_ms: int = 100) -> None:
        super().__init__(dt, wait_ms)
        self.rewards = {"abort": 0.0, "correct": 2.0, "fail": -1.0}


class Exchanged(Echo):
    """Say the other one."""

    def _new_trial(self, **kwargs: Any) -> dict[str, Any]:
        trial = super()._new_trial(**kwargs)
        self.set_groundtruth(2 - trial["bit"], "answer")
        return trial


class Permuted(Echo):
    """The lines in another order, one inverted, one stronger."""

    ob: Any

    def _new_trial(self, **kwargs: Any) -> dict[str, Any]:
        trial = super()._new_trial(**kwargs)
        self.ob = self.ob[:, [2, 0, 1]] * np.array([-1, 1, 3], dtype=np.float32)
        return trial


class Sometimes(Echo):
    """Say the first, hold still at the second; with `negated` the other way round."""

    negated = False

    def _new_trial(self, **kwargs: Any) -> dict[str, Any]:
        trial = super()._new_trial(**kwargs)
        self.set_groundtruth((trial["bit"] == self.negated) * (1 + self.num_tr % 2), "answer")
        return trial


class SometimesNot(Sometimes):
    negated = True


class SaysNothingNew(Echo):
    """The answer has nothing to do with what is shown."""

    def _new_trial(self, **kwargs: Any) -> dict[str, Any]:
        trial = super()._new_trial(**kwargs)
        self.set_groundtruth(1 + (self.num_tr // 2) % 2, "answer")
        return trial


class Longer(Echo):
    def __init__(self, dt: int = 20) -> None:
        super().__init__(dt, wait_ms=120)


def bank(task: type[TrialEnv], seed: int = 0) -> TrialTable:
    return build_step_bank(EnvSource(task), 24, seed).table()


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (Echo, Echo, "the same"),
        (Echo, Renamed, "the same"),
        (Echo, Exchanged, "the same with actions exchanged"),
        (Echo, Permuted, "the same with channels exchanged"),
        (Exchanged, Permuted, "the same with actions and channels exchanged"),
        (Sometimes, SometimesNot, "the same with acting and holding exchanged"),
        (Echo, Sometimes, None),
        (Echo, SaysNothingNew, None),
        (Echo, Longer, None),
    ],
)
def test_same_question(first: type[TrialEnv], second: type[TrialEnv], same: str | None) -> None:
    assert same_question(bank(first), bank(second)) == same
    assert same_question(bank(second), bank(first)) == same


def test_negations_show_the_same_and_want_other_answers() -> None:
    assert negated(bank(Echo), bank(Exchanged))
    assert negated(bank(Sometimes), bank(SometimesNot))
    assert not negated(bank(Echo), bank(Renamed)), "the same answers"
    assert not negated(bank(Echo), bank(Permuted)), "other observations"
    assert not negated(bank(Echo), bank(Sometimes))


def test_other_draws_are_another_task() -> None:
    assert same_question(bank(Echo), bank(Echo, 1)) is None


def test_where_nothing_is_asked_rewards_tell() -> None:
    one = bank(Echo)
    plain = replace(
        one,
        target_action_V=np.full_like(one.target_action_V, -1),
        flags_V=np.zeros_like(one.flags_V),
        next_VO=np.maximum(one.next_VO, -1),
    )
    assert same_question(plain, plain) == "the same"
    exchanged = replace(plain, reward_VO=plain.reward_VO[:, [0, 2, 1]])
    assert same_question(plain, exchanged) == "the same with actions exchanged"
    assert same_question(plain, replace(plain, reward_VO=plain.reward_VO + 1)) is None
    assert same_question(plain, one) is None


def machine(order: tuple[int, int] = (0, 1), lines: tuple[int, int] = (0, 1)) -> TrialTable:
    """Two choices one after the other; the second state depends on the first choice."""
    order_O, M = np.array(order), 10
    rng = np.random.default_rng(3)
    observation_VI = np.tile(np.array([[0, 0], [1, 0], [0, 1]], np.float32), (M, 1))[:, list(lines)]
    at_M = 3 * np.arange(M)
    next_VO = np.full((3 * M, 2), -1, dtype=np.int32)
    next_VO[at_M] = np.stack([at_M + 1, at_M + 2], axis=1)
    reward_VO = np.zeros((3 * M, 2), dtype=np.float32)
    for state in (1, 2):
        reward_VO[at_M + state] = rng.integers(2, size=(M, 2))
    return TrialTable(
        task="machine",
        dt_ms=20,
        observation_VI=observation_VI,
        target_action_V=np.full(3 * M, -1, dtype=np.int64),
        flags_V=np.zeros(3 * M, dtype=np.int8),
        reward_VO=reward_VO[:, order_O],
        next_VO=next_VO[:, order_O],
        first_M=at_M,
        kind_M=np.zeros(M, dtype=np.int64),
    )


def test_state_machines_are_walked_together() -> None:
    assert same_question(machine(), machine()) == "the same"
    assert same_question(machine(), machine((1, 0))) == "the same with actions exchanged"
    assert same_question(machine(), machine(lines=(1, 0))) == "the same with channels exchanged"
    both = same_question(machine(), machine((1, 0), (1, 0)))
    assert both == "the same with actions and channels exchanged"
    paid = replace(machine(), reward_VO=1 - machine().reward_VO)
    assert same_question(machine(), paid) is None
    assert same_question(machine(), bank(Echo)) is None
    other_order = machine().reward_VO.reshape(-1, 3, 2)[::-1].reshape(-1, 2)
    assert same_question(machine(), replace(machine(), reward_VO=other_order)) is None
