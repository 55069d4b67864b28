"""Tasks of installed packages, each installed for real into a folder of its own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from pathlib import Path

import gymnasium
import neurogym
import pytest

from evoplastic.checks import UsageError
from tasks.neurogym.bank import build_step_bank
from tasks.neurogym.entry_points import GROUP, load_entry_point, task_entry_points
from tasks.neurogym.environments import EnvSource, find_source
from tasks.neurogym.task import SelfPacedTask
from tests.tasks.small_envs import Echo

Installer = Callable[[str, str, str], None]
CODE = """
from tests.tasks.small_envs import Echo

class Maze(Echo):
    pass

def make_maze(dt, wait_ms=100):
    return Maze(dt, wait_ms)

NUMBER = 7
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installer]:
    """Install a distribution of one module: its name, its code, its lines of entry points."""
    monkeypatch.syspath_prepend(str(tmp_path))
    installed = []

    def one(name: str, code: str, lines: str) -> None:
        module = name.replace("-", "_")
        installed.append(module)
        (tmp_path / f"{module}.py").write_text(code)
        info = tmp_path / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[{GROUP}]\n{lines}\n")

    yield one
    for module in installed:
        sys.modules.pop(module, None)


def test_classes_and_functions_are_found(install: Installer) -> None:
    install("maze-pack", CODE, "maze = maze_pack:Maze\nmade = maze_pack:make_maze")
    assert sorted(task_entry_points()) == ["made", "maze"]
    assert "maze_pack" not in sys.modules  # naming imports nothing
    expected = build_step_bank(EnvSource(Echo, {"wait_ms": 200}), 6, 1)
    for name in ("maze", "made"):
        source = find_source(name, {"wait_ms": 200})
        assert source.name == name
        assert build_step_bank(source, 6, 1).digest == expected.digest
    task = SelfPacedTask(name="mine", source="maze")
    assert task.path == "bank"


def test_a_mistyped_entry_point_is_answered_with_the_nearest(install: Installer) -> None:
    install("maze-pack", CODE, "labyrinth = maze_pack:Maze")
    with pytest.raises(UsageError, match="did you mean 'labyrinth'"):
        find_source("labyrint")


@pytest.mark.parametrize(
    ("lines", "name", "message"),
    [
        ("maze = maze_pack:Mace", "maze", "cannot be imported from maze_pack:Mace of maze-pack"),
        ("maze = no_such_module:Maze", "maze", "No module named 'no_such_module'"),
        ("maze = maze_pack:NUMBER", "maze", "is 7, expected a class"),
        ("GoNogo = maze_pack:Maze", "GoNogo", "'GoNogo' .*has the name of a registered task"),
        ("yang19.go-v0 = maze_pack:Maze", "yang19.dms", "has the name of a registered task"),
        ("dms = maze_pack:Maze", "yang19.dms", "'dms' .*has the name of a registered task"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    install: Installer, lines: str, name: str, message: str
) -> None:
    install("maze-pack", CODE, lines)
    with pytest.raises(UsageError, match=message):
        find_source(name)


def test_one_name_of_two_packages_is_refused(install: Installer) -> None:
    install("maze-pack", CODE, "maze = maze_pack:Maze")
    install("other-pack", CODE, "maze = other_pack:Maze")
    with pytest.raises(UsageError, match=r"offered twice.*maze-pack.*other-pack"):
        find_source("maze")


@pytest.mark.parametrize(
    "register",
    [
        "import neurogym\nneurogym.register('GoNogo-v0', entry_point='maze_pack:Maze')",
        "from neurogym.envs.registration import register\n"
        "register('GoNogo-v0', entry_point='maze_pack:Maze')",
        "import gymnasium\ngymnasium.register('GoNogo-v0', entry_point='maze_pack:Maze')",
    ],
)
@pytest.mark.filterwarnings("ignore:.*Overriding environment:UserWarning")
def test_taking_over_an_id_is_refused(install: Installer, tmp_path: Path, register: str) -> None:
    before = gymnasium.envs.registration.registry["GoNogo-v0"]
    plain = neurogym.register
    install("maze-pack", f"{register}\n{CODE}", "maze = maze_pack:Maze")
    with pytest.raises(UsageError, match=r"entry point 'maze' registers maze_pack:Maze.*GoNogo-v0"):
        load_entry_point(entry_points(group=GROUP)["maze"])
    with pytest.raises(UsageError, match=r"maze_pack\.py registers .* belongs to neurogym"):
        find_source(f"{tmp_path / 'maze_pack.py'}:Maze")
    assert gymnasium.envs.registration.registry["GoNogo-v0"] is before
    assert neurogym.register is plain


def test_a_new_id_may_be_registered(install: Installer, tmp_path: Path) -> None:
    code = "import neurogym\nneurogym.register('Maze-v7', entry_point='maze_pack:Maze')"
    install("maze-pack", f"{code}\n{CODE}", "maze = maze_pack:Maze")
    try:
        assert find_source(f"{tmp_path / 'maze_pack.py'}:Maze").name == "Maze"
        assert find_source("Maze-v7").name == "Maze-v7"
    finally:
        gymnasium.envs.registration.registry.pop("Maze-v7", None)
