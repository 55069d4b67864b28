"""Pointing or holding still: what a trial asks, shows and pays."""

from __future__ import annotations

import numpy as np
import pytest

from evoplastic.checks import UsageError
from evoplastic.trials.step_bank import StepBank
from evoplastic.trials.table import TrialTable
from tasks.neurogym.bank import build_step_bank
from tasks.neurogym.environments import EnvSource
from tasks.neurogym.go_or_hold import GO_OR_HOLD, HOLD
from tasks.suites.loading import load_suite

TRIALS = 400


def bank_of(**settings: object) -> StepBank:
    return build_step_bank(EnvSource(GO_OR_HOLD, {"dim_ring": 2, **settings}, 50), TRIALS, 1)


@pytest.mark.parametrize("go_modality", [1, 2])
def test_the_modality_says_whether_to_point(go_modality: int) -> None:
    bank = bank_of(go_modality=go_modality)
    shown_MI = bank.observation_MTI.max(1)
    of_modality_M2 = np.stack([shown_MI[:, 1:3].max(1), shown_MI[:, 3:5].max(1)], 1) > 0.5
    assert (of_modality_M2.sum(1) == 1).all()
    pointing_M = of_modality_M2[:, go_modality - 1]
    assert np.array_equal(bank.ground_truth_MT.max(1) != HOLD, pointing_M)
    assert 0.4 < pointing_M.mean() < 0.6
    seen_M = shown_MI[:, 1:].argmax(1) % 2  # of two directions
    assert np.array_equal(bank.ground_truth_MT.max(1)[pointing_M], 1 + seen_M[pointing_M])


def test_a_delay_lies_between_stimulus_and_decision() -> None:
    steps, delayed = bank_of().num_steps_M[0], bank_of(delay_ms=500).num_steps_M[0]
    assert (steps, delayed) == (30, 40)
    last = bank_of(delay_ms=500).observation_MTI[0]
    assert (last[20:30, 1:] == 0).all()
    assert (last[20:30, 0] == 1).all()
    assert (last[30:] == 0).all()


def test_a_right_choice_pays_and_a_hasty_one_costs() -> None:
    bank = bank_of()
    m = int(np.flatnonzero(bank.ground_truth_MT.max(1))[0])
    right = int(bank.ground_truth_MT[m].max())
    assert bank.reward_MTO[m, 25, right] == 1
    assert bank.ends_MTO[m, 25, right]
    assert bank.reward_MTO[m, 25, 3 - right] == 0
    assert bank.ends_MTO[m, 25, 3 - right]
    assert not bank.ends_MTO[m, 25, HOLD]
    assert np.isclose(bank.reward_MTO[m, 3, right], -0.1)
    assert not bank.ends_MTO[m, 3, right]


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"go_modality": 3}, "go_modality is 3"),
        ({"dim_ring": 1}, "dim_ring is 1"),
        ({"delay_ms": -1}, "delay_ms is -1"),
        ({"delay_ms": "abc"}, "delay_ms is 'abc'"),
        ({"dim_ring": 2.5}, "dim_ring is 2.5"),
        ({"go_modality": True}, "go_modality is True"),
        ({"rewards": {"abrt": -1}}, "reward of GoOrHold 'abrt'; did you mean 'abort'"),
        ({"timing": {"fixaton": 3}}, "period of GoOrHold 'fixaton'"),
    ],
)
def test_what_cannot_be_shown_is_refused(settings: dict[str, object], complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        bank_of(**settings)


def test_training_tasks_of_yang19_hold_ask_to_hold_still_and_those_of_yang19_small_do_not() -> None:
    def asks_to_hold(suite_name: str) -> set[str]:
        suite = load_suite(suite_name, "intended")
        banks = suite.trials(1, 40)
        asked = {}
        for task, bank in zip(suite.train, banks, strict=False):
            assert isinstance(bank, TrialTable)
            first_M, target_V = np.asarray(bank.first_M), np.asarray(bank.target_action_V)
            asked[task.name] = np.maximum.reduceat(target_V, first_M[:-1]).min() == HOLD
        return {name for name, holds in asked.items() if holds}

    assert asks_to_hold("yang19-small") == set()
    assert asks_to_hold("yang19-hold") == {"hold1", "hold2", "dlyhold1", "dlyhold2"}
