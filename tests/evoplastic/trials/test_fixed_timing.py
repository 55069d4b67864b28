"""Trials of fixed timing as a table: what is refused, what the digest sees, how they stack."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from evoplastic.checks import UsageError
from evoplastic.trials.stacked import stack_tables
from evoplastic.trials.table import TrialTable
from evoplastic.trials.timing import ANSWER, FEEDBACK, OUTCOME, OVER_RIGHT, OVER_WRONG
from evoplastic.types import NO_TARGET, Interface, content_digest
from tests.evoplastic.engines.cases import TIMING, changed, make_bank
from tests.evoplastic.engines.self_paced_cases import make_node_bank


def _with_nan(array: np.ndarray) -> np.ndarray:
    broken = array.copy()
    broken.flat[0] = np.nan
    return broken


TABLE = make_bank(0)
FIXED = TABLE.fixed
MALFORMED: list[tuple[str, dict[str, Any], str]] = [
    ("no_trials", {"stimulus_MTI": FIXED.stimulus_MTI[:0]}, "is empty"),
    ("too_few_steps", {"stimulus_MTI": FIXED.stimulus_MTI[:, 1:]}, r"expected \(M, T, I\)"),
    ("no_input_axis", {"stimulus_MTI": FIXED.stimulus_MTI[:, :, 0]}, r"expected \(M, T, I\)"),
    ("targets_missing", {"target_action_M": FIXED.target_action_M[1:]}, "one action >= 0 for each"),
    ("target_negative", {"target_action_M": FIXED.target_action_M - 1}, "one action >= 0 for each"),
    ("target_beyond", {"target_action_M": FIXED.target_action_M + 1}, "target_action_V.*0 to 1|-1"),
    ("reward_flat", {"reward_MO": FIXED.reward_MO[:, 0]}, r"reward_MO.*expected \(M, O\)"),
    ("kinds_missing", {"kind_M": TABLE.kind_M[1:]}, "kind_M"),
    ("kind_negative", {"kind_M": TABLE.kind_M - 1}, "kind_M"),
    ("stimulus_nan", {"stimulus_MTI": _with_nan(FIXED.stimulus_MTI)}, "observation_VI.*not finite"),
    ("reward_nan", {"reward_MO": _with_nan(FIXED.reward_MO)}, "reward_VO.*not finite"),
]


@pytest.mark.parametrize(
    ("fields", "message"),
    [(fields, message) for _, fields, message in MALFORMED],
    ids=[name for name, _, _ in MALFORMED],
)
def test_malformed_trials_are_refused_by_their_tasks_name(
    fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message) as refusal:
        changed(TABLE, **fields)
    assert "'toy'" in str(refusal.value)


def test_states_are_laid_out_trial_by_trial_and_paid_at_the_outcome() -> None:
    assert TABLE.timing == TIMING
    assert (TABLE.num_steps, TABLE.in_order) == (12, False)
    assert TABLE.first_M.tolist() == [0, 12, 24, 36, 48]
    flags_T = [0] * 5 + [ANSWER] * 3 + [0] + [OUTCOME | FEEDBACK, FEEDBACK] + [0]
    assert TABLE.flags_V.tolist() == flags_T * 5
    for trial, action in enumerate(FIXED.target_action_M):
        states = slice(12 * trial, 12 * (trial + 1))
        assert np.array_equal(TABLE.observation_VI[states], FIXED.stimulus_MTI[trial])
        asked_T = np.full(12, NO_TARGET)
        asked_T[5:] = action
        assert np.array_equal(TABLE.target_action_V[states], asked_T)
        assert np.array_equal(TABLE.reward_VO[states][9], FIXED.reward_MO[trial])
        assert not np.delete(TABLE.reward_VO[states], 9, axis=0).any()
        onward_T = np.arange(12 * trial + 1, 12 * (trial + 1))
        assert (TABLE.next_VO[states][:-1] == onward_T[:, None]).all()
        last_O = [OVER_RIGHT if o == action else OVER_WRONG for o in range(2)]
        assert TABLE.next_VO[states][-1].tolist() == last_O


def _set(name: str, state: int, value: Any) -> dict[str, Any]:
    array = getattr(TABLE, name).copy()
    array[state] = value
    return {name: array}


UNFIXED: list[tuple[str, dict[str, Any], str]] = [
    ("outcome_moves", _set("flags_V", 9, FEEDBACK), "the same in each"),
    ("gap_in_the_window", _set("flags_V", 6, 0), "the same in each|one answer window"),
    ("paid_early", _set("reward_VO", 3, 1.0), "paid at the outcome alone"),
    ("two_targets", _set("target_action_V", 6, 1 - FIXED.target_action_M[0]), "ask for one action"),
    ("ends_early", _set("next_VO", 4, OVER_WRONG), "every action leads to the next step"),
    ("starts_late", _set("first_M", 1, 13), "laid out one after the other"),
    ("always_right", _set("next_VO", 11, OVER_RIGHT), "well for the target action"),
]


@pytest.mark.parametrize(
    ("fields", "message"), [each[1:] for each in UNFIXED], ids=[each[0] for each in UNFIXED]
)
def test_states_that_know_their_outcome_must_have_fixed_timing(
    fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=f"task 'toy'.*({message})"):
        replace(TABLE, **fields)


def test_feedback_without_an_outcome_is_refused() -> None:
    flags_V = TABLE.flags_V & ~np.int8(OUTCOME)
    with pytest.raises(UsageError, match="none of them is flagged as the outcome"):
        replace(TABLE, flags_V=flags_V)


def test_self_paced_trials_have_no_timing() -> None:
    table = make_node_bank(1)
    assert table.timing is None
    assert table.in_order


def test_interface_of_a_table() -> None:
    table = make_bank(0, num_inputs=4, num_outputs=3)
    assert table.interface == Interface(num_inputs=4, num_outputs=3)


def test_the_digest_is_that_of_earlier_versions() -> None:
    """Suite digests of runs are compared on resume: the content they were taken over stays."""
    target_MO = np.eye(2, dtype=np.float32)[FIXED.target_action_M]
    expected = content_digest(
        "TrialTiming(dt_ms=20.0, num_steps=12, response=(5, 8), feedback=(9, 11))",
        FIXED.stimulus_MTI,
        target_MO,
        FIXED.reward_MO,
        TABLE.kind_M,
    )
    assert TABLE.digest == expected


def test_the_digest_sees_the_content_and_not_the_name() -> None:
    assert make_bank(0).digest == changed(TABLE, task="other").digest
    one_more = FIXED.reward_MO.copy()
    one_more[-1, -1] += 1.0
    others = [
        make_bank(1),
        changed(TABLE, reward_MO=one_more),
        changed(TABLE, target_action_M=1 - FIXED.target_action_M),
        changed(TABLE, kind_M=TABLE.kind_M[::-1]),
        changed(TABLE, stimulus_MTI=FIXED.stimulus_MTI[:, :, ::-1]),
        changed(TABLE, timing=replace(TIMING, feedback=(9, 12))),
        changed(TABLE, timing=replace(TIMING, dt_ms=10.0)),
    ]
    digests = {table.digest for table in [TABLE, *others]}
    assert len(digests) == 1 + len(others)
    assert all(len(digest) == 16 and int(digest, 16) >= 0 for digest in digests)


def test_the_digest_is_the_same_for_any_memory_layout() -> None:
    scattered = np.asfortranarray(FIXED.stimulus_MTI)
    assert not scattered.flags["C_CONTIGUOUS"]
    assert changed(TABLE, stimulus_MTI=scattered).digest == TABLE.digest


def test_the_digest_is_the_same_for_a_duration_given_as_a_whole_number() -> None:
    whole = changed(TABLE, timing=replace(TIMING, dt_ms=20))
    assert whole.digest == TABLE.digest


def test_tables_are_laid_end_to_end() -> None:
    tables = [make_bank(1, num_entries=3, num_kinds=1), make_bank(2, num_entries=4, num_kinds=4)]
    stacked = stack_tables([*tables, tables[0]])
    assert stacked.start_B.tolist() == [0, 3, 7]
    assert stacked.size_B.tolist() == [3, 4, 3]
    assert stacked.num_kinds == 4
    assert stacked.timing == TIMING
    assert stacked.has_answers_B.all()
    for index, table in enumerate([*tables, tables[0]]):
        rows = slice(stacked.start_B[index], stacked.start_B[index] + stacked.size_B[index])
        assert np.array_equal(stacked.kind_M[rows], table.kind_M)
        for name in ("stimulus_MTI", "target_action_M", "target_MO", "reward_MO"):
            whole, part = getattr(stacked.fixed, name), getattr(table.fixed, name)
            assert np.array_equal(whole[rows], part), name


def test_tables_that_do_not_fit_together_are_refused_by_name() -> None:
    one = make_bank(0, task="one")
    slower = make_bank(0, task="slower", timing=replace(TIMING, dt_ms=40.0))
    wider = make_bank(0, task="wider", num_inputs=3)
    with pytest.raises(UsageError, match="'one' and 'slower' differ in timing"):
        stack_tables([one, slower])
    with pytest.raises(UsageError, match="'one' and 'wider' differ in interface"):
        stack_tables([one, wider])
    with pytest.raises(UsageError, match=r"'one' and 'graph' differ in timing.*self-paced"):
        stack_tables([one, make_node_bank(1)])
    with pytest.raises(UsageError, match="no trial tables"):
        stack_tables([])


def test_views_share_the_memory_of_the_table() -> None:
    tables: list[TrialTable] = [TABLE, make_bank(3)]
    for table in tables:
        assert np.shares_memory(table.fixed.stimulus_MTI, table.observation_VI)
        assert np.shares_memory(table.fixed.reward_MO, table.reward_VO)
