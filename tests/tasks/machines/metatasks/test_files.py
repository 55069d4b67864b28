"""Meta-tasks as files: read, written, those of the published generator, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evoplastic.checks import UsageError
from evoplastic.reading import parse_json, parse_yaml
from tasks.machines.metatasks.catalogue import META_TASKS
from tasks.machines.metatasks.finding import find_meta_task
from tasks.machines.metatasks.reading import from_plain, read_meta_task
from tasks.machines.metatasks.writing import as_text, write_meta_task
from tasks.machines.state_machine import ProbabilityVariable, StateVariable, StimulusVariable
from tests.tasks.machines.metatasks.worlds import random_worlds

# as the generator prints it; 4001 is what it writes for one minus variable 1 every fourth time
PUBLISHED: dict[str, Any] = {
    "T": [
        [[0.0, 0.5, 0.5], [0.0, 0.0, 1.0]],
        [[1.0, 0.0, 0.0], [0.33333333, 0.33333333, 0.33333333]],
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]],
    ],
    "flagconditions": [[100, -1, -1, 1], [2, -1, 0, 0]],
    "rewardconditions": [
        [1, -1, -1, 1000, 1.0, -1],
        [2, -1, 1, 4001, 1.0, 1.0],
        [100, -1, -1, 0.5, 1.0, -1],
    ],
    "stimuli": [-1, 10001, 10000],
    "statevarranges": [[1, 2]],
}


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    random = [task for _, task in random_worlds(10)]
    for number, task in enumerate([*random, *(make() for make in META_TASKS.values())]):
        path = tmp_path / f"{number}.{'json' if number % 2 else 'yaml'}"  # cue-reward as JSON
        write_meta_task(task, path)
        assert read_meta_task(path) == task


def test_a_published_meta_task_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "found.json"
    path.write_text(json.dumps(PUBLISHED))
    task = read_meta_task(path)
    first, second, third = task.rewards
    assert first.probability == ProbabilityVariable(0)
    assert second.probability == ProbabilityVariable(1, complement=True)
    assert (second.flag, second.action, second.old) == (1, 1, 2)
    assert third.old == StateVariable(0)
    assert task.stimuli == (None, StimulusVariable(1), StimulusVariable(0))
    assert task.state_variables[0].states == (1, 2)
    assert (task.name, task.num_steps) == ("found", 10)
    assert find_meta_task(str(path), {"trial_steps": 3}).num_steps == 3
    again = from_plain(parse_yaml(as_text(task), "text"), "text")
    assert again == task


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rewardconditions": [[1, -1, -1, 3000, 1.0]]}, "not enough values to unpack"),
        ({"rewardconditions": [[1, -1, -1, 999, 1.0, -1]]}, r"probability 999, expected 0 to 1"),
        ({"rewardconditions": [[101, -1, -1, 1, 1.0, -1]]}, "state variable 1, but there are 1"),
        ({"rewardconditions": [[3, -1, -1, 1, 1.0, -1]]}, "state 3, but there are 3"),
        ({"stimuli": [-1, 10200, 0]}, "stimulus 10200"),
        ({"more": 1}, "expected those of the published generator"),
    ],
)
def test_numbers_that_the_generator_never_writes_are_refused(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    path = tmp_path / "found.json"
    path.write_text(json.dumps(PUBLISHED | change))
    with pytest.raises(UsageError, match=message):
        read_meta_task(path)


MAZE: dict[str, Any] = {
    "name": "maze",
    "states": ["stem", "left", "right"],
    "actions": ["l", "r"],
    "transitions": [
        {"from": "stem", "action": "l", "to": "left"},
        {"from": "stem", "action": "r", "to": {"right": 0.9, "left": 0.1}},
    ],
    "stimuli": {"stem": 0},
    "variables": {"states": {"goal": ["left", "right"]}},
    "rewards": [{"to": "$goal"}],
    "ends": ["left", "right"],
}
GO_ON = [{"from": "stem", "to": "left"}, {"from": "left", "to": "right"}]
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "row": (
        {"transitions": [{"from": "stem", "to": {"left": 0.5, "right": 0.4}}]},
        r"from state 'stem' by action 'l' add up to 0.9 .*; give the rest to a state",
    ),
    "unreachable": (
        {"transitions": [{"from": "stem", "to": "left"}]},
        r"no way leads from 'stem', where trials begin, to 'right'; leave them out",
    ),
    "state of a rule": ({"rewards": [{"to": "rigth"}]}, r"names state 'rigth', .* mean 'right'"),
    "action of a rule": ({"rewards": [{"action": "x"}]}, r"names action 'x', which is not there"),
    "variable": ({"rewards": [{"to": "$gaol"}]}, r"'\$gaol', which has no range; expected .*goal"),
    "chance": ({"rewards": [{"probability": "$p"}]}, r"'\$p', which has no range; .*none is decl"),
    "range": ({"variables": {"states": {"goal": []}}}, r"variable 'goal' has no range"),
    "bounds": (
        {"variables": {"states": {"goal": ["left"]}, "probabilities": {"p": [0.5, 2]}}},
        r"'p' has the range \[0.5, 2\]",
    ),
    "endless": (
        {"transitions": [*GO_ON, {"from": "right", "to": "left"}], "ends": []},
        r"need not end: it can go left -> right -> left for ever; give trial_steps, or list",
    ),
    "no row": ({"ends": ["left"]}, r"nothing says where action 'l' leads from state 'right'"),
    "pool": (
        {"variables": {"states": {"goal": ["left"]}, "stimuli": {"names": ["a"], "pool": []}}},
        r"1 stimulus variables are drawn from a pool of 0",
    ),
    "key": ({"reward": []}, r"key in here: 'reward'; did you mean 'rewards'"),
    "rule key": ({"rewards": [{"state": "left"}]}, r"unknown key of rewards in here"),
    "flag": ({"rewards": [{"flag": 1}]}, r"flag is something else, expected up or down"),
    "names": ({"states": [1, 2]}, r"expected a list of names without \$, each once"),
    "steps": ({"trial_steps": 0}, r"trial_steps in here is 0, expected at least 1"),
    "alike": ({"actions": ["l", "r", "l"]}, r"actions is \['l', 'r', 'l'\], expected .* each once"),
    "value": ({"rewards": [{"value": "much"}]}, r"rewards holds 'much', expected a number"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_unsound_meta_tasks_are_refused(case: str) -> None:
    change, message = REFUSED[case]
    assert from_plain(MAZE, "here").num_steps == 1
    with pytest.raises(UsageError, match=message):
        from_plain(MAZE | change, "here")


def test_json_of_ours_is_no_published_one() -> None:
    task = META_TASKS["harlow"]()
    assert from_plain(parse_json(as_text(task, json_text=True), "text"), "text") == task


@pytest.mark.parametrize(
    ("word", "settings", "message"),
    [
        ("meta/harlo", {}, "did you mean 'harlow'"),
        ("meta/harlow", {"steps": 3}, "unknown setting of meta/harlow: 'steps'"),
        ("meta/harlow", {"switch": 2}, "expected a probability"),
        ("meta/grid-maze", {"instance_trials": 0}, "is 0, expected at least 1"),
        ("nowhere.yaml", {}, "cannot be read"),
    ],
)
def test_words_that_mean_no_meta_task(word: str, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        find_meta_task(word, settings)
