"""Trial banks: what is refused, what the digest sees, and how banks are laid end to end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from evoplastic.checks import UsageError
from evoplastic.types import Interface, TrialTiming, stack_banks
from tests.evoplastic.engines.cases import TIMING, make_bank


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dt_ms": 0.0}, "dt_ms is 0.0"),
        ({"response": (8, 8)}, r"response window \[8, 8\)"),
        ({"response": (-1, 4)}, r"response window \[-1, 4\)"),
        ({"feedback": (9, 13)}, r"feedback window \[9, 13\).*12 steps"),
        ({"response": (5, 10)}, "feedback starts at step 9, before the response window ends"),
    ],
)
def test_impossible_timings_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        replace(TIMING, **changes)


def test_windows_may_touch_each_other_and_the_trial_end() -> None:
    timing = TrialTiming(dt_ms=20.0, num_steps=4, response=(0, 2), feedback=(2, 4))
    assert timing.response[1] == timing.feedback[0]


@pytest.mark.parametrize(("inputs", "outputs"), [(0, 2), (2, 1)])
def test_an_interface_needs_an_input_and_a_choice(inputs: int, outputs: int) -> None:
    with pytest.raises(UsageError, match="expected at least"):
        Interface(num_inputs=inputs, num_outputs=outputs)


def _with_nan(array: np.ndarray) -> np.ndarray:
    broken = array.copy()
    broken.flat[0] = np.nan
    return broken


BANK = make_bank(0)
MALFORMED: list[tuple[str, dict[str, Any], str]] = [
    ("no_entries", {"stimulus_MTI": BANK.stimulus_MTI[:0]}, "is empty"),
    ("too_few_steps", {"stimulus_MTI": BANK.stimulus_MTI[:, 1:]}, r"expected \(M, T, I\)"),
    ("no_input_axis", {"stimulus_MTI": BANK.stimulus_MTI[:, :, 0]}, r"expected \(M, T, I\)"),
    ("targets_missing", {"target_MO": BANK.target_MO[1:]}, r"target_MO.*expected \(M, O\)"),
    ("reward_flat", {"reward_MO": BANK.reward_MO[:, 0]}, r"reward_MO.*expected \(M, O\)"),
    ("reward_wide", {"reward_MO": np.zeros((5, 3), np.float32)}, "must have one shape"),
    ("kinds_missing", {"kind_M": BANK.kind_M[1:]}, "kind_M"),
    ("kind_negative", {"kind_M": BANK.kind_M - 1}, "kind >= 0"),
    ("stimulus_nan", {"stimulus_MTI": _with_nan(BANK.stimulus_MTI)}, "stimulus_MTI.*not finite"),
    ("target_nan", {"target_MO": _with_nan(BANK.target_MO)}, "target_MO.*not finite"),
    ("reward_nan", {"reward_MO": _with_nan(BANK.reward_MO)}, "reward_MO.*not finite"),
]


@pytest.mark.parametrize(
    ("changes", "message"),
    [(changes, message) for _, changes, message in MALFORMED],
    ids=[name for name, _, _ in MALFORMED],
)
def test_a_malformed_bank_is_refused_by_its_tasks_name(
    changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message) as refusal:
        replace(BANK, **changes)
    assert "'toy'" in str(refusal.value)


def test_interface_of_a_bank() -> None:
    bank = make_bank(0, num_inputs=4, num_outputs=3)
    assert bank.interface == Interface(num_inputs=4, num_outputs=3)


def test_the_digest_sees_the_content_and_not_the_name() -> None:
    assert make_bank(0).digest == replace(make_bank(0), task="other").digest
    one_more = BANK.reward_MO.copy()
    one_more[-1, -1] += 1.0
    changed = [
        make_bank(1),
        replace(BANK, reward_MO=one_more),
        replace(BANK, target_MO=BANK.target_MO[::-1]),
        replace(BANK, kind_M=BANK.kind_M[::-1]),
        replace(BANK, stimulus_MTI=BANK.stimulus_MTI[:, :, ::-1]),
        replace(BANK, timing=replace(TIMING, feedback=(9, 12))),
        replace(BANK, timing=replace(TIMING, dt_ms=10.0)),
    ]
    digests = {bank.digest for bank in [BANK, *changed]}
    assert len(digests) == 1 + len(changed)
    assert all(len(digest) == 16 and int(digest, 16) >= 0 for digest in digests)


def test_the_digest_is_the_same_for_any_memory_layout() -> None:
    scattered = np.asfortranarray(BANK.stimulus_MTI)
    assert not scattered.flags["C_CONTIGUOUS"]
    assert replace(BANK, stimulus_MTI=scattered).digest == BANK.digest


def test_the_digest_is_the_same_for_a_duration_given_as_a_whole_number() -> None:
    whole = replace(BANK, timing=replace(BANK.timing, dt_ms=20))
    assert whole.digest == replace(BANK, timing=replace(BANK.timing, dt_ms=20.0)).digest


def test_banks_are_laid_end_to_end() -> None:
    banks = [make_bank(1, num_entries=3, num_kinds=1), make_bank(2, num_entries=4, num_kinds=4)]
    stacked = stack_banks([*banks, banks[0]])
    assert stacked.start_B.tolist() == [0, 3, 7]
    assert stacked.size_B.tolist() == [3, 4, 3]
    assert stacked.num_kinds == 4
    assert stacked.timing == TIMING
    for index, bank in enumerate([*banks, banks[0]]):
        rows = slice(stacked.start_B[index], stacked.start_B[index] + stacked.size_B[index])
        assert np.array_equal(stacked.stimulus_MTI[rows], bank.stimulus_MTI)
        assert np.array_equal(stacked.target_MO[rows], bank.target_MO)
        assert np.array_equal(stacked.reward_MO[rows], bank.reward_MO)
        assert np.array_equal(stacked.kind_M[rows], bank.kind_M)


def test_banks_that_do_not_fit_together_are_refused_by_name() -> None:
    one = make_bank(0, task="one")
    slower = make_bank(0, task="slower", timing=replace(TIMING, dt_ms=40.0))
    wider = make_bank(0, task="wider", num_inputs=3)
    with pytest.raises(UsageError, match="'one' and 'slower' differ in timing"):
        stack_banks([one, slower])
    with pytest.raises(UsageError, match="'one' and 'wider' differ in interface"):
        stack_banks([one, wider])
    with pytest.raises(UsageError, match="no trial banks"):
        stack_banks([])
