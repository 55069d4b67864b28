"""The guide to extensions does what it says: its entries are made in a copy of the project."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.guide import (
    blocks,
    changed,
    changes,
    commands,
    files,
    programs,
    without_numbers,
)

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "extending.md"
PACKAGES = ("evoplastic", "tasks", "cluster", "analysis", "tests")
TIMEOUT_S = 300  # of a loaded machine

# Table-driven tests that have to take a listed entry up by themselves: at least so many of them.
TAKEN_UP = {"forgetful_hebb": 5, "tone": 3, "best_half": 12, "window": 3}
TAKING_UP = (
    "tests/evoplastic/oracles/test_rules.py",
    "tests/evoplastic/rules",
    "tests/evoplastic/modulation",
    "tests/evoplastic/search/test_searches.py",
    "tests/tasks/curricula",
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in which a reader did all that the guide says."""
    copy, found = tmp_path_factory.mktemp("project"), blocks(GUIDE)
    for package in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, copy / package, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", copy)
    for name, text in files(found).items():
        assert not (copy / name).exists(), f"{name} is there already"
        (copy / name).write_text(text, encoding="utf-8")
    for change in changes(found):
        path = copy / change.file
        path.write_text(changed(path.read_text("utf-8"), change.text), encoding="utf-8")
    return copy


def ran(project: Path, *words: str) -> str:
    """What a Python program prints in the copy of the project."""
    environment = {name: value for name, value in os.environ.items() if "MLFLOW" not in name}
    environment |= {"PYTHONPATH": str(project), "COLUMNS": "100", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, *words],
        cwd=project,
        env=environment,
        timeout=TIMEOUT_S,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.exhaustive  # half a minute; the entries are taken up by the tests below, too
def test_commands_with_all_entries_do_what_is_shown(project: Path) -> None:
    listed = commands(blocks(GUIDE))
    assert len(listed) >= 3
    (project / "commands.json").write_text(json.dumps([each.words[1:] for each in listed]))
    ran(project, "-m", "tests.docs.guide", "commands.json", "answers.json")
    answers = json.loads((project / "answers.json").read_text())
    for command, (code, out) in zip(listed, answers, strict=True):
        assert code == command.code, f"{command.words}\n{out}"
        printed = {without_numbers(line) for line in out.splitlines()}
        for line in command.shown:
            assert without_numbers(line) in printed, f"{line}\n{out}"
    settings = (project / "runs" / "smoke-seed1-001" / "config.resolved.yaml").read_text()
    for word in ("forgetful_hebb", "tone", "best_half", "window", "double"):
        assert f": {word}\n" in settings


def test_entries_are_test_cases_once_they_are_listed(project: Path) -> None:
    chosen = " or ".join(TAKEN_UP)
    out = ran(project, "-m", "pytest", "-v", "-p", "no:cacheprovider", "-k", chosen, *TAKING_UP)
    for name, least in TAKEN_UP.items():
        passed = re.findall(rf"^.*{name}.* PASSED", out, re.MULTILINE)
        assert len(passed) >= least, f"{len(passed)} tests of {name}\n{out}"


def test_programs_print_what_is_shown(project: Path) -> None:
    for program, shown in programs(blocks(GUIDE)):
        assert ran(project, "-c", program) == shown


def test_the_guide_counts_the_files_that_it_touches() -> None:
    """Those under each heading, as its table says."""
    text = GUIDE.read_text(encoding="utf-8")
    said = dict(
        re.findall(r"^\| \[[^\]]+\]\(#([\w-]+)\) .*\| (\d|none)[^|]*\|$", text, re.MULTILINE)
    )
    assert len(said) == 7
    for heading, section in re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", text, re.M | re.S):
        where = heading.lower().replace(",", "").replace(" ", "-")
        if where in said:
            touched = set(
                re.findall(rf"^```(?:python|diff) ((?:{'|'.join(PACKAGES)})/\S+)$", section, re.M)
            )
            assert len(touched) == int(said.pop(where).replace("none", "0")), heading
    assert not said
