from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from cluster.environment import describe_environment, git_commit
from cluster.rundir import RunDirectory, read_run_id
from evoplastic.checks import EnvironmentFault, UsageError
from evoplastic.storage import write_atomically

CONFIG = "name: tiny\n"
NOBODY = 65534


def create(path: Path) -> None:
    RunDirectory.create(path, "run-1", CONFIG, "cpu").close()


def test_a_new_run_directory_explains_itself(tmp_path: Path) -> None:
    path = tmp_path / "runs" / "one"
    with closing(RunDirectory.create(path, "run-1", CONFIG, "cpu")) as directory:
        directory.set_status("running")
        assert directory.config.read_text() == CONFIG
        assert directory.checkpoints.is_dir()
        assert directory.genomes.is_dir()
        assert (path / "figures").is_dir()
        assert (path / "STATUS").read_text() == "running\n"
        environment = json.loads((path / "environment.json").read_text())
        assert environment["run_id"] == "run-1" == read_run_id(path)
        assert environment["engine"] == "cpu"
        assert environment["packages"]["torch"] != "absent"
        assert {"python", "platform", "cores", "git_commit", "git_dirty"} <= set(environment)


def test_an_opened_run_is_the_created_one(tmp_path: Path) -> None:
    create(tmp_path / "one")
    with closing(RunDirectory.open(tmp_path / "one")) as directory:
        assert directory.run_id == "run-1"
        assert directory.journal == tmp_path / "one" / "journal.ndjson"


def test_a_directory_of_another_run_is_refused(tmp_path: Path) -> None:
    create(tmp_path / "one")
    with pytest.raises(UsageError, match=r"one holds another run; .*evoplastic resume .*one"):
        create(tmp_path / "one")


def test_a_directory_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(UsageError, match="is not empty"):
        create(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_an_empty_directory_is_taken(tmp_path: Path) -> None:
    create(tmp_path)
    assert read_run_id(tmp_path) == "run-1"


def test_what_a_driver_left_that_died_first_is_taken_again(tmp_path: Path) -> None:
    """Killed anywhere before the configuration was in its place."""
    create(tmp_path / "whole")
    order = (".lock", "checkpoints", "genomes", "figures", "environment.json")
    for number in range(len(order) + 1):
        path = tmp_path / str(number)
        path.mkdir()
        for name in order[:number]:
            whole = tmp_path / "whole" / name
            if whole.is_dir():
                (path / name).mkdir()
            else:
                (path / name).write_bytes(whole.read_bytes())
        (path / ".config.resolved.yaml.0f.tmp").write_text("name: ti")
        if number:
            with pytest.raises(UsageError, match=f"evolve anew with --run-dir {path}"):
                RunDirectory.open(path)
        create(path)
        assert sorted(os.listdir(path)) == sorted(os.listdir(tmp_path / "whole"))


@pytest.mark.parametrize("name", ["genomes/initial.safetensors", "notes", ".hidden", "STATUS"])
def test_anything_else_is_not_taken(tmp_path: Path, name: str) -> None:
    create(tmp_path / "one")
    (tmp_path / "one" / "config.resolved.yaml").unlink()
    (tmp_path / "one" / name).write_text("mine")
    with pytest.raises(UsageError, match="is not empty"):
        create(tmp_path / "one")


def test_leftovers_of_a_killed_driver_are_swept(tmp_path: Path) -> None:
    create(tmp_path / "one")
    leftovers = [
        tmp_path / "one" / name
        for name in (".STATUS.a.tmp", "checkpoints/.gen_00000001.a.tmp", "genomes/.center.a.tmp")
    ]
    for leftover in leftovers:
        leftover.write_text("half")
    RunDirectory.open(tmp_path / "one").close()
    assert not [leftover for leftover in leftovers if leftover.exists()]


def test_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="is a file"):
        create(tmp_path / "file")


def test_a_place_that_cannot_be_written_is_named() -> None:
    with pytest.raises(UsageError, match="cannot use the run directory /proc/run"):
        create(Path("/proc/run"))


