"""Every command of the table of questions answers, and every question of a reader has one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.browser import CHROMIUM
from tests.docs.guide import Block, blocks
from tests.docs.running import answers_of, assert_as_shown

GUIDE = Path(__file__).parents[2] / "docs" / "analysis.md"
ROW = re.compile(r"^\| (.+?) \| `(evoplastic .+?)` \|", re.MULTILINE)
SERVER = "evoplastic ui"  # goes on until it is stopped; tests/cluster/tracking/page opens it
PATIENCE_S = 900  # eight runs and twenty-five commands, on a loaded machine
QUESTIONS = (
    "run is best",
    "which genome came from which",
    "genome of generation",
    "two settings differ",
    "which trials fail",
    "plasticity and modulation do in a life",
    "what does a lesion do",
    "ability appear",
    "table for a paper",
    "one file to send",
)


def rows() -> dict[str, str]:
    """Command by question."""
    return dict(ROW.findall(GUIDE.read_text(encoding="utf-8")))


def test_the_questions_of_a_reader_are_there() -> None:
    asked = " ".join(rows()).lower()
    assert not [question for question in QUESTIONS if question not in asked]
    assert "A notebook in three lines" in GUIDE.read_text(encoding="utf-8")


@pytest.mark.exhaustive
def test_every_command_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = [line for line in rows().values() if line != SERVER]
    if CHROMIUM is None:
        commands = [line for line in commands if "--pdf" not in line]
    table = [Block("console", "", f"$ {line}\n") for line in commands]
    answers = answers_of({"analysis": [*blocks(GUIDE), *table]}, tmp_path, PATIENCE_S)["analysis"]
    assert_as_shown(answers)
    folder = tmp_path / "analysis"
    for command, _, out in answers[-len(commands) :]:
        assert out.strip(), command.words
        for option, value in zip(command.words, command.words[1:], strict=False):
            if option in ("--out", "--latex"):
                assert (folder / value).stat().st_size > 0, command.words
    monkeypatch.chdir(folder)
    for program in (block.text for block in blocks(GUIDE) if block.language == "python"):
        exec(compile(program, str(GUIDE), "exec"), {})
