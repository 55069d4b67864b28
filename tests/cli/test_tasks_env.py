"""tasks check TASK and tasks preview, for registered tasks and for a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Command

MINE = (
    "from tests.tasks.small_envs import Echo, RaisesInMidTrial\n\nclass MyTask(Echo):\n    pass\n"
)


def test_check_reports_levels_and_path(command: Command) -> None:
    found = command("tasks", "check", "GoNogo", "--json").json
    assert found["task"] == "GoNogo-v0"
    assert found["path"] == "bank"
    assert found["evolvable"] is False
    assert found["interface"] == {"num_inputs": 3, "num_outputs": 2}
    assert found["trial_steps"] == {"min": 75, "median": 75.0, "max": 75}
    assert found["oracle"]["accuracy"] == 1.0
    assert found["deterministic"]
    assert found["varies_with_seed"]
    assert found["periods_without_steps"] == ["fixation"]
    assert found["trials_per_s"] > 0


def test_check_speaks_to_people(command: Command, tmp_path: Path) -> None:
    (tmp_path / "my_task.py").write_text(MINE)
    answer = command("tasks", "check", "my_task.py:MyTask", "--set", "wait_ms=200")
    assert answer.code == 0
    for word in ("3 inputs, 3 actions", "20 to 20 steps of 20 ms", "bit for bit", "ground truth"):
        assert word in answer.out
    assert "evolution on free-running tasks is not there yet" in answer.out


def test_check_says_what_must_be_stepped(command: Command) -> None:
    answer = command("tasks", "check", "Reaching1D")
    assert answer.code == 0
    assert "observation depends on action" in answer.out
    assert command("tasks", "check", "Reaching1D", "--json").json["path"] == "stepping"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("check", "yang19.dsm"), "did you mean 'yang19.dms-v0'?"),
        (("check", "SpatialSuppressMotion"), "(actions): its action space is Box"),
        (("check", "my_task.py:RaisesInMidTrial"), "the lever broke"),
        (("check", "my_task.py:MyTask", "--set", "wait_ms"), "expected KEY=VALUE"),
        (("check", "my_task.py:MyTask", "--set", "wait_ms=[1"), "cannot be read"),
        (("check", "my_task.py:MyTask", "--set", "no_such=1"), "no_such"),
        (("preview", "my_task.py:MyTask", "--out", "a.nothing"), "ending"),
        (("preview", "Bandit", "--out", "a.png"), "reward is random"),
    ],
)
def test_what_cannot_be_used_is_refused(
    command: Command, tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    (tmp_path / "my_task.py").write_text(MINE)
    answer = command("tasks", *words)
    assert answer.code == 2
    assert message in answer.err


def test_preview_writes_a_picture(command: Command, tmp_path: Path) -> None:
    answer = command("tasks", "preview", "yang19.go", "--out", "pictures/go.png", "--trials", "2")
    assert answer.code == 0
    assert (tmp_path / "pictures" / "go.png").read_bytes().startswith(b"\x89PNG")
    assert "not there yet" in answer.out
