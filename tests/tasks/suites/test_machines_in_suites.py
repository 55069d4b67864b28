"""State machines are tasks of suites like any other: a file's, an entry point's, a known id."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from evoplastic.checks import UsageError
from evoplastic.trials.stacked import stack_tables
from evoplastic.trials.world import tables_of
from tasks.machines.states import machine_nodes
from tasks.neurogym.entry_points import load_entry_point
from tasks.neurogym.environments import find_source
from tasks.neurogym.examination import report
from tasks.suites.catalogue import show_source
from tasks.suites.levels import levels_of
from tasks.suites.loading import load_suite
from tests.tasks.machines.machines import HARLOW, T_MAZE

FILE = """
from tests.tasks.machines.machines import HARLOW, T_MAZE
from tests.tasks.small_envs import Echo
"""
SUITE = """
name: mazes
pacing: self_paced
train: ["my_machines.py:T_MAZE", Bandit, "my_machines.py:Echo"]
held_out: [{task: "my_machines.py:HARLOW", name: objects}]
permute: both
"""


@pytest.fixture
def suite_file(tmp_path: Path) -> Path:
    (tmp_path / "my_machines.py").write_text(FILE)
    path = tmp_path / "mazes.yaml"
    path.write_text(SUITE)
    return path


def test_a_suite_lists_machines_beside_environments(suite_file: Path) -> None:
    suite = load_suite(suite_file)
    assert [task.name for task in suite.tasks] == ["T_MAZE", "Bandit", "Echo", "objects"]
    assert [task.path for task in suite.tasks] == ["machine", "machine", "bank", "machine"]
    tables = tables_of(suite.trials(7, 20))
    assert len(tables) == 4
    assert tables[0].digest == machine_nodes(T_MAZE, 20, 7).digest
    assert tables[3].digest == machine_nodes(HARLOW, 20, 7).digest
    assert tables[3].task == "objects"
    assert stack_tables(list(tables.values())).num_inputs_B.tolist() == [2, 1, 3, 8]
    chance, oracle = levels_of(suite, "T_MAZE").chance, levels_of(suite, "T_MAZE").reward_oracle
    assert chance == pytest.approx(0.5)
    assert oracle == pytest.approx(1.0)


def test_a_machine_under_another_name_leaks(suite_file: Path) -> None:
    suite_file.write_text(SUITE.replace("my_machines.py:HARLOW", "my_machines.py:T_MAZE"))
    with pytest.raises(UsageError, match=r"held-out task 'objects' asks the same as .*'T_MAZE'"):
        _ = load_suite(suite_file).digest


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("name: objects", "set: {arms: 3}", "takes no settings"),
        ("permute: both", "dt_ms: 50", "time step of 20 ms, asked for is one of 50 ms"),
        ("py:HARLOW", "py:HARLOV", "did you mean 'HARLOW'"),
    ],
)
def test_what_a_machine_does_not_take_is_refused(
    suite_file: Path, old: str, new: str, message: str
) -> None:
    assert old in SUITE
    suite_file.write_text(SUITE.replace(old, new))
    with pytest.raises(UsageError, match=message):
        _ = load_suite(suite_file).interface


def test_a_machine_can_be_an_entry_point() -> None:
    point = EntryPoint("maze", "tests.tasks.machines.machines:T_MAZE", "evoplastic.tasks")
    assert load_entry_point(point) is T_MAZE


def test_a_machine_is_examined_like_any_task(suite_file: Path) -> None:
    source = find_source(f"{suite_file.parent / 'my_machines.py'}:T_MAZE")
    found = report(source)
    assert (found["path"], found["equals_environment"]) == ("machine", None)
    assert found["oracle"]["accuracy"] == 1.0
    shown = show_source(source)
    assert (shown["task"], shown["inputs"], shown["settings"]) == ("t-maze", ["0", "1"], {})
    assert shown["description"] == "A state machine of 4 states."
