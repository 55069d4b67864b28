"""Every name of a task reaches its sinks, each under a word of its own."""

from __future__ import annotations

import re
from typing import get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from mlflow.utils.validation import _validate_metric

from evoplastic.metric_names import ESCAPE, LONGEST_WORD, metric_word
from evoplastic.records.names import Condition, Role, task_metric
from tasks.suites.loading import known_suites, load_suite

NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40) | st.text(
    "ax5b_[./ :", min_size=1, max_size=12
)


def meant(word: str) -> str:
    """The name that a word stands for, written without a look at the code that makes words."""
    return re.sub(r"_x([0-9a-f]+)_", lambda found: chr(int(found[1], 16)), word)


@given(NAMES)
@example("lights[v=2]")
@example("a//b")
@example("../up")
@example(".")
@example("_x5b_[_x5b")
@example("line\n")
@example("\N{GRINNING FACE}")
@example("z\N{COMBINING DIAERESIS}")
def test_mlflow_takes_every_name_and_the_name_can_be_told_from_it(name: str) -> None:
    word = metric_word(name)
    for role in get_args(Role):
        for condition in get_args(Condition):
            _validate_metric(task_metric(role, condition, name, "above_fixed_policy"), 1.0, 0, 0)
    assert meant(word) == name


@pytest.mark.parametrize(
    "name",
    ["dms", "yang19.dms", "my task-2", "evoplastic/TwoStimulus-dms", "Aufgabe ä", "a:b", "_x"],
)
def test_what_mlflow_takes_stays(name: str) -> None:
    assert metric_word(name) == name


def test_tasks_of_our_suites_keep_their_names() -> None:
    for suite in known_suites():
        for task in load_suite(suite).task_names:
            assert metric_word(task) == task


def test_long_names_fit_and_differ() -> None:
    names = [base * 300 + end for base in ("a", "[", "ä/") for end in ("", "b", "c")]
    words = {metric_word(name) for name in names}
    assert len(words) == len(names)
    assert max(map(len, words)) <= LONGEST_WORD
    for name in names:
        _validate_metric(task_metric("held_out", "plasticity_off", name, "accuracy_q25"), 1, 0, 0)
        assert ESCAPE.search(metric_word(name))
