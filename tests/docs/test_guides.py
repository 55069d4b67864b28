"""Tutorials and how-to pages do what they say, as they stand."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from tests.docs.guide import LEFT_OUT, Command, blocks, commands, files, programs, without_numbers

ROOT = Path(__file__).parents[2]
CLUSTER = ROOT / "docs" / "howto" / "cluster.md"
GUIDES = [
    guide
    for folder in ("tutorials", "howto")
    for guide in sorted((ROOT / "docs" / folder).glob("*.md"))
    if guide != CLUSTER and commands(blocks(guide))
]
INSIDE = ROOT / "docs" / "tutorials" / "inside_a_lifetime.md"
TIMEOUT_S = 400  # of a loaded machine

Answers = list[tuple[Command, int, str]]


def answers_of(guides: list[Path], folder: Path) -> dict[Path, Answers]:
    """What the commands of each guide answered, each guide in a folder of its own."""
    places, listed = {guide: folder / guide.stem for guide in guides}, {}
    for guide, place in places.items():
        place.mkdir()
        found = blocks(guide)
        listed[guide] = commands(found)
        assert all(command.words[0] == "evoplastic" for command in listed[guide])
        for name, text in files(found).items():
            (place / name).write_text(text, encoding="utf-8")
        words = [each.words[1:] for each in listed[guide]]
        (place / "commands.json").write_text(json.dumps(words))
    environment = {name: value for name, value in os.environ.items() if "MLFLOW" not in name}
    environment |= {"PYTHONPATH": str(ROOT), "COLUMNS": "100", "OMP_NUM_THREADS": "1"}
    program = [sys.executable, "-m", "tests.docs.guide", "commands.json", "answers.json"]
    subprocess.run(
        [*program, *map(str, places.values())],
        cwd=folder,
        env=environment,
        check=True,
        timeout=TIMEOUT_S,
    )
    return {
        guide: [
            (command, code, out)
            for command, (code, out) in zip(
                listed[guide], json.loads((place / "answers.json").read_text()), strict=True
            )
        ]
        for guide, place in places.items()
    }


def assert_as_shown(answers: Answers) -> None:
    """Every exit code, and every line that the guide shows."""
    assert answers
    for command, code, out in answers:
        assert code == command.code, f"{' '.join(command.words)}\n{out}"
        printed = {without_numbers(line) for line in out.splitlines()}
        for line in command.shown:
            assert without_numbers(line) in printed, f"{' '.join(command.words)}\n{line}\n{out}"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Answers]:
    """What all guides' commands answered, run in one process that imports everything once."""
    return answers_of(GUIDES, tmp_path_factory.mktemp("guides"))


def test_guides_are_found() -> None:
    assert len(GUIDES) >= 5


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.stem)
def test_commands_of_a_guide_do_what_is_shown(guide: Path, told: dict[Path, Answers]) -> None:
    assert_as_shown(told[guide])


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


@pytest.mark.cluster
def test_commands_of_the_cluster_guide_do_what_is_shown(tmp_path: Path) -> None:
    assert_as_shown(answers_of([CLUSTER], tmp_path)[CLUSTER])
