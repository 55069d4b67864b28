"""A user waits for the compiler once, is told so, and never loses a run to a missing cache."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

MODULE = """
from evoplastic.engines.cpu.simd.compile import announce_compilation, cache_folder, compiled_once

@compiled_once
def double(x):
    return 2 * x

for _ in range(2):
    announce_compilation(double, "the doubler", 7)
    print(double(21))
print(cache_folder())
print(sum(double.stats.cache_hits.values()), sum(double.stats.cache_misses.values()))
"""


def _run(script: Path, caches: Path) -> tuple[list[str], str]:
    environment = {
        **{k: v for k, v in os.environ.items() if k != "NUMBA_CACHE_DIR"},
        "XDG_CACHE_HOME": str(caches),
        "PYTHONPATH": os.pathsep.join(sys.path),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        [sys.executable, str(script)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout.split("\n"), done.stderr


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "code" / "doubler.py"
    path.parent.mkdir()
    path.write_text(MODULE)
    return path


def test_second_process_finds_the_machine_code_and_says_nothing(
    script: Path, tmp_path: Path
) -> None:
    first, told = _run(script, tmp_path / "caches")
    assert first[:2] == ["42", "42"]
    assert told == "compiling the doubler, once, about 7 s\n"
    assert Path(first[2]).is_relative_to(tmp_path / "caches" / "evoplastic")
    assert first[3] == "0 1"
    second, told = _run(script, tmp_path / "caches")
    assert second == [*first[:3], "1 0", ""]
    assert told == ""


def test_a_cache_folder_that_cannot_be_made_costs_time_only(script: Path, tmp_path: Path) -> None:
    blocker = tmp_path / "caches"
    blocker.write_text("a file where a folder should be")
    lines, _ = _run(script, blocker)
    assert lines[:2] == ["42", "42"]
