"""Copies that draw other trials are known by how far one's answers serve the other."""

from __future__ import annotations

import pytest

from evoplastic.trials.table import TrialTable
from tasks.suites.closeness import close_to, closest, transfer
from tests.tasks.small_envs import Echo
from tests.tasks.suites.test_leakage import (
    Exchanged,
    Longer,
    SaysNothingNew,
    Sometimes,
    bank,
    machine,
)


@pytest.fixture(scope="module")
def echo() -> TrialTable:
    return bank(Echo)


@pytest.mark.parametrize("copy", [Echo, Exchanged, Longer])
def test_a_copy_of_other_draws_is_close(echo: TrialTable, copy: type[Echo]) -> None:
    found = close_to(echo, bank(copy, seed=5))
    assert found is not None
    assert (found.agreement, found.gain) == (1.0, 1.0)
    assert found.is_high


def test_another_question_is_not(echo: TrialTable) -> None:
    asked = bank(SaysNothingNew)
    found = close_to(asked, echo)
    assert found is not None
    assert not found.is_high
    assert found.gain < 0.6
    nothing = close_to(bank(Sometimes), asked)  # half of its trials ask to hold still
    assert nothing is not None
    assert not nothing.is_high


def test_the_closest_is_named(echo: TrialTable) -> None:
    others = [bank(SaysNothingNew), bank(Exchanged, seed=5), machine()]
    found = closest(echo, others)
    assert found is not None
    assert found.task == "Exchanged"
    assert closest(echo, [machine()]) is None
    assert closest(echo, [echo]) is None


def test_a_policy_as_it_is_does_not_exchange_answers(echo: TrialTable) -> None:
    assert transfer(echo, bank(Longer, seed=5)) == 1.0
    assert transfer(echo, bank(Exchanged, seed=5)) == 0.0
    assert transfer(echo, machine()) is None
