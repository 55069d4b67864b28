"""`analyze --figures`: of a genome, of a run, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import evoplastic as ep
from tests.cli.conftest import Command
from tests.cli.inside.test_probe import SETTINGS


def test_a_genome_is_drawn(command: Command, genome_file: Path, tmp_path: Path) -> None:
    words = ("analyze", genome_file, "--task", "dms", "--lifetimes", 2, "--json")
    answer = command(*words, "--figures", "choices", "--out", "drawn", "--config", "smoke")
    assert answer.code == 0
    files = answer.json["inside"]
    assert files == [f"drawn/choices.{kind}" for kind in ("png", "svg", "pdf", "csv")]
    assert sorted(file.name for file in (tmp_path / "drawn").iterdir()) == sorted(
        Path(file).name for file in files
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--figures", "choicess"), "unknown figure 'choicess'; did you mean 'choices'"),
        (("--task", "dms"), "--task is for figures of the inside; add --figures"),
        (("--figures", "choices", "--lifetimes", "1"), "lifetimes is 1, expected at least 2"),
    ],
)
def test_bad_input(
    words: tuple[str, ...], message: str, command: Command, genome_file: Path, tmp_path: Path
) -> None:
    answer = command("analyze", genome_file, *words)
    assert answer.code == 2
    assert message in answer.err
    assert [file.name for file in tmp_path.iterdir()] == [genome_file.name]


def test_several_runs_have_no_one_inside(command: Command, genome_file: Path) -> None:
    answer = command("analyze", "one", "two", "--figures", "choices")
    assert answer.code == 2
    assert "--figures draws the inside of one network, one two means several runs" in answer.err


def test_answers_are_those_that_are_recorded(
    genome_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What correctness tells of two actions is what is recorded of them."""
    told = ep.evaluate(genome_file, ["dms", "and"], 3, choices=True, **SETTINGS)
    monkeypatch.setattr("evoplastic.api.answers._known_from_correctness", lambda batch: False)
    recorded = ep.evaluate(genome_file, ["dms", "and"], 3, choices=True, **SETTINGS)
    assert told.equals(recorded)
    np.testing.assert_array_equal(told.choice == told.target_action, told.correct)
    np.testing.assert_array_equal(told.kind, 2 * told.stimulus1 + told.stimulus2)
    plain = ep.evaluate(genome_file, ["dms", "and"], 3, **SETTINGS)
    assert plain.equals(told[list(plain.data_vars)])


@pytest.mark.exhaustive
def test_all_figures_of_a_run(command: Command, tmp_path: Path) -> None:
    """Each figure of a run is drawn, or left out with its reason; MLflow has the files."""
    from mlflow.tracking import MlflowClient

    from analysis.figures.inside.catalogue import FIGURES

    store = "sqlite:///" + str(tmp_path / "mlflow.db")
    done = ep.evolve(
        "smoke", search={"popsize": 4}, evolution={"generations": 1}, tracking={"uri": store}
    )
    answer = command("analyze", done.run_dir, "--figures", "--lifetimes", 24, "--json")
    names = {Path(file).name for file in answer.json["inside"]}
    for name, figure in FIGURES.items():
        if "activity" not in figure.needs and f"figure {name} is left out" not in answer.err:
            assert {f"{name}.{kind}" for kind in ("png", "svg", "pdf", "csv")} <= names
    assert {"decoding.png", "traces.png", "connections.pdf", "choices.csv"} <= names
    client = MlflowClient(store)
    kept = client.list_artifacts(answer.json["mlflow_run_id"], "figures")
    assert names <= {Path(item.path).name for item in kept}


def test_activity_of_other_conditions_is_refused(
    command: Command, genome_file: Path, tmp_path: Path
) -> None:
    words = ("analyze", genome_file, "--task", "dms", "--out", "drawn", "--figures")
    activity = tmp_path / "activity.csv"
    activity.write_text("condition,u1,u2\nleft,1,2\nright,2,3\nup,1,1\n")
    refused = command(*words, "similarity", "--activity", activity)
    assert refused.code == 2
    assert "task 'dms' has 0 0, 0 1, 1 0, 1 1" in refused.err
    without = command(*words, "similarity")
    assert "compares with recorded activity; give a file of it" in without.err
    unused = command(*words, "choices", "--activity", activity)
    assert "a file of activity is given, but no figure of choices compares with it" in unused.err
    assert not (tmp_path / "drawn").exists()
