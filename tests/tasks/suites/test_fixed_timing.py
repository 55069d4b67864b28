from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from evoplastic.trials.table import TrialTable
from evoplastic.types import Int64Array
from tasks.suites.leakage import same_question
from tasks.suites.loading import load_suite
from tasks.suites.single_mapping import agreement, best_single_mapping
from tasks.two_stimulus.task import NAMES, TwoStimulusTask, truth_table
from tests.evoplastic.engines.cases import changed

EXCHANGED = "the same with the responses exchanged"


def bank_of(name: str) -> TrialTable:
    return TwoStimulusTask(name).trials()


@pytest.mark.parametrize(("one", "other"), list(product(NAMES, NAMES)))
def test_same_question_finds_exactly_the_equal_and_the_negated(one: str, other: str) -> None:
    ours, theirs = np.array(truth_table(one)), np.array(truth_table(other))
    expected = None
    if (ours == theirs).all():
        expected = "the same"
    elif (ours == 1 - theirs).all():
        expected = EXCHANGED
    assert same_question(bank_of(one), bank_of(other)) == expected


def test_order_and_repetition_of_trials_do_not_matter(shuffled_entries: Int64Array) -> None:
    bank, order = bank_of("dms"), shuffled_entries
    shuffled = changed(
        bank,
        stimulus_MTI=bank.fixed.stimulus_MTI[order],
        target_action_M=bank.fixed.target_action_M[order],
        reward_MO=bank.fixed.reward_MO[order],
        kind_M=bank.kind_M[order],
    )
    assert same_question(bank, shuffled) == "the same"
    assert same_question(bank_of("dnms"), shuffled) == EXCHANGED


def test_reward_and_kind_do_not_matter() -> None:
    bank = bank_of("dms")
    paid_more = changed(
        bank, reward_MO=2 * bank.fixed.reward_MO, kind_M=np.zeros(4, dtype=np.int64)
    )
    assert same_question(bank, paid_more) == "the same"


def with_actions(*actions: int) -> TrialTable:
    """Three responses, of which each trial asks for one."""
    reward_MO = np.eye(3, dtype=np.float32)[list(actions)]
    return changed(bank_of("dms"), target_action_M=np.array(actions), reward_MO=reward_MO)


def test_any_exchange_of_three_responses_is_found() -> None:
    one = with_actions(0, 1, 2, 0)
    turned = with_actions(1, 2, 0, 1)
    merged = with_actions(0, 1, 1, 0)
    assert same_question(one, turned) == EXCHANGED
    assert same_question(one, merged) is None


def test_another_number_of_responses_or_another_stimulus_is_another_question() -> None:
    bank = bank_of("dms")
    assert same_question(bank, with_actions(0, 1, 1, 0)) is None
    assert same_question(bank, changed(bank, stimulus_MTI=2 * bank.fixed.stimulus_MTI)) is None


@pytest.mark.parametrize(("one", "other"), list(product(NAMES, NAMES)))
def test_agreement_is_the_share_of_equal_answers(one: str, other: str) -> None:
    expected = np.mean(np.array(truth_table(one)) == np.array(truth_table(other)))
    assert agreement(bank_of(one), bank_of(other)) == expected


def test_agreement_counts_unknown_stimuli_as_wrong() -> None:
    bank = bank_of("dms")
    half_shown = changed(
        bank,
        stimulus_MTI=bank.fixed.stimulus_MTI[:2],
        target_action_M=bank.fixed.target_action_M[:2],
        reward_MO=bank.fixed.reward_MO[:2],
        kind_M=bank.kind_M[:2],
    )
    assert agreement(half_shown, bank) == 0.5
    assert agreement(bank, half_shown) == 1.0


@pytest.mark.parametrize(
    "names", [("dms",), ("dms", "dnms"), ("and", "or", "nor"), ("and", "nand", "10", "01"), NAMES]
)
def test_best_single_mapping_beats_or_equals_all_16_mappings(names: tuple[str, ...]) -> None:
    tables = np.array([truth_table(name) for name in names])
    scores = [np.mean(tables == mapping) for mapping in product((0, 1), repeat=4)]
    assert best_single_mapping([bank_of(name) for name in names]) == pytest.approx(max(scores))


def test_a_suite_names_its_negations_within_a_role() -> None:
    found = load_suite("miconi2023").negations
    assert ("dms", "dnms") in found
    assert all(
        (np.array(truth_table(one)) == 1 - np.array(truth_table(other))).all()
        for one, other in found
    )
    assert len(found) == 7
