"""Which tasks of a run are each other's negation, from its records."""

from __future__ import annotations

from dataclasses import replace

from tasks.suites.negations import negations_of
from tests.analysis.runs import start


def test_what_the_journal_says_counts() -> None:
    told = replace(start(), negations=(("a", "b"),))
    assert negations_of(told, {"suite": "miconi2023"}) == (("a", "b"),)
    assert negations_of(replace(start(), negations=()), {"suite": "miconi2023"}) == ()


def test_of_earlier_runs_our_finite_suites_are_known() -> None:
    assert ("dms", "dnms") in negations_of(start(), {"suite": "miconi2023"})
    for unknown in ("yang19", "my_suite.yaml", "", None):
        assert negations_of(start(), {"suite": unknown}) == ()
