"""A table says what a rule is; contradictions are refused, and its schedule follows from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from evoplastic.checks import UsageError
from evoplastic.rules.catalogue import RULES
from evoplastic.rules.config import RuleConfig
from evoplastic.rules.table import Credit, Rule, RuleConstants, Term
from tests.evoplastic.rules.toys import DEFAULTS, TOYS

NOISY = (Credit(post="noise", pre="rate"),)


def rule(*change: Term, **options: Any) -> Rule:
    options = {"source": "none", "defaults": DEFAULTS, **options}
    return Rule(name="toy", title="toy", change=change, **options)


REFUSED: list[tuple[Callable[[], Any], str]] = [
    (rule, "changes nothing"),
    (lambda: rule(Term(trace=True)), "reads an eligibility trace that nothing"),
    (lambda: rule(Term(), credits=NOISY), "credits an eligibility trace that no term reads"),
    (lambda: rule(Term(), modulator="outcome"), "known once per trial; set when to 'outcome'"),
    (lambda: rule(Term(), modulator="netwrok"), "did you mean 'network'"),
    (lambda: rule(Term(), when="sometimes"), "unknown time of change"),
    (lambda: Term(post="rates"), "unknown factor of a term 'rates'; did you mean 'rate'"),  # type: ignore[arg-type]
    (lambda: Credit(pre="noisy"), "unknown factor of a credit"),  # type: ignore[arg-type]
    (lambda: Term(sign=2), "sign of a term is 2"),  # type: ignore[arg-type]
    (lambda: Term(coefficients="eta"), "expected a list of names"),  # type: ignore[arg-type]
    (lambda: Term(coefficients=()), "expected a list of names"),
    (lambda: Term(coefficients=("eta", "eta")), "one name twice"),
    (lambda: rule(Term(), coefficients={"A": 1.0}), "unknown coefficient of rule 'toy' 'A'"),
    (
        lambda: rule(Term(modulated=False), modulator="network"),
        "modulated by 'network', but no term of it is",
    ),
]


@pytest.mark.parametrize(("build", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_contradictions_are_refused(build: Callable[[], Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        build()


SCHEDULES = {
    "node_perturbation": "at_outcome",
    "node_perturbation_network": "lazy",
    "more than one scaled trace": "lazy",
    "outcome with the other sign": "at_outcome",
}


@pytest.mark.parametrize("name", [*RULES, *TOYS])
def test_the_schedule_follows_from_the_table(name: str) -> None:
    table = RULES.get(name) or TOYS[name]
    assert table.schedule == SCHEDULES.get(name, "every_step")


def test_the_gain_of_a_trace_is_the_sum_over_its_terms() -> None:
    constants = RuleConstants(eta=0.5, first_trial=0, quiet_trials=0)
    assert RULES["node_perturbation"].trace_gain(constants) == -0.5
    assert TOYS["more than one scaled trace"].trace_gain(constants) == 0.5


@pytest.mark.parametrize("name", RULES)
def test_numbers_not_chosen_are_the_rules_own(name: str) -> None:
    own = RULES[name].defaults
    assert RuleConfig(name=name).constants == own
    chosen = RuleConfig(name=name, eta=0.7, first_trial=0)
    assert (chosen.constants.eta, chosen.constants.first_trial) == (0.7, 0)
    assert chosen.constants.max_change == own.max_change
    assert chosen.resolved.constants == chosen.constants
    unset = {name for name, value in vars(chosen.resolved).items() if value is None}
    assert unset == {"definition"}


@pytest.mark.parametrize("name", RULES)
def test_every_entry_says_where_it_comes_from(name: str) -> None:
    assert RULES[name].name == name
    assert RULES[name].source
    assert RULES[name].equations
