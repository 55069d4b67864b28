from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from evoplastic.checks import UsageError
from tasks.describe import check_task, describe_task, list_tasks
from tasks.two_stimulus import NAMES


def test_list_has_each_task_once_in_order_with_its_roles() -> None:
    rows = {row["name"]: row for row in list_tasks()}
    assert tuple(rows) == NAMES
    assert rows["dms"]["suites"] == {"miconi2023": "held_out", "miconi2023-and": "train"}
    assert rows["nor"]["answers"] == {"intended": "1000", "published": "1101"}
    assert all(row["description"].startswith("Answer ") for row in rows.values())


@pytest.mark.parametrize("name", NAMES)
def test_description_is_json_and_holds_the_table(name: str) -> None:
    described = json.loads(json.dumps(describe_task(name)))
    row = next(row for row in list_tasks() if row["name"] == name)
    assert (
        "".join(str(entry["action"]) for entry in described["truth_table"])
        == (row["answers"]["intended"])
    )
    assert described["timing"]["trial_ms"] == 1000


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
