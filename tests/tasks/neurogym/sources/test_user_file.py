"""A task file with a project around it: every kind of import, ours and theirs side by side."""

from __future__ import annotations

import pickle
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from evoplastic import trust
from evoplastic.checks import UsageError
from evoplastic.user_code import code_files
from evoplastic.user_code.code_files import CodeFile
from tasks.neurogym.bank import build_step_bank
from tasks.neurogym.environments import find_source
from tasks.neurogym.sources.user_file import load_task, task_files
from tasks.neurogym.stepped_task import stepped_task
from tests.tasks.neurogym.sources.projects import PROJECTS, task, write


@pytest.fixture(autouse=True)
def _no_stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code_files, "_stand_ins", {})


@pytest.mark.parametrize("kind", PROJECTS)
@pytest.mark.parametrize("inside", [True, False], ids=["in its folder", "from elsewhere"])
def test_what_a_task_imports_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, inside: bool
) -> None:
    file, files = PROJECTS[kind]
    write(tmp_path / "own", files)
    monkeypatch.chdir(tmp_path / "own" if inside else tmp_path)
    before, path = {name: id(module) for name, module in sys.modules.items()}, list(sys.path)
    word = file if inside else str(tmp_path / "own" / file)
    bank = build_step_bank(find_source(f"{word}:MyTask"), 4, 1)
    assert bank.observation_MTI.max() == 5
    assert bank.answer_M.min() >= 1
    new = {name for name, module in sys.modules.items() if before.get(name) != id(module)}
    assert sys.path == path
    assert not {
        name
        for name in new
        if "/own/" in str(getattr(sys.modules[name], "__file__", ""))
        and not name.startswith("_evoplastic_task_")
    }
    assert not {"tasks", "analysis", "cluster", "evoplastic"} & new


def test_a_factory_is_a_task_like_a_class(tmp_path: Path) -> None:
    text = task("w = 5") + (
        "\nfrom functools import partial\n"
        "import neurogym\n"
        "def make(dt=20):\n    return MyTask(dt=dt)\n"
        "SHORT = partial(make)\n"
        "def registered(dt=20):\n    return neurogym.make('GoNogo-v0', dt=dt)\n"
        "def nothing():\n    return None\n"
        "def machine():\n    return [1]\n"
    )
    write(tmp_path, {"mine.py": text})
    own = build_step_bank(find_source(f"{tmp_path}/mine.py:MyTask"), 4, 1)
    for name in ("make", "SHORT"):
        source = find_source(f"{tmp_path}/mine.py:{name}")
        assert source.name == name
        assert build_step_bank(source, 4, 1).digest == own.digest
    theirs = build_step_bank(find_source("GoNogo"), 4, 1)
    assert (
        build_step_bank(find_source(f"{tmp_path}/mine.py:registered"), 4, 1).digest == theirs.digest
    )
    with pytest.raises(UsageError, match="it returns NoneType, expected a neurogym TrialEnv"):
        find_source(f"{tmp_path}/mine.py:nothing").make(0)
    with pytest.raises(UsageError, match="did you mean 'make'"):
        find_source(f"{tmp_path}/mine.py:mak")


@pytest.mark.parametrize(
    ("imports", "helper", "message"),
    [
        ("from helper import v", "w = 5", r"cannot import name 'v' from 'helper' \(.*helper.py\)"),
        ("from helpre import w", "w = 5", r"No module named 'helpre' \(mine.py:4\)"),
        ("from tasks.none import w", "w = 5", "No module named 'tasks.none'"),
        ("from helper import w", "w = 1 / 0", r"division by zero \(helper.py:1\)"),
        ("from helper import w", "w = (", r"SyntaxError.*"),
        ("from helper import w", "raise SystemExit(3)", r"SystemExit: 3 \(helper.py:1\)"),
    ],
)
def test_what_goes_wrong_is_said_in_the_users_words(
    tmp_path: Path, imports: str, helper: str, message: str
) -> None:
    write(tmp_path, {"mine.py": task(imports), "helper.py": helper})
    with pytest.raises(UsageError, match=message) as caught:
        load_task(tmp_path / "mine.py", "MyTask")
    assert "_evoplastic_task_" not in str(caught.value)
    write(tmp_path, {"helper.py": "v = w = 5", "helpre.py": "w = 5"})
    if "none" not in imports:
        load_task(tmp_path / "mine.py", "MyTask")  # nothing of the failure stays


