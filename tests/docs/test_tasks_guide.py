"""The guide to tasks of one's own does what it says, as it stands."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.docs.guide import Command, blocks, commands, files, programs, without_numbers

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "tasks.md"
MAX_LINES = 25
TIMEOUT_S = 300  # of a loaded machine


class Told(NamedTuple):
    """The folder of a reader who did all that the guide says, and what the commands answered."""

    folder: Path
    answers: list[tuple[Command, int, str]]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """All files and all commands, in their order, in one process."""
    folder = tmp_path_factory.mktemp("guide")
    found = blocks(GUIDE)
    for name, text in files(found).items():
        (folder / name).write_text(text, encoding="utf-8")
    listed = commands(found)
    assert all(command.words[0] == "evoplastic" for command in listed)
    (folder / "commands.json").write_text(json.dumps([each.words[1:] for each in listed]))
    environment = {name: value for name, value in os.environ.items() if "MLFLOW" not in name}
    environment |= {"PYTHONPATH": str(ROOT), "COLUMNS": "100", "OMP_NUM_THREADS": "1"}
    program = [sys.executable, "-m", "tests.docs.guide", "commands.json", "answers.json"]
    subprocess.run(program, cwd=folder, env=environment, check=True, timeout=TIMEOUT_S)
    answers = json.loads((folder / "answers.json").read_text())
    assert len(answers) == len(listed) >= 8
    return Told(folder, [(each, *answer) for each, answer in zip(listed, answers, strict=True)])


def test_a_task_takes_no_more_lines_than_promised() -> None:
    assert len(files(blocks(GUIDE))["my_task.py"].splitlines()) <= MAX_LINES


def test_commands_leave_as_shown(told: Told) -> None:
    for command, code, out in told.answers:
        assert code == command.code, f"{' '.join(command.words)}\n{out}"


def test_commands_print_what_is_shown(told: Told) -> None:
    for command, _, out in told.answers:
        printed = {without_numbers(line) for line in out.splitlines()}
        for line in command.shown:
            assert without_numbers(line) in printed, f"{' '.join(command.words)}\n{line}\n{out}"


def test_the_task_is_recorded_as_held_out(told: Told) -> None:
    journal = (told.folder / "runs" / "my_run-seed0-001" / "journal.ndjson").read_text()
    events = [json.loads(line) for line in journal.splitlines()]
    entries = [e["entries"] for e in events if e["event"] == "evaluation"]
    assert len(entries) == 2
    for session in entries:
        held_out = {entry["task"] for entry in session if entry["role"] == "held_out"}
        assert held_out == {"MyTask"}


def test_pictures_are_drawn_and_shown(told: Told) -> None:
    drawn, shown = told.folder / "my_task.png", ROOT / "docs" / "figures" / "my_task.png"
    assert drawn.read_bytes().startswith(b"\x89PNG")
    assert shown.is_file()
    assert f"](figures/{shown.name})" in GUIDE.read_text(encoding="utf-8")


def test_programs_print_what_is_shown() -> None:
    listed = programs(blocks(GUIDE))
    assert listed
    for program, shown in listed:
        out = io.StringIO()
        with redirect_stdout(out):
            exec(compile(program, str(GUIDE), "exec"), {})
        assert out.getvalue() == shown
