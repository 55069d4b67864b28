"""A run directory stands alone: without the files it was made from, or after they changed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cluster.config.run import RunConfig, load_config
from cluster.loop import evolve, resume
from cluster.sources import read_sources, sources_of
from evoplastic.__main__ import main
from evoplastic.api.setting import setting_of
from evoplastic.checks import UsageError
from tasks.suites.loading import load_suite

SMALL = Path(__file__).parents[2] / "tasks" / "small_envs.py"
TASK = '''
from lib.waiting import WAIT_MS
from lib.waits.envs import Echo


class Mine(Echo):
    """See a bit, wait as long as another file says, say it."""

    def __init__(self, dt=20, wait_ms=WAIT_MS):
        super().__init__(dt=dt, wait_ms=wait_ms)
'''
WAITING = """
from pathlib import Path

WAIT_MS = int((Path(__file__).parent / "wait ü.txt").read_text())
"""
SUITE = """
name: own
pacing: self_paced
families:
  mine: ["aufgaben/mine.py:Mine"]
  dms: [{task: evoplastic/TwoStimulus-dms, name: dms, set: {answer_ends_trial: true}}]
held_out_family: dms
"""
# Two commands in a process of their own, without a word of trust from before.
ELSEWHERE = """
import json, sys
from evoplastic.__main__ import main
print(json.dumps([main(words) for words in json.loads(sys.argv[1])]), file=sys.stderr)
"""


def project(folder: Path) -> Path:
    """A task that imports from two modules, and a suite that names it."""
    for name in ("aufgaben/lib/waits", "Suiten ä"):
        (folder / name).mkdir(parents=True)
    (folder / "aufgaben" / "mine.py").write_text(TASK)
    (folder / "aufgaben" / "lib" / "waiting.py").write_text(WAITING)
    (folder / "aufgaben" / "lib" / "wait ü.txt").write_text("60")
    shutil.copy(SMALL, folder / "aufgaben" / "lib" / "waits" / "envs.py")
    suite = folder / "own.yaml"
    suite.write_text(SUITE)
    return suite


def config(suite: str, *overrides: str) -> RunConfig:
    return load_config(
        "smoke",
        [
            *(f"suite={suite}", "num_neurons=20", "curriculum=uniform", "engine=reference"),
            *("tracking.enabled=false", "evolution.generations=2", "evaluation.every=2"),
            *("evaluation.controls=false", "evaluation.held_out_lifetimes=2", "banks.trials=8"),
            *("banks.evaluation_trials=8", "banks.refresh_every=2"),
            *overrides,
        ],
    )


def test_a_run_goes_on_on_a_machine_without_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "hier"
    project(home)
    monkeypatch.chdir(home)
    long = evolve(config("own.yaml/dms", "evolution.generations=3"), home / "long")
    evolve(config("own.yaml/dms"), home / "run")
    kept = json.loads((home / "run" / "sources" / "index.json").read_text())
    assert [Path(each["path"]).name for each in kept["code"]] == [
        "mine.py",
        "waiting.py",
        "envs.py",
    ]
    assert [Path(each["path"]).name for each in kept["data"]] == ["wait ü.txt"]
    moved = tmp_path / "anderswo" / "ein Lauf"
    shutil.copytree(home / "run", moved)
    monkeypatch.chdir(tmp_path)
    shutil.rmtree(home)
    words = [
        ["resume", str(moved), "evolution.generations=3", "--no-analysis"],
        ["resume", str(moved), "evolution.generations=3", "--no-analysis", "--trust"],
        ["evaluate", str(moved), "--task", "Mine", "--task", "dms", "--lifetimes", "2", "--json"],
        ["fork", f"{moved}@0", "--run-dir", str(tmp_path / "forked"), "--no-analysis"],
        ["fork", str(moved), "suite=nowhere.yaml", "--dry-run"],
    ]
    state = tmp_path / "state"
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, json.dumps(words)],
        cwd=moved.parent,
        env=os.environ
        | {"XDG_STATE_HOME": str(state), "PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
        timeout=300,
    )
    codes = json.loads(done.stderr.splitlines()[-1])
    assert codes == [2, 0, 0, 0, 2], done.stderr
    assert "--trust" in done.stderr
    assert f"digest {long.center_digest[:16]}" in done.stdout
    said = f"{home / 'own.yaml'} is gone; the new run is made of what {moved} kept in sources/"
    assert said in done.stderr
    assert "suite file nowhere.yaml does not exist" in done.stderr
    forked, resumed = read_sources(tmp_path / "forked"), read_sources(moved)
    assert forked is not None
    assert resumed is not None
    assert forked == resumed


@pytest.mark.exhaustive
def test_the_cost_of_a_fork_is_told_though_its_files_are_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "here"
    project(home)
    monkeypatch.chdir(home)
    evolve(config("own.yaml/dms"), tmp_path / "run")
    monkeypatch.chdir(tmp_path)
    shutil.rmtree(home)
    assert main(["fork", str(tmp_path / "run"), "--dry-run", "--trust"]) == 0
    assert "per generation" in capsys.readouterr().out


def test_what_was_changed_since_is_said_and_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    suite = project(tmp_path)
    long = evolve(config(str(suite), "evolution.generations=3"), tmp_path / "long")
    evolve(config(str(suite)), tmp_path / "run")
    (tmp_path / "aufgaben" / "lib" / "waiting.py").write_text("WAIT_MS = 400\n")
    suite.write_text(SUITE.replace("answer_ends_trial: true", "answer_ends_trial: false"))
    caplog.clear()
    on = resume(tmp_path / "run", ["evolution.generations=3"])
    assert on.center_digest == long.center_digest
    said = [text for text in caplog.messages if "has changed since" in text]
    assert [str(suite) in said[0], "waiting.py" in said[1], len(said)] == [True, True, 2]
    caplog.clear()
    setting = setting_of(tmp_path / "run", ["Mine"])
    assert [task.role for task in setting.tasks] == ["train"]
    assert len([text for text in caplog.messages if "has changed since" in text]) == 2


def test_a_file_that_is_typed_is_meant_as_it_is_now(tmp_path: Path) -> None:
    suite = project(tmp_path)
    evolve(config(str(suite)), tmp_path / "run")
    mine = tmp_path / "aufgaben" / "mine.py"
    steps = {}
    for wait in (60, 400):
        (tmp_path / "aufgaben" / "lib" / "waiting.py").write_text(f"WAIT_MS = {wait}\n")
        (task,) = setting_of(tmp_path / "run", [f"{mine}:Mine"]).tasks
        steps[wait] = task.trials.num_steps  # type: ignore[union-attr]
    assert steps[400] - steps[60] == 340 // 20


@pytest.mark.parametrize("damage", ["text", "missing", "path", "index"])
def test_damaged_sources_are_named(damage: str, tmp_path: Path) -> None:
    run = tmp_path / "run"
    evolve(config(str(project(tmp_path))), run)
    index = run / "sources" / "index.json"
    file = run / "sources" / "001-mine.py"
    if damage == "text":
        file.write_text(TASK + "# changed\n")
    elif damage == "missing":
        file.unlink()
    elif damage == "path":
        index.write_text(index.read_text().replace("001-mine.py", "../journal.ndjson"))
    else:
        index.write_text("{}")
    with pytest.raises(UsageError, match="does not hold what the run was made from"):
        resume(run, ["evolution.generations=3"])


def test_a_run_of_an_earlier_version_reads_its_files(tmp_path: Path) -> None:
    suite = project(tmp_path)
    evolve(config(str(suite)), tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "sources")
    assert read_sources(tmp_path / "run") is None
    assert resume(tmp_path / "run", ["evolution.generations=3"]).status == "done"


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ("MOST_DATA_MIB", "wait ü.txt (0.0 MiB) is read by a task, but not kept"),
        ("MOST_DATA_FILES", "1 more files are read by tasks than the 0 that are kept"),
    ],
)
def test_data_that_is_too_much_is_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    limit: str,
    said: str,
) -> None:
    suite = project(tmp_path)
    monkeypatch.setattr(f"evoplastic.user_code.keeping.{limit}", 0)
    loaded = load_suite(suite)
    _ = loaded.digest  # draws trials
    assert sources_of(str(suite), loaded).data == ()
    assert said in caplog.text
