"""The programs of docs/python.md run as they stand, from a clone, and print what is shown."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import pytest

from tests.docs.guide import LEFT_OUT, blocks, programs, without_numbers

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "python.md"


def test_programs_print_what_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "genomes").symlink_to(ROOT / "genomes")
    monkeypatch.chdir(tmp_path)
    found = programs(blocks(GUIDE))
    assert len(found) >= 5
    for program, shown in found:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(program, str(GUIDE), "exec"), {})
        told = [without_numbers(line) for line in out.getvalue().splitlines()]
        for line in shown.splitlines():
            assert line == LEFT_OUT or without_numbers(line) in told, (
                f"{line}\nnot in\n{out.getvalue()}"
            )


def test_the_notebook_has_three_lines() -> None:
    program, _ = programs(blocks(GUIDE))[0]
    assert len([line for line in program.splitlines() if line]) == 3
