"""The commands of guides are run as they stand, and what came of them is held against them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.docs.guide import Block, Command, commands, files, without_numbers

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 400  # of a loaded machine

Answers = list[tuple[Command, int, str]]


def answers_of(
    guides: Mapping[str, Sequence[Block]], folder: Path, timeout_s: float = TIMEOUT_S
) -> dict[str, Answers]:
    """What the commands of each guide answered, each guide in a folder of its own."""
    places, listed = {guide: folder / guide for guide in guides}, {}
    for guide, place in places.items():
        place.mkdir()
        found = list(guides[guide])
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
        timeout=timeout_s,
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
