"""Named meta-tasks obey what can be said of them in closed form, and are tasks like any other."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from evoplastic.user_code.code_files import standing_in
from tasks.baselines.levels import best_fixed, chance, level_of, oracle
from tasks.machines.draws import draw
from tasks.machines.metatasks.catalogue import META_TASKS
from tasks.machines.metatasks.finding import find_meta_task
from tasks.machines.metatasks.writing import as_text
from tasks.machines.states import machine_nodes, realise
from tasks.neurogym.environments import find_source
from tasks.neurogym.examination import build_table, report
from tasks.neurogym.sources.user_file import task_files
from tasks.neurogym.task import SelfPacedTask
from tasks.suites.catalogue import all_tasks, line_names, show_source
from tasks.suites.loading import load_suite


@pytest.mark.parametrize("name", META_TASKS)
def test_each_has_a_source_and_something_to_find_out(name: str) -> None:
    task = META_TASKS[name]()
    assert task.name == name
    assert task.about
    assert any(digit in task.source for digit in "12")  # a year
    bank = machine_nodes(task.machine(), 150, 1)
    assert oracle(bank).reward > max(chance(bank).reward, best_fixed(bank)[1].reward) + 0.05


def test_regret_of_fixed_policies_on_bandits() -> None:
    """Odds uniform in [0, 1]: E max(p, q) = 2/3 drawn apart, E max(p, 1 - p) = 3/4; fixed 1/2."""
    for name, best in (("independent-bandit", 2 / 3), ("dependent-bandit", 3 / 4)):
        machine = find_meta_task(f"meta/{name}", {"instance_trials": 1}).machine()
        bank = machine_nodes(machine, 20_000, 3)
        assert oracle(bank).reward == pytest.approx(best, abs=0.015)
        for action in (0, 1):
            policy = np.eye(2)[np.full(len(bank.flags_V), action)]
            assert level_of(bank, policy).reward == pytest.approx(1 / 2, abs=0.015)


def test_two_step_transitions_are_common_in_nine_of_ten_trials() -> None:
    task = META_TASKS["two-step"]()
    bank = machine_nodes(task.machine(), 20_000, 2)
    for action, room in ((0, 1), (1, 2)):
        reached = bank.observation_VI[bank.next_VO[bank.first_M, action]].argmax(axis=1)
        share = Counter(reached.tolist())[room] / len(reached)
        assert share == pytest.approx(0.9, abs=4 * (0.09 / 20_000) ** 0.5)
    assert oracle(bank).reward == pytest.approx(0.9 * 0.9 + 0.1 * 0.1, abs=0.012)
    assert chance(bank).reward == pytest.approx(0.5, abs=0.012)


def test_reversals_come_at_their_rate() -> None:
    draws = draw(META_TASKS["reversal-bandit"]().machine(), 20_000, 4)
    better_BK = draws.state_MX.reshape(-1, 50)
    assert (np.diff(better_BK) != 0).mean() == pytest.approx(0.05, abs=0.007)


def test_cues_of_an_instance_stay_and_the_target_is_in_half_of_the_pairs() -> None:
    task = META_TASKS["cue-reward"]()
    machine = task.machine()
    draws = draw(machine, 3000, 1)
    bank = realise(machine, draws)
    patterns = np.array(task.code)[draws.stimulus_MX[:, 0]]
    assert len(np.unique(patterns[::15], axis=0)) > 30
    right = present = 0
    for trial in range(600):
        node, shown = int(bank.first_M[trial]), []
        while node >= 0:
            shown.append(bank.observation_VI[node])
            asked = int(bank.target_action_V[node])
            node = int(bank.next_VO[node, max(asked, 0)])
        assert shown[-1][-1] == 1.0  # the go signal
        assert 6 <= len(shown) <= 8
        seen = any(np.array_equal(each, patterns[trial]) for each in shown)
        present += seen
        right += asked == int(seen)
    assert right == 600
    assert present / 600 == pytest.approx(0.5, abs=0.09)


def test_walls_are_seen_and_stop_whoever_walks_into_them() -> None:
    task = META_TASKS["grid-maze"]()
    code, cells = np.array(task.code), task.states[1:]
    assert len(cells) == 5 * 5 - 4
    for state, name in enumerate(cells, start=1):
        view = code[task.stimuli[state]].reshape(3, 3)  # type: ignore[index]
        assert view[1, 1] == 0.0
        for action, (down, right) in enumerate(((-1, 0), (0, 1), (1, 0), (0, -1))):
            new = task.transitions[state][action].index(1.0)
            there = f"r{int(name[1]) + down}c{int(name[3]) + right}"
            wall = view[1 + down, 1 + right]
            assert task.states[new] == (name if wall else there)
            assert wall == (there not in cells)


FILE = """
name: doors
about: Two doors.
states: [hall, red, blue]
actions: [left, right]
transitions: [{from: hall, action: left, to: red}, {from: hall, action: right, to: blue}]
stimuli: {hall: 0}
variables: {states: {goal: [red, blue]}}
rewards: [{to: $goal}]
ends: [red, blue]
instance_trials: 5
"""
SUITE = """
name: worlds
pacing: self_paced
train: [meta/harlow, {task: doors.yaml, set: {instance_trials: 8}}]
held_out: [meta/t-maze]
"""


def test_a_suite_lists_meta_tasks_by_name_and_by_file(tmp_path: Path) -> None:
    (tmp_path / "doors.yaml").write_text(FILE)
    (tmp_path / "worlds.yaml").write_text(SUITE)
    suite = load_suite(tmp_path / "worlds.yaml")
    assert [task.name for task in suite.tasks] == ["harlow", "doors", "t-maze"]
    doors = suite.task("doors")
    assert isinstance(doors, SelfPacedTask)
    assert (doors.path, doors.table(0, 4).block) == ("machine", 8)
    assert suite.interface.num_inputs == 8


def test_what_was_kept_of_a_file_stands_in_for_it(tmp_path: Path) -> None:
    path = tmp_path / "doors.yaml"
    path.write_text(FILE)
    before, kept = build_table(find_source(str(path)), 4, 0), task_files(str(path))
    path.unlink()
    with standing_in(kept):
        assert build_table(find_source(str(path)), 4, 0).digest == before.digest


def test_lists_and_descriptions_have_them(tmp_path: Path) -> None:
    listed = {entry.task: entry for entry in all_tasks()}
    assert listed["meta/harlow"].origin == "meta-task"
    source = find_source("meta/t-maze")
    shown = show_source(source)
    assert "{from: stem, to: junction}" in shown["documentation"]
    assert line_names(source) == (["0", "1"], ["left", "right"])
    assert report(source)["best_adaptive"] == {
        "reward": 0.95,
        "how": "exact",
        "standard_error": 0.0,
    }
    path = tmp_path / "mine.yaml"
    path.write_text(as_text(META_TASKS["t-maze"]()))
    assert build_table(find_source(str(path)), 4, 0).digest == build_table(source, 4, 0).digest
