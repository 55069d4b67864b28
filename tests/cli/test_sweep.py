"""sweep: what it answers before anything is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from evoplastic.cli.sweep import verb
from tests.cli.conftest import Command


def test_a_dry_run_lists_the_runs_and_their_cost(command: Command) -> None:
    answer = command("sweep", "smoke", "seed=1..3", "search.sigma=0.02,0.03", "--dry-run", "--json")
    assert answer.code == 0, answer.err
    said = answer.json
    assert [run["index"] for run in said["runs"]] == [1, 2, 3, 4, 5, 6]
    assert said["runs"][3]["name"] == "seed2-sigma0.03"
    assert said["runs"][3]["overrides"] == ["seed=2", "search.sigma=0.03"]
    assert said["seconds"] == pytest.approx(sum(run["seconds"] for run in said["runs"]))
    assert said["at_once"] * said["threads"] >= 1
    assert not list(Path.cwd().iterdir()), "a dry run writes nothing"


def test_longer_runs_cost_more(command: Command) -> None:
    answer = command("sweep", "smoke", "evolution.generations=10,40", "--dry-run", "--json")
    short, long = (run["seconds"] for run in answer.json["runs"])
    assert long == pytest.approx(4 * short)


def test_the_number_of_runs_is_for_arrays(command: Command) -> None:
    answer = command("sweep", "smoke", "seed=1..7", "--count")
    assert (answer.code, answer.out) == (0, "7\n")


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["seed=1..3", "--runs", "4"], "--runs is 4, but these values make 3 runs"),
        (["seed=1..3", "--index", "0", "--run-dir", "r"], "--index is 0, expected 1 to 3"),
        (["seed=1..3", "--index", "4", "--run-dir", "r"], "an array is --array=1-3"),
        (["seed=1..3", "--index", "2"], "name it with --run-dir"),
        (["seed=1..3", "--index", "2", "--run-dir", "r", "--at-once", "2"], "leave it out"),
        (["seed=1..3", "--continue"], "--continue needs the directory of the sweep"),
        (["seed=1..3", "--address", "h:1", "--at-once", "2"], "say with --workers how many"),
        (["seed=1..3", "rule.first_trial=1,9"], "seed1-first_trial9: "),
        (["seed=1..3", "--workers", "4-2"], "expected the smaller number first"),
        (["sed=1..3"], "did you mean 'seed'?"),
    ],
)
def test_what_does_not_hold_is_refused_and_nothing_written(
    command: Command, words: list[str], what: str
) -> None:
    answer = command("sweep", "smoke", *words)
    assert answer.code == 2, answer.err
    assert what in answer.err
    assert not list(Path.cwd().iterdir())


def test_many_runs_are_started_when_their_number_is_said(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verb, "MANY", 2)
    answer = command("sweep", "smoke", "seed=1..3")
    assert answer.code == 2
    assert "these values make 3 runs, about " in answer.err
    assert "if they are meant, add --runs 3, else" in answer.err


def test_a_folder_of_something_else_is_left_alone(command: Command) -> None:
    Path("thesis").mkdir()
    Path("thesis/text.tex").write_text("precious")
    answer = command("sweep", "smoke", "seed=1,2", "--run-dir", "thesis", "--continue")
    assert answer.code == 2
    assert "holds no sweep" in answer.err
    assert [path.name for path in Path("thesis").iterdir() if path.name[0] != "."] == ["text.tex"]