def test_files_are_listed_with_their_content(tmp_path: Path) -> None:
    file, files = PROJECTS["within a package"]
    write(tmp_path, files)
    found = task_files(f"{tmp_path}/{file}:MyTask")
    assert [each.path for each in found] == [
        str(tmp_path / name) for name in ("mypkg/mine.py", "mypkg/__init__.py", "mypkg/helper.py")
    ]
    assert all(each.content == Path(each.path).read_bytes() for each in found)
    assert len({each.digest for each in found}) == 3
    assert task_files("GoNogo") == ()


def test_a_project_is_loaded_again_when_a_file_of_it_changed(tmp_path: Path) -> None:
    write(tmp_path, {"mine.py": task("from helper import w"), "helper.py": "w = 5"})
    word = f"{tmp_path}/mine.py:MyTask"
    first = find_source(word)
    assert find_source(word).task is first.task
    write(tmp_path, {"helper.py": "w = 6"})
    second = find_source(word)
    assert second.task is not first.task
    shown = [build_step_bank(source, 3, 1).observation_MTI.max() for source in (first, second)]
    assert shown == [5, 6]


@pytest.mark.parametrize("kind", ["beside", "within a package", "a folder called tasks"])
@pytest.mark.parametrize("missing", [True, False], ids=["missing", "changed"])
def test_kept_texts_run_where_the_files_are_others(
    tmp_path: Path, kind: str, missing: bool
) -> None:
    file, files = PROJECTS[kind]
    write(tmp_path, files)
    word = f"{tmp_path}/{file}:MyTask"
    expected = build_step_bank(find_source(word), 3, 1)
    kept: tuple[CodeFile, ...] = pickle.loads(pickle.dumps(task_files(word)))
    for name in files:
        if missing:
            (tmp_path / name).unlink()
        else:
            (tmp_path / name).write_text("raise RuntimeError('another')")
    with pytest.raises(UsageError, match="there is no file" if missing else "another"):
        find_source(word)
    loaded = load_task(tmp_path / file, "MyTask", kept)
    assert loaded is load_task(tmp_path / file, "MyTask", kept)
    code_files.stand_in(kept)
    assert build_step_bank(find_source(word), 3, 1).digest == expected.digest
    assert np.array_equal(task_files(word), kept)


def test_what_named_code_imports_may_run_and_what_trusted_code_imports_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    write(tmp_path, {"mine.py": task("from helper import w"), "helper.py": "w = 5"})
    word = f"{tmp_path}/mine.py:MyTask"
    with (
        trust.gate_of({"task": "GoNogo"}),
        pytest.raises(trust.Untrusted, match=r"mine\.py is code"),
    ):
        find_source(word)
    with trust.gate_of({"task": word}):
        find_source(word)
    with trust.gate_of({"task": "GoNogo"}):
        find_source(word)
        write(tmp_path, {"helper.py": "w = 6"})
        with pytest.raises(trust.Untrusted, match=r"helper\.py is code"):
            find_source(word)


def test_a_stepped_task_takes_along_what_it_needs_where_its_files_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, files = PROJECTS["data"]
    write(tmp_path / "own", files)
    monkeypatch.chdir(tmp_path / "own")
    stepped = stepped_task(f"{file}:MyTask")
    assert stepped.source == f"{tmp_path / 'own' / file}:MyTask"
    assert {Path(each.path).name for each in stepped.code} == set(files)
    travelled = pickle.loads(pickle.dumps(stepped))
    monkeypatch.chdir(tmp_path)
    shutil.rmtree(tmp_path / "own")
    life, again = (travelled.begin(3) for _ in range(2))
    assert life.observation_I.max() == again.observation_I.max() == 5
