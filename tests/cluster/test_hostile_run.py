"""A run directory from somebody else is data: no link in it is followed out of it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from analysis.store import read_directory
from cluster.rundir import RunDirectory
from cluster.tracking.delivery import Delivery
from cluster.tracking.sync import sync
from evoplastic.__main__ import main
from evoplastic.checks import UsageError
from evoplastic.inside import require_inside
from tests.cluster import written_runs as runs

SECRET = "-----BEGIN PRIVATE KEY-----"
LINKS = (
    ".lock",
    "journal.ndjson",
    "checkpoints",
    "genomes",
    "figures",
    "genomes/more",
    "figures/x.csv",
    "tracking.json",
    "STATUS",
    "config.resolved.yaml",
    "environment.json",
    "checkpoints/gen_00000001.safetensors",
    "notes.txt",
)


def planted(run_dir: Path, name: str, target: Path) -> None:
    """Put a link in the place of a file or folder of a run."""
    place = run_dir / name
    if place.is_dir() and not place.is_symlink():
        for path in place.iterdir():
            path.unlink()
        place.rmdir()
    place.unlink(missing_ok=True)
    place.symlink_to(target)


def everything(folder: Path) -> dict[str, bytes]:
    """Names and contents of all files of a folder."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.mark.parametrize("name", LINKS)
@pytest.mark.parametrize(
    "act",
    [
        lambda run_dir: main(["resume", str(run_dir)]),
        lambda run_dir: main(["sync", str(run_dir), "--store", "http://127.0.0.1:1"]),
        lambda run_dir: main(["analyze", str(run_dir), "--no-mlflow"]),
        lambda run_dir: main(["genome", "show", str(run_dir)]),
        lambda run_dir: main(["evaluate", str(run_dir)]),
    ],
    ids=["resume", "sync", "analyze", "show", "evaluate"],
)
def test_no_link_is_followed_out(
    tmp_path: Path, name: str, act: Callable[[Path], int], capsys: pytest.CaptureFixture[str]
) -> None:
    outside = tmp_path / "home"
    outside.mkdir()
    for secret in ("key", "gen_00000001.safetensors", ".x.tmp", "center.safetensors"):
        (outside / secret).write_text(SECRET)
    before = everything(outside)
    run_dir = runs.write(tmp_path / "run", runs.generation(0))
    is_folder = "." not in Path(name).name.removeprefix(".") and name not in (".lock", "STATUS")
    planted(run_dir, name, outside if is_folder else outside / "key")
    assert act(run_dir) == 2
    err = capsys.readouterr().err
    assert "is a link" in err
    assert SECRET not in err
    assert everything(outside) == before


def test_an_empty_directory_with_a_link_for_a_lock_is_not_taken(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text(SECRET)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".lock").symlink_to(key)
    with pytest.raises(UsageError, match="is a link"):
        RunDirectory.create(tmp_path / "run", "run-1", "name: tiny\n", "cpu")
    assert key.read_text() == SECRET


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    run_dir = runs.write(tmp_path / "run", runs.generation(0))
    os.mkfifo(run_dir / "figures" / "pipe.csv")
    with pytest.raises(UsageError, match="neither a file nor a folder"):
        read_directory(run_dir)


def test_a_link_within_the_directory_is_as_good_as_its_target(tmp_path: Path) -> None:
    run_dir = runs.write(tmp_path / "run", runs.generation(0))
    (run_dir / "figures" / "latest.svg").symlink_to("curve.svg")
    require_inside(run_dir)
    (tmp_path / "latest").symlink_to(run_dir)
    RunDirectory.open(tmp_path / "latest").close()


def test_a_link_planted_in_mid_run_is_not_sent(empty_database: Path, tmp_path: Path) -> None:
    uri = runs.copy_of(empty_database, tmp_path)
    run_dir = runs.write(tmp_path / "run", runs.generation(0))
    (tmp_path / "key.csv").write_text(SECRET)
    (run_dir / "figures" / "x.csv").symlink_to(tmp_path / "key.csv")
    delivery = Delivery(run_dir, run_dir / "journal.ndjson", uri, runs.EXPERIMENT)
    delivery.deliver()
    delivery.deliver_files()
    assert "figures/curve.svg" in delivery.files
    assert "figures/x.csv" not in delivery.files


@pytest.mark.parametrize("umask", [0o077, 0o027, 0o022])
def test_files_are_made_with_the_users_umask(tmp_path: Path, umask: int) -> None:
    code = (
        "import os, sys; from pathlib import Path; from tests.cluster import written_runs as runs\n"
        f"os.umask({umask}); runs.write(Path(sys.argv[1]), runs.generation(0))"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "run")], timeout=60, check=True)
    made = [tmp_path / "run", *(tmp_path / "run").rglob("*")]
    assert len(made) > 7
    for path in made:
        assert path.stat().st_mode & 0o777 & umask == 0, path


def test_the_lock_survives_whoever_removes_its_file(tmp_path: Path) -> None:
    run_dir = runs.write(tmp_path / "run", runs.generation(0))
    with closing(RunDirectory.open(run_dir)):
        (run_dir / ".lock").unlink()
        code = (
            "import sys; from pathlib import Path; from cluster.rundir import RunDirectory\n"
            "RunDirectory.open(Path(sys.argv[1]))"
        )
        for _ in range(2):  # the second finds the file that the first made
            with pytest.raises(UsageError, match="another driver"):
                RunDirectory.open(run_dir)
            with pytest.raises(UsageError, match="another driver"):
                sync(run_dir)
        moved = run_dir.rename(tmp_path / "moved")
        with pytest.raises(UsageError, match="another driver"):
            RunDirectory.open(moved)
        other = subprocess.run(
            [sys.executable, "-c", code, str(moved)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "another driver" in other.stderr
    RunDirectory.open(moved).close()
