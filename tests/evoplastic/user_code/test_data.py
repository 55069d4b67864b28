"""Data beside a user's code is noticed as it is read, and found again where it was laid out."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import numpy as np
import pytest

from evoplastic.trust import Untrusted, gate_of, set_from_run
from evoplastic.user_code.code_files import CodeFile, standing_in
from evoplastic.user_code.data import LAID_OUT, laid_out
from evoplastic.user_code.project import open_project

CODE = """
from pathlib import Path
from .reading import words

HERE = Path(__file__).parent
TABLE = words(HERE / "ä b" / "words.txt")

def numbers():
    import numpy
    return numpy.load(HERE / "numbers.npy").tolist()

def write():
    (HERE / "log.txt").write_text("x")
    try:
        open(HERE / "missing.txt")
    except OSError:
        pass
    open("/proc/self/status").close()
    open(HERE / ".hidden").close()
"""


def package(folder: Path, words: str) -> Path:
    """A package that reads two files of data, one as it is imported."""
    (folder / "own" / "ä b").mkdir(parents=True)
    (folder / "own" / "__init__.py").write_text("")
    (folder / "own" / "reading.py").write_text("def words(path):\n    return path.read_text()\n")
    (folder / "own" / "task.py").write_text(CODE)
    (folder / "own" / "ä b" / "words.txt").write_text(words)
    (folder / "own" / ".hidden").write_text("")
    np.save(folder / "own" / "numbers.npy", np.arange(3))
    return folder / "own" / "task.py"


def kept_of(main: Path) -> list[CodeFile]:
    """Code and data of a project, as a run keeps them."""
    project = open_project(main)
    return [*project.files, *(CodeFile(str(each), each.read_bytes()) for each in project.data)]


def test_what_the_code_reads_in_its_folder_is_noticed_and_nothing_else(tmp_path: Path) -> None:
    main = package(tmp_path, "one")
    module = open_project(main).load()
    words, numbers = main.parent / "ä b" / "words.txt", main.parent / "numbers.npy"
    assert open_project(main).data == (words,)
    (main.parent / "ours.txt").write_text("not his")
    (main.parent / "ours.txt").read_text()
    assert module.numbers() == [0, 1, 2]
    module.write()
    assert open_project(main).data == (words, numbers, main.parent / "missing.txt")


@pytest.mark.parametrize("gone", [True, False])
def test_kept_data_is_found_where_the_original_is_gone_or_has_changed(
    tmp_path: Path, gone: bool
) -> None:
    main = package(tmp_path, "one")
    open_project(main).load().numbers()
    kept = kept_of(main)
    (main.parent / "numbers.npy").unlink()
    if gone:
        (main.parent / "ä b" / "words.txt").unlink()
    else:
        (main.parent / "ä b" / "words.txt").write_text("two")
    with standing_in(kept):
        stood = open_project(main).load()
        assert (stood.TABLE, stood.numbers()) == ("one", [0, 1, 2])
        data = open_project(main).stand_ins
        assert [Path(each.path).name for each in data] == ["words.txt", "numbers.npy"]
    if not gone:
        assert open_project(main).load().TABLE == "two"


def test_while_the_data_is_what_it_was_it_is_read_at_its_own_place(tmp_path: Path) -> None:
    main = package(tmp_path, "one")
    open_project(main).load()
    with standing_in(kept_of(main)):
        assert open_project(main).load().__file__ == str(main)
        assert open_project(main).stand_ins == ()


def test_data_that_somebody_else_kept_passes_the_gate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be a pickle, and the code that reads it one that is trusted."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    main = package(tmp_path, "one")
    open_project(main).load()
    *code, data = kept_of(main)
    forged = [*code, data._replace(content=b"forged")]
    with gate_of({"genome": f"{main}:TABLE"}), standing_in(forged):
        set_from_run()
        with pytest.raises(Untrusted, match=r"words\.txt is data"):
            open_project(main).load()
    with gate_of({"genome": f"{main}:TABLE", "trust": True}), standing_in(forged):
        set_from_run()
        assert open_project(main).load().TABLE == "forged"


def test_folders_of_processes_that_were_killed_go_with_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    left, living, young = (tmp_path / f"{LAID_OUT}{name}" for name in ("a", "b", "c"))
    for folder in (left, living, young):
        folder.mkdir()
        (folder / "x.txt").write_text("x")
    for folder in (left, living):
        os.utime(folder, (0, 0))
    lock = os.open(living, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    place = laid_out({tmp_path / "own" / "x.txt": b"x"})
    assert place(tmp_path / "own" / "x.txt").read_bytes() == b"x"
    assert [folder.exists() for folder in (left, living, young)] == [False, True, True]
    os.close(lock)
