"""Errors name what was expected, what came, and the nearest known word."""

from __future__ import annotations

import pytest

from evoplastic.checks import EnvironmentFault, UsageError, nearest, require, require_known


def test_require_raises_its_message_only_when_the_condition_fails() -> None:
    require(True, "never seen")
    with pytest.raises(UsageError, match=r"^popsize is 3$"):
        require(False, "popsize is 3")


def test_usage_errors_are_value_errors_and_faults_are_not() -> None:
    """Callers that know nothing of this project still catch a wrong argument as a ValueError."""
    assert issubclass(UsageError, ValueError)
    assert not issubclass(EnvironmentFault, ValueError)


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("dnsm", "did you mean 'dnms'?"),
        ("antiwatchstim", "did you mean 'antiwatchstim"),
        ("qqq", "known: and, antiwatchstim1, antiwatchstim2, dnms"),
    ],
)
def test_the_nearest_known_word_is_named(word: str, hint: str) -> None:
    known = {"dnms", "antiwatchstim1", "antiwatchstim2", "and"}
    assert nearest(word, known).startswith(hint)


def test_an_unknown_word_is_refused_with_a_hint() -> None:
    require_known("engine", "cpu", ["auto", "cpu"])
    with pytest.raises(UsageError, match=r"unknown engine 'cpuu'; did you mean 'cpu'\?"):
        require_known("engine", "cpuu", iter(["auto", "cpu"]))


def test_what_is_no_text_is_refused_too() -> None:
    """As in a file that says `curriculum: {name: -1}`."""
    for word in (-1, None, [1], {"a": 1}):
        with pytest.raises(UsageError, match=r"engine is .*, expected one of auto, cpu"):
            require_known("engine", word, ["auto", "cpu"])  # type: ignore[arg-type]
