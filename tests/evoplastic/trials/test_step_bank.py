"""Banks of free-running trials: what is refused, what the digest sees, which answer is asked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from evoplastic.checks import UsageError
from evoplastic.trials.step_bank import StepBank
from evoplastic.types import Interface


def make_bank() -> StepBank:
    """Two trials of 3 and 2 steps: wait, wait, then give the answer 1 or 0; answering ends."""
    ends_MTO = np.zeros((2, 3, 2), dtype=bool)
    ends_MTO[:, 1, 1] = ends_MTO[0, 2] = ends_MTO[1, 1:] = True
    reward_MTO = np.zeros((2, 3, 2), dtype=np.float32)
    reward_MTO[0, 2, 1] = 1.0
    observation_MTI = np.ones((2, 3, 4), dtype=np.float32)
    observation_MTI[1, 2] = 0.0
    return StepBank(
        task="small",
        dt_ms=20.0,
        observation_MTI=observation_MTI,
        ground_truth_MT=np.array([[0, 0, 1], [0, 0, -1]]),
        num_steps_M=np.array([3, 2]),
        reward_MTO=reward_MTO,
        ends_MTO=ends_MTO,
        period_names=("wait", "answer"),
        period_MQ2=np.array([[[0, 2], [2, 3]], [[0, 1], [-1, -1]]]),
        kind_M=np.array([1, 0]),
    )


BANK = make_bank()


def _with(array: np.ndarray, place: tuple[int, ...], value: float) -> np.ndarray:
    changed = array.copy()
    changed[place] = value
    return changed


MALFORMED: dict[str, tuple[dict[str, Any], str]] = {
    "no_time": ({"dt_ms": 0.0}, "dt_ms is 0.0"),
    "no_trials": ({"observation_MTI": BANK.observation_MTI[:0]}, r"expected \(M, T, I\)"),
    "no_input_axis": ({"observation_MTI": BANK.observation_MTI[..., 0]}, r"expected \(M, T, I\)"),
    "reward_short": ({"reward_MTO": BANK.reward_MTO[:, 1:]}, r"reward_MTO.*expected \(2, 3, 2\)"),
    "ends_narrow": ({"ends_MTO": BANK.ends_MTO[..., :1]}, r"ends_MTO.*expected \(2, 3, 2\)"),
    "periods_unnamed": ({"period_names": ("wait",)}, r"period_MQ2.*expected \(2, 1, 2\)"),
    "period_outside": ({"period_MQ2": BANK.period_MQ2 + 1}, "leaves the trial"),
    "kind_negative": ({"kind_M": BANK.kind_M - 1}, "must not be negative"),
    "too_long": ({"num_steps_M": np.array([3, 3])}, "num_steps_M must be the first step"),
    "never_over": ({"ends_MTO": _with(BANK.ends_MTO, (0, 2, 0), 0)}, "num_steps_M must be"),
    "unknown_action": (
        {"ground_truth_MT": _with(BANK.ground_truth_MT, (0, 2), 2)},
        "spans -1 to 2, expected actions 0 to 1",
    ),
    "shown_after": (
        {"observation_MTI": _with(BANK.observation_MTI, (1, 2, 0), 1)},
        "content after the end",
    ),
    "paid_after": ({"reward_MTO": _with(BANK.reward_MTO, (1, 2, 0), 1)}, "content after the end"),
    "asked_after": (
        {"ground_truth_MT": _with(BANK.ground_truth_MT, (1, 2), 0)},
        "content after the end",
    ),
    "shown_nan": (
        {"observation_MTI": _with(BANK.observation_MTI, (0, 0, 0), np.nan)},
        "observation_MTI.*not finite",
    ),
    "paid_nan": (
        {"reward_MTO": _with(BANK.reward_MTO, (0, 0, 0), np.inf)},
        "reward_MTO.*not finite",
    ),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_contradicting_arrays_are_refused(case: str) -> None:
    changes, message = MALFORMED[case]
    with pytest.raises(UsageError, match=message):
        replace(BANK, **changes)


def test_interface_is_read_from_the_arrays() -> None:
    assert BANK.interface == Interface(num_inputs=4, num_outputs=2)


def test_the_answer_is_what_ends_a_trial_that_follows_the_ground_truth() -> None:
    assert BANK.answer_M.tolist() == [1, 0]
    unasked = replace(BANK, ground_truth_MT=np.full((2, 3), -1))
    assert unasked.answer_M.tolist() == [-1, -1]


CONTENT: dict[str, dict[str, Any]] = {
    "dt_ms": {"dt_ms": 40.0},
    "observation": {"observation_MTI": 2 * BANK.observation_MTI},
    "ground_truth": {
        "ground_truth_MT": np.where(BANK.ground_truth_MT == 1, 0, BANK.ground_truth_MT)
    },
    "reward": {"reward_MTO": 2 * BANK.reward_MTO},
    "ends": {"ends_MTO": _with(BANK.ends_MTO, (0, 0, 0), 1)},
    "periods": {"period_names": ("wait", "respond")},
    "kind": {"kind_M": BANK.kind_M[::-1]},
}


@pytest.mark.parametrize("case", CONTENT)
def test_the_digest_sees_content(case: str) -> None:
    assert replace(BANK, **CONTENT[case]).digest != BANK.digest


def test_the_digest_does_not_see_the_name() -> None:
    assert replace(BANK, task="renamed").digest == make_bank().digest
