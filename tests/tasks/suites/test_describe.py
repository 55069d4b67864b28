from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from evoplastic.checks import UsageError
from tasks.suites.describe import check_task, describe_task
from tasks.two_stimulus.task import NAMES, TwoStimulusTask


@pytest.mark.parametrize("name", NAMES)
def test_description_is_json_and_holds_the_table(name: str) -> None:
    described = json.loads(json.dumps(describe_task(name)))
    answers = tuple(entry["action"] for entry in described["truth_table"])
    assert answers == TwoStimulusTask(name).actions
    assert described["description"].startswith("Answer ")
    assert described["timing"]["trial_ms"] == 1000


def test_a_description_knows_roles_and_tables() -> None:
    roles = {"miconi2023": "held_out", "miconi2023-and": "train"}
    assert describe_task("dms")["suites"] == roles
    actions = [entry["action"] for entry in describe_task("nor", "published")["truth_table"]]
    assert actions == [1, 1, 0, 1]


def test_levels_of_a_description_are_those_of_its_suites() -> None:
    assert describe_task("dms")["fixed_policy_level"] == {"miconi2023": 0.75, "miconi2023-and": 0.5}
    published = describe_task("and", "published")["fixed_policy_level"]
    assert published == pytest.approx({"miconi2023": 26 / 48, "miconi2023-and": 0.75})


@pytest.mark.parametrize(
    ("name", "table", "constant"), [("dms", "intended", 0.5), ("nor", "published", 0.75)]
)
def test_check_plays_the_environment(name: str, table: str, constant: float) -> None:
    checked = json.loads(json.dumps(check_task(name, table)))
    assert checked["bank_equals_environment"]
    assert checked["deterministic"]
    assert checked["oracle"] == 1.0
    assert checked["constant"] == constant
    assert checked["trial_ms"] == 1000
    assert checked["interface"] == {"num_inputs": 2, "num_outputs": 2}
    assert checked["environment"] == f"evoplastic/TwoStimulus-{name}-v0"


@pytest.mark.parametrize("ask", [describe_task, check_task])
def test_unknown_task_is_answered_with_the_nearest(ask: Callable[[Any], object]) -> None:
    with pytest.raises(UsageError, match="did you mean 'dms'"):
        ask("dsm")