@pytest.mark.parametrize("is_new", [True, False])
def test_a_directory_that_cannot_be_made_whole_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_new: bool
) -> None:
    """The file system refuses the last of its files, as when a disk is full, and then no more."""
    path = tmp_path / "one"
    if not is_new:
        path.mkdir()

    def fail_at_the_config(path: Path, content: bytes) -> None:
        if path.name == "config.resolved.yaml":
            raise EnvironmentFault("no space")
        write_atomically(path, content)

    with monkeypatch.context() as patch:
        patch.setattr("cluster.rundir.write_atomically", fail_at_the_config)
        with pytest.raises(EnvironmentFault, match="no space"):
            create(path)
    assert not list(path.iterdir()) if not is_new else not path.exists()
    create(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody without rights")
@pytest.mark.parametrize("act", ["create", "open"])
def test_a_place_that_may_not_be_entered_is_named(tmp_path: Path, act: str) -> None:
    tmp_path.chmod(0o700)
    path = tmp_path / "one"
    os.seteuid(NOBODY)
    try:
        with pytest.raises(UsageError, match=r"cannot use .*one: Permission denied"):
            create(path) if act == "create" else RunDirectory.open(path)
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("missing", ["config.resolved.yaml", "environment.json"])
def test_what_is_no_run_directory_is_refused(tmp_path: Path, missing: str) -> None:
    create(tmp_path / "one")
    (tmp_path / "one" / missing).unlink()
    with pytest.raises(UsageError, match=f"{missing} is missing"):
        RunDirectory.open(tmp_path / "one")


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", "\0" * 20])
def test_a_damaged_identity_is_named_and_gives_the_lock_back(tmp_path: Path, content: str) -> None:
    create(tmp_path / "one")
    (tmp_path / "one" / "environment.json").write_text(content)
    for _ in range(2):
        with pytest.raises(UsageError, match=r"environment\.json is missing or corrupt"):
            RunDirectory.open(tmp_path / "one")


def test_a_second_driver_is_refused_while_the_first_lives(tmp_path: Path) -> None:
    """The first is another process: its death by kill -9 gives the directory back."""
    code = (
        "import sys, time; from pathlib import Path; from cluster.rundir import RunDirectory\n"
        "directory = RunDirectory.create(Path(sys.argv[1]), 'run-1', 'name: tiny', 'cpu')\n"
        "print('locked', flush=True); time.sleep(60)"
    )
    path = tmp_path / "one"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True
    ) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "locked\n"
        with pytest.raises(UsageError, match=rf"process {first.pid}\) is at work on .*one"):
            RunDirectory.open(path)
        first.kill()
        first.wait(20)
    RunDirectory.open(path).close()


def test_a_lock_does_not_outlive_its_driver_in_a_child(tmp_path: Path) -> None:
    """Workers that a driver started may live on for a while."""
    with closing(RunDirectory.create(tmp_path / "one", "run-1", CONFIG, "cpu")):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        RunDirectory.open(tmp_path / "one").close()
    finally:
        child.kill()
        child.wait(20)


def test_the_lock_of_a_dead_driver_names_nobody(tmp_path: Path) -> None:
    create(tmp_path / "one")
    (tmp_path / "one" / ".lock").write_text("999999")
    RunDirectory.open(tmp_path / "one").close()


def test_commit_is_that_of_the_source_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    commit, _ = git_commit()
    root = Path(__file__).resolve().parents[2]
    if (root / ".git").exists():
        told = subprocess.run(
            ["git", "-C", str(root), "rev-parse", "HEAD"],
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        )
        assert commit == told.stdout.strip()
    else:
        assert commit == ""


def test_absent_packages_are_said_to_be_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cluster.environment.RECORDED_PACKAGES", ("numpy", "no-such-package"))
    packages = describe_environment()["packages"]
    assert packages["no-such-package"] == "absent"
    assert packages["numpy"][0].isdigit()
