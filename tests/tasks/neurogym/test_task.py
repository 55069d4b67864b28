"""A task of a suite is known by words, and examined before it is trusted."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from evoplastic.checks import UsageError
from evoplastic.trials.table import TrialTable
from tasks.neurogym.bank import build_step_bank
from tasks.neurogym.environments import EnvSource
from tasks.neurogym.machine_bank import MIN_INSTANCES
from tasks.neurogym.task import SelfPacedTask
from tests.tasks.small_envs import Echo

MINE = "from tests.tasks.small_envs import *\n\nclass Mine(Echo):\n    pass\n"


@pytest.fixture
def mine(tmp_path: Path) -> str:
    path = tmp_path / "mine.py"
    path.write_text(MINE)
    return f"{path}:"


def test_nodes_are_those_of_the_bank_under_the_name_of_the_task(mine: str) -> None:
    task = SelfPacedTask(name="echo", source=f"{mine}Mine", settings={"wait_ms": 200})
    nodes = task.table(5, 12)
    assert nodes.task == "echo"
    expected = build_step_bank(EnvSource(Echo, {"wait_ms": 200}), 12, 5).nodes()
    assert nodes.digest == expected.digest
    assert task.path == "bank"
    assert np.array_equal(task.sample().first_M[:12], expected.first_M)


def test_time_step_and_settings_reach_the_environment(mine: str) -> None:
    task = SelfPacedTask(name="echo", source=f"{mine}Mine", dt_ms=50)
    assert task.table(0, 2).dt_ms == 50
    assert task.table(0, 2).num_steps == 6
    assert (
        SelfPacedTask(name="go", source="yang19.go", settings={"dim_ring": 4})
        .table(0, 1)
        .interface.num_outputs
        == 5
    )


def test_machines_are_lived_as_such() -> None:
    task = SelfPacedTask(name="arms", source="Bandit", settings={"p": [0.9, 0.1]})
    assert task.path == "machine"
    assert task.sample().num_steps == 1
    meta = SelfPacedTask(
        name="meta", source="evoplastic/MetaBandit-v0", settings={"instance_trials": 5}
    )
    for asked, held in ((7, 5 * MIN_INSTANCES), (5 * MIN_INSTANCES + 1, 5 * MIN_INSTANCES + 5)):
        bank = meta.table(1, asked)
        assert (bank.block, len(bank.first_M)) == (5, held)


def test_a_task_travels_as_words(mine: str) -> None:
    task = SelfPacedTask(name="echo", source=f"{mine}Mine", settings={"wait_ms": 200})
    task.sample()
    again = pickle.loads(pickle.dumps(task))
    assert again == task
    assert hash(again) == hash(task)
    assert len(pickle.dumps(task)) < 1000


def test_what_must_be_stepped_has_no_nodes_but_an_environment_and_a_record(mine: str) -> None:
    task = SelfPacedTask(name="stairs", source=f"{mine}Staircase")
    assert task.path == "stepping"
    with pytest.raises(UsageError, match=r"'stairs' .*only be met by stepping .*next trial"):
        task.table(0, 4)
    lived = task.trials(0, 4)
    assert not isinstance(lived, TrialTable)
    assert lived.task == "stairs"
    assert task.sample().interface == lived.interface
    assert task.sample().digest == task.sample().digest
    chance, fixed, oracle = task.levels()
    assert oracle.accuracy == 1.0
    assert oracle.reward > max(fixed.reward, chance.reward)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("yang19.dsm", r"did you mean 'yang19\.dms-v0'"),
        ("SpatialSuppressMotion", "actions"),
        ("no_such_file.py:Task", "no file"),
    ],
)
def test_what_cannot_be_used_is_refused(source: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        SelfPacedTask(name="x", source=source).table(0, 1)


def test_bandits_are_state_machines() -> None:
    task = SelfPacedTask(name="arms", source="Bandit", settings={"p": [0.9, 0.1]})
    assert task.path == "machine"
    nodes = task.table(3, 10)
    assert (nodes.task, nodes.num_steps, len(nodes.first_M)) == ("arms", 1, 10)
    assert nodes.digest == task.table(3, 10).digest
