"""What a fresh machine installs is what the tests ran with, and it is whole."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from tests.test_architecture import imports_of

ROOT = Path(__file__).resolve().parents[1]
# NeuroGym fixes Gymnasium's version; builds of PyTorch for GPUs bring their own Triton.
PACKAGE_OF = {
    "yaml": "pyyaml",
    "gymnasium": "neurogym",
    "triton": "torch",
    "sklearn": "scikit-learn",
}
WITHOUT_INSTALLING = ("tests/benchmarks/rivals/",)  # rivals run where they happen to be installed
PACKAGES = ("evoplastic", "tasks", "cluster", "analysis")


@pytest.fixture(scope="module")
def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.fixture(scope="module")
def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {name.lower().replace("_", "-"): version for name, version in pairs}


def test_constraints_name_public_versions_only(pins: dict[str, str]) -> None:
    """No local build, no address: they would tie the set-up to one machine."""
    assert len(pins) > 50
    assert {name: v for name, v in pins.items() if not re.fullmatch(r"[0-9][\w.]*", v)} == {}


def test_every_dependency_is_pinned_within_its_range(
    pyproject: dict[str, Any], pins: dict[str, str]
) -> None:
    project = pyproject["project"]
    extras = project["optional-dependencies"]
    declared = project["dependencies"] + extras["dev"] + extras["docs"] + extras["ray-jobs"]
    for requirement in map(Requirement, declared):
        name = requirement.name.lower()
        if PACKAGE_OF.get(name) == "torch":
            continue
        assert name in pins, f"{name} is not in constraints.txt"
        assert requirement.specifier.contains(pins[name]), f"{requirement} refuses {pins[name]}"


def test_every_import_is_declared(pyproject: dict[str, Any]) -> None:
    """What comes along with another package today may be gone with its next version."""
    project = pyproject["project"]
    extras = project["optional-dependencies"]
    # An extra of users: whoever lacks it is told so where it is needed.
    asked_for = project["dependencies"] + extras["rsa"]
    declared = {Requirement(line).name.lower() for line in asked_for}
    for_tests = {Requirement(line).name.lower() for line in extras["dev"]}
    ours = {*PACKAGES, "docs", "set_up", "tests", *sys.stdlib_module_names}
    undeclared = [
        (found.file, found.package)
        for package in (*PACKAGES, "tests")
        for path in sorted((ROOT / package).rglob("*.py"))
        for found in imports_of(path)
        if found.package not in ours
        and PACKAGE_OF.get(found.package, found.package)
        not in (declared | for_tests if package == "tests" else declared)
    ]
    assert not [one for one in undeclared if not one[0].startswith(WITHOUT_INSTALLING)]


def test_data_files_are_packaged(pyproject: dict[str, Any]) -> None:
    patterns = pyproject["tool"]["setuptools"]["package-data"]
    packaged = {
        path
        for package, globs in patterns.items()
        for pattern in globs
        for path in (ROOT / package).glob(pattern)
    }
    data = {
        path
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and path.suffix not in (".py", ".md") and "__pycache__" not in path.parts
    }
    data |= {ROOT / package / "py.typed" for package in PACKAGES}  # for users' type checkers
    assert data, "no data files found, the test looks elsewhere"
    assert data == packaged


def test_make_help_lists_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony
    listed = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert listed.returncode == 0, listed.stderr
    assert set(re.findall(r"^  make ([a-z-]+)", listed.stdout, re.MULTILINE)) == set(
        phony.group(1).split()
    )


def test_contributing_names_every_target_of_make() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony
    told = (ROOT / "CONTRIBUTING.md").read_text()
    named = set(re.findall(r"[a-z][a-z-]+", " ".join(re.findall(r"make ([a-z -]+)", told))))
    assert set(phony.group(1).split()) - named == set()


def test_versions_agree(pyproject: dict[str, Any]) -> None:
    import evoplastic

    assert pyproject["project"]["version"] == evoplastic.__version__
