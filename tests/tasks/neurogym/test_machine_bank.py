"""Which environments are taken for machines, what is said of them, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from neurogym.envs.native.bandit import Bandit

from evoplastic.checks import UsageError
from tasks.baselines.levels import best_constant, oracle
from tasks.neurogym.environments import EnvSource
from tasks.neurogym.examination import report
from tasks.neurogym.machine_bank import ZERO_CUE, machine_bank
from tasks.neurogym.meta_bandit import META_BANDIT
from tasks.neurogym.refusals import Unbankable
from tests.tasks.small_envs import Echo


class Generous(Bandit):
    """Whoever derives from a machine may change its rules."""

    def _step(self, action: int) -> Any:
        shown, _, *rest = super()._step(action)
        return (shown, 1.0, *rest)


@pytest.mark.parametrize("task", [Echo, Generous, "GoNogo-v0"])
def test_only_known_classes_are_machines(task: Any) -> None:
    assert machine_bank(EnvSource(task), 4, 1) is None


def test_levels_of_arms_with_odds() -> None:
    bank = machine_bank(EnvSource("Bandit-v0", {"p": (0.1, 0.9)}), 4000, 1)
    assert bank is not None
    assert oracle(bank) == best_constant(bank)[1]  # one arm is better for ever
    assert oracle(bank).reward == pytest.approx(0.9, abs=0.02)
    fair = machine_bank(EnvSource("Bandit-v0"), 10, 1)
    assert fair is not None
    assert not fair.has_answers


def test_arms_that_change_must_be_learnt() -> None:
    bank = machine_bank(EnvSource(META_BANDIT, {"instance_trials": 20}), 8000, 1)
    assert bank is not None
    assert bank.block == 20
    asked = bank.target_action_V.reshape(-1, 20)
    assert (asked == asked[:, :1]).all()
    assert oracle(bank).reward == pytest.approx(2 / 3, abs=0.05)  # the larger of two uniform odds
    assert best_constant(bank)[1].reward == pytest.approx(1 / 2, abs=0.05)


def test_the_one_difference_is_reported_by_name() -> None:
    found = report(EnvSource("DawTwoStep-v0"), 400)
    assert found["path"] == "machine"
    assert found["equals_environment"]["but_for"] == [ZERO_CUE]
    assert found["best_fixed"]["accuracy"] < found["oracle"]["accuracy"] == 1.0
    assert report(EnvSource("Bandit-v0"))["equals_environment"]["but_for"] == []


@pytest.mark.parametrize(
    ("task", "settings", "message"),
    [
        ("Bandit-v0", {"n": 3}, r"reset\(\) raised IndexError"),
        ("Bandit-v0", {"p": [0.5] * 3}, r"p has shape \(3,\), expected one for each of 2 arms"),
        ("Bandit-v0", {"rewards": [1.0] * 3}, r"rewards has shape \(3,\)"),
        ("Bandit-v0", {"p": (0.5, float("nan"))}, "not finite.*p is"),
        (META_BANDIT, {"low": 0.9, "high": 0.1}, "expected 0 <= low <= high <= 1"),
        (META_BANDIT, {"instance_trials": 0}, "instance_trials is 0"),
        (META_BANDIT, {"n": 3, "opposed": True}, "opposed arms are two"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(
    task: str, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        machine_bank(EnvSource(task, settings), 4, 1)


def test_odds_beyond_certainty_pay_always_or_never() -> None:
    bank = machine_bank(EnvSource("Bandit-v0", {"p": (1.5, -0.5)}), 50, 1)
    assert bank is not None
    assert np.array_equal(bank.reward_VO, np.tile([1.0, 0.0], (50, 1)).astype(np.float32))


def test_refusals_of_machines_are_those_of_banks() -> None:
    with pytest.raises(Unbankable) as caught:
        machine_bank(EnvSource("Bandit-v0", {"p": [0.5] * 3}), 4, 1)
    assert caught.value.refusal.reason == "cannot be made"
    assert not caught.value.refusal.can_be_stepped
