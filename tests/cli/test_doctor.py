from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

from evoplastic.cli import health
from tests.cli.conftest import Command


def test_a_sound_machine_is_healthy(command: Command) -> None:
    answer = command("doctor", "--json")
    assert answer.json["healthy"] is (answer.code == 0)
    states = {finding["what"]: finding["state"] for finding in answer.json["findings"]}
    assert states["python"] == states["torch"] == states["engine reference"] == "ok"
    assert states["records"] == states["folder"] == "ok"
    assert "engine reference" in command("doctor").out


def test_a_store_that_does_not_answer_is_exit_code_3(command: Command) -> None:
    answer = command("doctor", "--store", "http://127.0.0.1:9", "--json")
    assert answer.code == 3
    assert answer.json["healthy"] is False
    assert "not ready: records" in answer.err


def test_a_cluster_that_is_not_there_is_exit_code_3(command: Command) -> None:
    answer = command("doctor", "--address", "127.0.0.1:1", "--json")
    assert answer.code == 3
    assert answer.json["nodes"] == []
    (cluster,) = (f for f in answer.json["findings"] if f["what"] == "cluster")
    assert (cluster["state"], "nothing listens there" in cluster["found"]) == ("broken", True)


def test_a_run_directory_is_looked_for_on_a_cluster_alone(command: Command) -> None:
    answer = command("doctor", "--run-dir", "x")
    assert answer.code == 2
    assert "name one with --address" in answer.err


def test_a_file_that_is_no_database_is_found(command: Command, tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("no database" * 100)
    assert "file is not a database" in command("doctor").out


def test_a_locked_database_is_found(command: Command, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "mlflow.db") as connection:
        connection.execute("create table runs (id)")
    blocker = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None); "
        "c.execute('begin exclusive'); print('locked', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", blocker, str(tmp_path / "mlflow.db")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        answer = command("doctor", "--json")
        process.kill()
    (records,) = (f for f in answer.json["findings"] if f["what"] == "records")
    assert records["state"] == "broken"
    assert "locked" in records["found"]


def test_every_declared_dependency_is_looked_at() -> None:
    import tomllib

    declared = tomllib.loads((health.ROOT / "pyproject.toml").read_text())["project"]
    names = {word.partition("=")[0].partition(">")[0] for word in declared["dependencies"]}
    assert {name.lower() for name in health.NEEDED_BY} == {name.lower() for name in names}
