"""The set-up says what it is at, goes on after an interruption, and works from odd folders."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import set_up

ROOT = Path(__file__).resolve().parents[1]
# What an outer `make test` hands on to a make that it runs.
OF_MAKE = {"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "ARGS", "JOBS", "RECIPE", "WORK"}
PIP = """
import sys, time
print("Collecting numpy==2.0")
print("  Downloading numpy-2.0.whl (16.0 MB)", flush=True)
time.sleep(0.3)
print("Installing collected packages: a, b, c", flush=True)
time.sleep(0.3)
print("ERROR: no matching distribution", flush=True)
sys.exit(int(sys.argv[1]))
"""


@pytest.mark.parametrize("code", [0, 1])
def test_every_step_is_told_and_so_is_silence(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(set_up, "PERIOD_S", 0.05)
    told: list[str] = []
    command = [sys.executable, "-c", PIP, str(code)]
    assert set_up._run(command, tmp_path, told.append, time.monotonic()) == code
    for words in (
        "downloading numpy-2.0.whl (16.0 MB)",
        "installing 3 packages",
        "ERROR: no match",
    ):
        assert any(words in line for line in told), told
    assert any("0 of 3 packages" in line for line in told), "what is said in between"


def test_what_was_left_half_installed_is_found(tmp_path: Path) -> None:
    packages = tmp_path / "lib" / "python3.11" / "site-packages"
    for name in ("whole-1.0.dist-info", "half-1.0.dist-info"):
        (packages / name).mkdir(parents=True)
    (packages / "whole-1.0.dist-info" / "RECORD").touch()
    assert [each.name for each in set_up._half_installed(tmp_path)] == ["half-1.0.dist-info"]
    assert set_up._installed(tmp_path) == 1
    assert not set_up._works(tmp_path / "bin" / "python")


def made(folder: Path, *words: str) -> str:
    """What `make` would run in a copy of the Makefile, set up already."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, folder)
    (folder / ".venv").mkdir(exist_ok=True)
    (folder / ".venv" / ".installed").touch()
    done = subprocess.run(
        ["make", "-n", "--no-print-directory", *words],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if name not in OF_MAKE},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_make_works_in_a_folder_with_spaces(tmp_path: Path) -> None:
    """What cannot be written here goes elsewhere; every line is one that a shell can read."""
    folder = tmp_path / "Läufe, zwei"
    here = made(folder, "evolve", "RECIPE=smoke")
    assert here.split() == [".venv/bin/evoplastic", "evolve", "smoke"]
    for target in ("evolve", "test", "ui"):
        away = made(folder, target, "WORK=/tmp/an other")
        assert '"/tmp/an other"' in away
        subprocess.run(["bash", "-n", "-c", away], check=True)
    program = folder / ".venv" / "bin" / "evoplastic"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\npwd; echo "$@"\n')
    program.chmod(0o755)
    work = tmp_path / "an other"
    line = made(folder, "evolve", f"WORK={work}", "RECIPE=smoke")
    done = subprocess.run(
        ["bash", "-c", line], cwd=folder, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-2:] == [str(work), "evolve smoke"]
