"""The tracking store comes into being whole, whoever is killed meanwhile."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from cluster.tracking import database
from cluster.tracking.database import is_half_made
from cluster.tracking.mlflow_store import MlflowStore
from cluster.tracking.sync import sync
from tests import faults
from tests.cluster import written_runs as runs

KILLS = int(os.environ.get("EVOPLASTIC_KILLS", "2"))


def make(folder: Path) -> None:
    MlflowStore(f"sqlite:///{folder / 'mlflow.db'}", runs.EXPERIMENT)


def require_usable(folder: Path) -> None:
    """A run can be delivered, and is there."""
    run_dir = runs.write(folder / "run", runs.generation(0), runs.end(1, "done"))
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    assert sync(run_dir, uri).points == runs.GENERATION_METRICS
    assert runs.recorded(uri)[0].info.status == "FINISHED"
    assert not [name for name in os.listdir(folder) if name.endswith(".tmp")]


def _killed_at_first_sign(folder: Path) -> int:
    child = faults.forked(partial(make, folder))
    runs.wait_until(lambda: any(folder.iterdir()), 60, "the store is begun")
    os.kill(child, 9)
    return faults.wait(child)


def test_killed_while_it_is_made_it_is_made_the_next_time(tmp_path: Path) -> None:
    (tmp_path / "first").mkdir()
    began = time.monotonic()
    make(tmp_path / "first")  # imports MLflow, which forked children then have
    (tmp_path / "second").mkdir()
    began = time.monotonic()
    assert faults.wait(faults.forked(lambda: make(tmp_path / "second"))) == 0
    usual_s = time.monotonic() - began
    killed = 0
    for number, delay in enumerate(faults.delays(KILLS, usual_s, 15)):
        folder = tmp_path / str(number)
        folder.mkdir()
        if number % 2:
            killed += faults.killed_after(delay, partial(make, folder)) == -9
        else:  # as soon as anything is there, which no other process can be too late for
            killed += _killed_at_first_sign(folder) == -9
        require_usable(folder)
    print(f"{killed} of {KILLS} creations killed within {usual_s:.1f} s, 0 stores broken")
    assert killed >= KILLS // 2


def test_what_mlflow_left_half_made_is_put_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As of a version that made it in its place: killed once some tables are there."""
    monkeypatch.setattr(database, "SETTLED_S", 0.3)
    file = tmp_path / "mlflow.db"

    def in_place() -> None:
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        SqlAlchemyStore(f"sqlite:///{file}", (tmp_path / "files").as_uri())

    child = faults.forked(in_place)
    runs.wait_until(lambda: file.is_file() and file.stat().st_size > 20_000, 60, "tables are there")
    os.kill(child, 9)
    assert faults.wait(child) == -9
    assert is_half_made(file)
    require_usable(tmp_path)
    assert "was left half-made and holds no run" in caplog.text
    assert len(list(tmp_path.glob("mlflow.db.half-made-*"))) >= 1


@pytest.mark.parametrize("content", [b"", b"not a database, but mine"])
def test_only_what_mlflow_began_is_put_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    monkeypatch.setattr(database, "SETTLED_S", 0.0)
    file = tmp_path / "mlflow.db"
    file.write_bytes(content)
    assert is_half_made(file) == (not content)
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("create table letters (a)")
        other.commit()
    assert not is_half_made(tmp_path / "other.db")
    assert not is_half_made(tmp_path / "none.db")


def test_a_whole_store_is_left_alone(empty_database: Path, tmp_path: Path) -> None:
    uri = runs.copy_of(empty_database, tmp_path)
    before = (tmp_path / "mlflow.db").stat().st_ino
    MlflowStore(uri, "another")
    assert (tmp_path / "mlflow.db").stat().st_ino == before


@pytest.mark.cluster
def test_two_first_starts_at_once_share_one_store(tmp_path: Path) -> None:
    code = (
        "import sys; from cluster.tracking.mlflow_store import MlflowStore\n"
        "MlflowStore(sys.argv[1], 'study')"
    )
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    starts = [subprocess.Popen([sys.executable, "-c", code, uri]) for _ in range(2)]
    assert [start.wait(120) for start in starts] == [0, 0]
    require_usable(tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a small disk")
def test_a_disk_that_is_full_leaves_nothing_broken(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(disk)], check=False
    )
    if made.returncode:
        pytest.skip("no small disk can be mounted here")
    try:
        assert faults.wait(faults.forked(lambda: make(disk))) == 1
        assert not [name for name in os.listdir(disk) if "mlflow.db" in name]
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        require_usable(disk)
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)  # MLflow keeps it open
