"""`analyze`: from a directory or from a real MLflow store to files, artifacts and warnings."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis.mlflow_store import find_uri
from analysis.report import analyze
from analysis.store import open_run
from evoplastic.checks import EnvironmentFault, UsageError
from evoplastic.genome.config import GenomeConfig
from evoplastic.genome.genome import Genome
from evoplastic.genome.layout import Layout
from evoplastic.network.neurons import NeuronGroups
from evoplastic.records.events import Event
from evoplastic.records.names import TAG_RUN_ID
from tests.analysis import runs

FILES = {
    "final_table.csv",
    "accuracy_by_generation.png",
    "accuracy_by_generation.svg",
    "accuracy_by_generation.csv",
    "learning_curves.png",
    "learning_curves.svg",
    "learning_curves.csv",
}


def client_of(uri: str) -> Any:
    from mlflow.tracking import MlflowClient

    return MlflowClient(tracking_uri=uri)


def tracked(uri: str, run_id: str) -> str:
    """A run in the store that carries this id; returns MLflow's id."""
    client = client_of(uri)
    experiment = client.get_experiment_by_name("evoplastic")
    return str(client.create_run(experiment.experiment_id, tags={TAG_RUN_ID: run_id}).info.run_id)


def artifacts(uri: str, mlflow_id: str, folder: str) -> set[str]:
    return {Path(item.path).name for item in client_of(uri).list_artifacts(mlflow_id, folder)}


def run_of(seed: int) -> list[Event]:
    return runs.whole_run(seed)


def test_everything_goes_into_the_runs_figures_and_to_mlflow(
    tmp_path: Path, store_uri: str
) -> None:
    mlflow_id = tracked(store_uri, "small-11")
    run = runs.write_run(tmp_path / "run", run_of(11), store_uri)
    report = analyze(run)
    assert {file.name for file in report.files} == FILES
    assert all(
        file.parent == run / "figures" and file.stat().st_size > 100 for file in report.files
    )
    assert report.mlflow_run_id == mlflow_id
    assert artifacts(store_uri, mlflow_id, "figures") == FILES
    assert client_of(store_uri).get_run(mlflow_id).info.status == "RUNNING"
    written = pd.read_csv(run / "figures" / "final_table.csv")
    assert written["mean"].tolist() == pytest.approx([0.95, 0.75, 0.45, 0.6])


@pytest.mark.parametrize("by", ["mlflow id", "own id"])
def test_a_run_is_read_from_mlflow_alone(
    tmp_path: Path, store_uri: str, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    seed = 21 if by == "own id" else 22
    mlflow_id = tracked(store_uri, f"small-{seed}")
    run = runs.write_run(tmp_path / "run", run_of(seed))
    genome = Genome.random(Layout(NeuronGroups(num_neurons=16)), 3, GenomeConfig())
    genome.save(run / "genomes" / "center.safetensors")
    client_of(store_uri).log_artifacts(mlflow_id, str(run))
    monkeypatch.chdir(tmp_path)
    ref = f"small-{seed}" if by == "own id" else mlflow_id
    report = analyze(ref, tracking_uri=store_uri)
    assert report.records.seed == seed
    assert report.records.evaluations == open_run(run).evaluations
    assert report.records.genome().digest == genome.digest
    assert {file.parent for file in report.files} == {Path(f"figures-small-{seed}")}
    assert report.mlflow_run_id == mlflow_id


def test_a_running_run_with_one_evaluation_is_drawn(tmp_path: Path) -> None:
    run = runs.write_run(tmp_path / "run", [runs.start(), runs.first_evaluation()])
    with (run / "journal.ndjson").open("a") as journal:
        journal.write('{"event":"generation","gen')
    report = analyze(run, out_dir=tmp_path / "out", to_mlflow=False)
    assert report.records.status == "running"
    assert {file.name for file in report.files} == FILES
    assert not (run / "figures").exists()


def test_an_evaluation_without_curves_still_gives_the_rest(tmp_path: Path) -> None:
    run = runs.write_run(tmp_path / "run", [runs.start(), runs.middle_evaluation()])
    names = {file.name for file in analyze(run, to_mlflow=False).files}
    assert names == {name for name in FILES if "curves" not in name}


@pytest.mark.parametrize(
    "uri", ["http://127.0.0.1:9", "sqlite:////nonexistent/mlflow.db", "no-such-scheme://x"]
)
def test_a_store_that_fails_costs_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, uri: str
) -> None:
    run = runs.write_run(tmp_path / "run", run_of(5), uri)
    environment = dict(os.environ)
    with caplog.at_level(logging.WARNING, logger="analysis"):
        report = analyze(run)
    assert report.mlflow_run_id is None
    assert {file.name for file in report.files} == FILES
    (warning,) = [r.getMessage() for r in caplog.records if r.name.startswith("analysis")]
    assert "figures were not added to MLflow" in warning
    assert "nonexistent" in warning or uri in warning
    assert dict(os.environ) == environment


def test_a_run_that_the_store_does_not_know_costs_a_warning(
    tmp_path: Path, store_uri: str, caplog: pytest.LogCaptureFixture
) -> None:
    run = runs.write_run(tmp_path / "run", run_of(404), store_uri)
    assert analyze(run).mlflow_run_id is None
    assert "no run 'small-404'" in caplog.text


def test_a_run_without_tracking_is_not_sought(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = runs.write_run(tmp_path / "run", run_of(5), "sqlite:////nonexistent/mlflow.db")
    config = run / "config.resolved.yaml"
    config.write_text(config.read_text().replace("enabled: true", "enabled: false"))
    assert analyze(run).mlflow_run_id is None
    assert caplog.text == ""


def test_an_unknown_run_is_refused(store_uri: str) -> None:
    with pytest.raises(UsageError, match="no run 'nobody' in sqlite"):
        analyze("nobody", tracking_uri=store_uri)


def test_a_tracked_run_without_its_journal_is_refused(store_uri: str) -> None:
    tracked(store_uri, "bare")
    with pytest.raises(UsageError, match=r"no journal\.ndjson among its artifacts"):
        analyze("bare", tracking_uri=store_uri)


def test_a_store_that_does_not_answer_is_a_fault_of_the_surroundings() -> None:
    with pytest.raises(EnvironmentFault, match=r"http://127\.0\.0\.1:9 does not answer"):
        analyze("some-run", tracking_uri="http://127.0.0.1:9")


def test_an_absent_store_is_not_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with pytest.raises(UsageError, match=r"no tracking store at .*mlflow\.db"):
        analyze("some-run")
    assert list(tmp_path.iterdir()) == []


def test_the_configured_store_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://elsewhere")
    assert find_uri({"tracking": {"uri": "http://here"}}) == "http://here"
    assert find_uri({"tracking": {"uri": None}}) == "http://elsewhere"
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert find_uri({}) == "sqlite:///mlflow.db"


def test_a_run_is_sought_where_it_was_last_delivered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tracking.json").write_text('{"uri": "sqlite:////there/mlflow.db"}')
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert find_uri({}, tmp_path) == "sqlite:////there/mlflow.db"
    assert find_uri({"tracking": {"uri": "http://here"}}, tmp_path) == "http://here"
    (tmp_path / "tracking.json").write_text("damaged")
    assert find_uri({}, tmp_path) == "sqlite:///mlflow.db"
