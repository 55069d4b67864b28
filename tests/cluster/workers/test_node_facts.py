"""What a node says of itself without our package, and what a driver makes of it."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import evoplastic
from cluster.workers.node_facts import (
    by_value,
    code_digest,
    facts,
    first_word,
    our_root,
    remark,
    unfit,
)
from tests.integration.lan import bare_python
from tests.tasks.neurogym.sources.projects import write

ROOT = str(Path(evoplastic.__file__).parents[1])


def test_this_node_is_fit_for_a_driver_on_it(tmp_path: Path) -> None:
    here = facts(str(tmp_path))
    assert here["root"] == ROOT
    assert here["python"] == platform.python_version()
    assert here["versions"]["evoplastic"] == evoplastic.__version__
    assert here["seen"] is True
    assert facts(str(tmp_path / "none"))["seen"] is False
    assert unfit(here, here) == remark(here, here) == ""
    json.dumps(here)  # plain values


LOADED = """
import json, sys
from ray import cloudpickle
word = cloudpickle.loads(sys.stdin.buffer.read())(json.loads(sys.argv[1]))
if not word["unfit"]:
    import analysis, cluster.workers, evoplastic.checks, tasks
print(json.dumps([word, [m for m in sys.modules if m.partition(".")[0] in
    ("evoplastic", "cluster", "tasks", "analysis", "torch")]]))
"""


def first_word_of(
    python: str, folder: Path, **environment: str
) -> tuple[dict[str, Any], list[str]]:
    """The first word of a process in a folder, and what it had to import of ours for it."""
    done = subprocess.run(
        [python, "-c", LOADED, json.dumps(facts())],
        input=by_value(first_word),
        capture_output=True,
        cwd=folder,
        env=environment,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    word, imported = json.loads(done.stdout)
    return word, imported


def test_a_node_without_the_package_says_so(tmp_path: Path) -> None:
    python, environment = bare_python()
    there, imported = first_word_of(python, tmp_path, **environment)
    assert imported == []
    assert (there["root"], there["code"], there["versions"]["evoplastic"]) == (None, None, None)
    assert there["versions"]["torch"] == facts()["versions"]["torch"]
    said = there["unfit"]
    assert said.startswith(f"it has no evoplastic {evoplastic.__version__}; install evoplastic")
    assert f"for {there['executable']}" in said


def test_names_are_ours_after_the_first_word_in_a_folder_of_traps(tmp_path: Path) -> None:
    names = ("evoplastic", "cluster", "tasks", "analysis")
    write(tmp_path, {f"{name}.py": "raise RuntimeError('a trap')" for name in names})
    there, _ = first_word_of(sys.executable, tmp_path, PYTHONPATH=f".:{ROOT}")
    assert there["unfit"] == there["remark"] == ""
    assert there["root"] == ROOT


def changed(**versions: str | None) -> dict[str, Any]:
    here = facts()
    return {**here, "executable": "/n/python", "versions": {**here["versions"], **versions}}


def test_other_versions_are_named_with_what_to_install() -> None:
    here = facts()
    torch = here["versions"]["torch"].partition("+")[0]
    assert unfit(changed(torch="1.0"), here) == (
        f"torch is 1.0 there and {here['versions']['torch']} here; install it there: "
        f"/n/python -m pip install torch=={torch}"
    )
    assert "evoplastic is 0.0.1 there" in unfit(changed(evoplastic="0.0.1"), here)
    assert "it has no torch" in unfit(changed(torch=None), here)
    assert unfit(changed(torch=f"{torch}+cu128"), here) == ""  # built for another device
    assert unfit(changed(numba=None), here) == ""  # other engines need it not
    assert "other code under the same version" in remark({**here, "code": "0"}, here)


@pytest.mark.parametrize("trap", ["evoplastic.py", "evoplastic/__init__.py"])
def test_a_module_of_a_user_is_not_taken_for_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trap: str
) -> None:
    write(tmp_path, {trap: "raise RuntimeError"})
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    assert our_root() == ROOT


def test_a_change_of_code_is_seen(tmp_path: Path) -> None:
    write(tmp_path, {"evoplastic/a.py": "x = 1", "cluster/b.py": "", "other/c.py": ""})
    before = code_digest(str(tmp_path))
    write(tmp_path, {"other/c.py": "y = 1", "evoplastic/notes.txt": "z"})
    assert code_digest(str(tmp_path)) == before
    write(tmp_path, {"evoplastic/a.py": "x = 2"})
    assert code_digest(str(tmp_path)) != before
