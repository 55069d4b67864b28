"""Every command that a run prints or keeps in MLflow works when it is pasted."""

from __future__ import annotations

import argparse
import re
import shlex
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from cluster.loop import RunOutcome
from evoplastic.cli import evolve
from evoplastic.cli.driving.leaving import finish
from evoplastic.cli.parser import parse
from evoplastic.cli.store import sqlite_path
from tests.cli.conftest import Command
from tests.cluster import written_runs

LINE = re.compile(r"(?:^|: +| {4})(\S*evoplastic [a-z].*)$", re.MULTILINE)
TINY = (
    *("evolution.generations=1", "num_neurons=24", "search.popsize=4", "pairs_per_shard=2"),
    *("lifetime.num_trials=6", "lifetime.scored_trials=2", "rule.first_trial=1"),
    *("lifetime.perturbation.quiet_trials=1", "curriculum=uniform", "banks.trials=8"),
    *("evaluation.held_out_lifetimes=2", "evaluation.train_lifetimes=1"),
    *("banks.evaluation_trials=8", "engine=reference"),
)
SUITE = """
name: kinds
pacing: self_paced
train: [{task: "mein task.py:Echo", name: "lights[v=2]"}, evoplastic/TwoStimulus-and]
held_out: [{task: evoplastic/TwoStimulus-dms, name: "what's next?", set: {answer_ends_trial: true}}]
"""


def commands_in(text: str) -> list[list[str]]:
    """Words of all commands, without the program's own name."""
    return [shlex.split(line)[1:] for line in LINE.findall(text)]


def note_of(database: Path) -> str:
    client = MlflowClient(tracking_uri=f"sqlite:///{database}")
    (run,) = client.search_runs([e.experiment_id for e in client.search_experiments()])
    note: str = run.data.tags["mlflow.note.content"]
    return note


@pytest.mark.parametrize(
    "kind", ["fixed_timing", pytest.param("self_paced", marks=pytest.mark.exhaustive)]
)
def test_commands_of_a_run_work(
    kind: str,
    command: Command,
    tmp_path: Path,
    empty_mlflow: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / "Läufe, it's 2"
    folder.mkdir()
    monkeypatch.chdir(folder)
    written_runs.copy_of(empty_mlflow, folder)
    words = ["evolve", "smoke", *TINY, "--run-dir", "der erste"]
    if kind == "self_paced":
        small = Path(__file__).parents[1] / "tasks" / "small_envs.py"
        (folder / "mein task.py").write_text(small.read_text())
        (folder / "meine suite.yaml").write_text(SUITE)
        words += ["suite=meine suite.yaml", "lifetime.feedback=reward"]
    told = command(*words)
    assert told.code == 0, told.err
    printed, kept = commands_in(told.out), commands_in(note_of(folder / "mlflow.db"))
    assert [words[0] for words in printed] == ["evaluate", "ui"]
    assert [words[0] for words in kept] == ["analyze", "genome", "evaluate", "resume"]
    for line in printed[:1]:
        assert command(*line).code == 0, line
    store = sqlite_path(parse(printed[1]).store)
    assert store is not None
    assert store.is_file()
    (exported,) = re.findall(r"^    export (.*)$", note_of(folder / "mlflow.db"), re.MULTILINE)
    name, _, uri = shlex.split(exported)[0].partition("=")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(name, uri)
    answers = {line[0]: command(*line) for line in kept}
    assert {verb: answer.err for verb, answer in answers.items() if answer.code} == {}
    asked = ["dms", "dnms"] if kind == "fixed_timing" else ["what's next?"]
    assert all(name in answers["evaluate"].out for name in asked)


@pytest.mark.parametrize("name", ["runs/x", "zwei Läufe", "-x", "it's [2]", "a=b"])
@pytest.mark.parametrize(
    "where",
    [
        [],
        ["--workers", "2"],
        ["--workers", "2-4", "--gpus-per-worker", "0.5", "--cpus-per-worker", "2"],
        ["--address", "10.0.0.1:6379", "--wait-for-workers", "60"],
    ],
)
def test_a_stopped_run_says_how_it_goes_on(
    name: str, where: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = RunOutcome(
        status="preempted",
        run_id="x",
        run_dir=Path(name),
        generation=3,
        generations=9,
        center_digest="0",
        last_evaluation=None,
    )
    assert finish(outcome, parse(["evolve", "smoke", *where])) == 75
    (words,) = commands_in(capsys.readouterr().err)
    args = parse(words)
    assert (args.run, args.run_dir) == (evolve.run_resume, Path(name))
    assert _where(args) == _where(parse(["evolve", "smoke", *where]))


def _where(args: argparse.Namespace) -> list[object]:
    names = ("workers", "address", "gpus_per_worker", "cpus_per_worker", "wait_for_workers")
    return [getattr(args, name) for name in names]


def test_the_store_that_ui_is_told_of_is_that_of_the_run(
    command: Command, tmp_path: Path, empty_mlflow: Path
) -> None:
    other = tmp_path / "ein anderer"
    other.mkdir()
    uri = written_runs.copy_of(empty_mlflow, other)
    told = command("evolve", "smoke", *TINY, f"tracking.uri={uri}", "--no-analysis")
    assert parse(commands_in(told.out)[1]).store == uri
    quiet = command("evolve", "smoke", *TINY, "tracking.enabled=false", "--no-analysis")
    assert [words[0] for words in commands_in(quiet.out)] == ["evaluate"]


def test_task_verbs_name_each_other_with_what_was_typed(command: Command, tmp_path: Path) -> None:
    small = Path(__file__).parents[1] / "tasks" / "small_envs.py"
    (tmp_path / "mein task.py").write_text(small.read_text())
    typed = ["mein task.py:Echo", "--set", "wait_ms=200", "--dt-ms", "10"]
    told = command("tasks", "show", *typed)
    found = re.findall(r"`\S*evoplastic ([^`]+)`", told.out)
    check, preview = (parse(shlex.split(line)) for line in found)
    for args in (check, preview):
        assert (args.task, args.set, args.dt_ms) == (typed[0], ["wait_ms=200"], 10)
    assert command(*shlex.split(found[1])).code == 0
    assert Path(preview.out).is_file()
