"""Tutorials and how-to pages do what they say, as they stand."""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from tests.docs.guide import LEFT_OUT, blocks, commands, programs, without_numbers
from tests.docs.running import Answers, answers_of, assert_as_shown

ROOT = Path(__file__).parents[2]
GUIDES = [
    guide
    for folder in ("tutorials", "howto")
    for guide in sorted((ROOT / "docs" / folder).glob("*.md"))
    if commands(blocks(guide))
]
INSIDE = ROOT / "docs" / "tutorials" / "inside_a_lifetime.md"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Answers]:
    """What all guides' commands answered, run in one process that imports everything once."""
    found = {guide.stem: blocks(guide) for guide in GUIDES}
    return answers_of(found, tmp_path_factory.mktemp("guides"))


def test_guides_are_found() -> None:
    assert len(GUIDES) >= 5


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.stem)
def test_commands_of_a_guide_do_what_is_shown(guide: Path, told: dict[str, Answers]) -> None:
    assert_as_shown(told[guide.stem])


def test_a_session_in_python_prints_what_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "genomes").symlink_to(ROOT / "genomes")
    monkeypatch.chdir(tmp_path)
    session: dict[str, Any] = {}  # what one program names, the next one uses
    listed = programs(blocks(INSIDE))
    assert len(listed) >= 4
    for program, shown in listed:
        out = io.StringIO()
        with redirect_stdout(out):
            exec(compile(program, str(INSIDE), "exec"), session)
        printed = {without_numbers(line) for line in out.getvalue().splitlines()}
        for line in shown.splitlines():
            assert line == LEFT_OUT or without_numbers(line) in printed, f"{line}\n{out.getvalue()}"
