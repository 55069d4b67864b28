"""`evaluate --to-mlflow`: an evaluation below the run that evolved the genome, once."""

from __future__ import annotations

from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from cluster.loop import evolve
from cluster.tracking.sync import sync
from evoplastic.records.names import MODEL_HELD_OUT
from tests.cli.conftest import Command
from tests.cluster.test_loop import small
from tests.cluster.written_runs import copy_of

SHORT = (
    *("lifetime.num_trials=12", "lifetime.scored_trials=4"),
    *("lifetime.perturbation.quiet_trials=2", "rule.first_trial=2"),
)


@pytest.mark.exhaustive
def test_an_evaluation_is_linked_to_run_model_and_suite_and_there_once(
    command: Command, empty_mlflow: Path, tmp_path: Path
) -> None:
    store = copy_of(empty_mlflow, tmp_path)
    evolve(small("evolution.generations=1"), tmp_path / "run")
    parent = sync(tmp_path / "run", store).mlflow_run_id
    client = MlflowClient(store)
    words = (
        "evaluate",
        "run",
        "--lifetimes",
        3,
        "--task",
        "dms",
        "--task",
        "dnms",
        "--task",
        "and",
    )
    answer = command(*words, "--json", "--to-mlflow")
    assert answer.code == 0, answer.err
    recorded = answer.json["recorded"]
    assert (recorded["uri"], recorded["parent"], recorded["before"]) == (store, parent, False)
    child = client.get_run(recorded["run_id"])
    assert child.data.tags["mlflow.parentRunId"] == parent
    assert (child.info.status, child.info.run_name) == ("FINISHED", "evaluate: dms, dnms, and")
    model = client.get_logged_model(recorded["model"])
    assert model.tags["genome_digest"] == answer.json["genome"]
    assert [each.model_id for each in child.inputs.model_inputs] == [model.model_id]
    (dataset,) = [each.dataset for each in client.get_run(parent).inputs.dataset_inputs]
    linked = {
        metric.key: (metric.value, metric.dataset_name, metric.dataset_digest)
        for metric in model.metrics
        if metric.run_id == child.info.run_id
    }
    means = {each["task"]: each["plastic"]["accuracy_mean"] for each in answer.json["tasks"]}
    measured_on = (dataset.name, dataset.digest)
    assert linked["evaluation/held_out/dms/accuracy_mean"] == (means["dms"], *measured_on)
    assert linked["evaluation/train/and/accuracy_mean"] == (means["and"], *measured_on)
    assert linked["evaluation/held_out/accuracy_mean"][0] == pytest.approx(
        (means["dms"] + means["dnms"]) / 2
    )
    assert MODEL_HELD_OUT not in linked, "models stay ranked by what their runs measured"
    assert child.data.metrics["evaluation/held_out/dms/level_fixed_policy"] == 0.75
    assert "evaluation/plasticity_off/dms/accuracy_mean" in child.data.metrics
    assert [file.path for file in client.list_artifacts(child.info.run_id)] == ["evaluate.json"]

    again = command(*words, "--to-mlflow", store)
    assert f"is there already in {store}, below run {parent}" in again.out
    assert recorded["run_id"] in again.out
    client.set_terminated(recorded["run_id"], "RUNNING")  # as if it had been killed in between
    third = command(*words, "--json", "--to-mlflow").json["recorded"]
    assert (third["run_id"], third["before"]) == (recorded["run_id"], True)
    finished = client.get_run(recorded["run_id"])
    assert finished.info.status == "FINISHED"
    history = client.get_metric_history(recorded["run_id"], "evaluation/held_out/dms/accuracy_mean")
    assert len(history) == 1
    assert len(finished.inputs.model_inputs) == 1
    other = command(*words, "--json", "--to-mlflow", "--seed", 9).json["recorded"]
    assert other["run_id"] != recorded["run_id"]


def test_a_store_that_does_not_answer_costs_no_evaluation(
    command: Command, genome_file: Path
) -> None:
    words = ("evaluate", genome_file, "--task", "dms", "--lifetimes", 2, *SHORT)
    silent = ("--to-mlflow", "http://127.0.0.1:9")
    answer = command(*words, "--json", *silent)
    assert answer.code == 3
    assert "http://127.0.0.1:9 does not answer" in answer.err
    assert answer.json["tasks"][0]["task"] == "dms"
    assert answer.json["recorded"] is None


def test_what_is_no_store_is_refused_at_once(command: Command, genome_file: Path) -> None:
    answer = command("evaluate", "--to-mlflow", genome_file)
    assert answer.code == 2
    assert "is no store, such as sqlite:///mlflow.db" in answer.err
    answer = command("evaluate", genome_file, "--to-mlflow", "http://me:secret@127.0.0.1:9")
    assert answer.code == 2
    assert "holds a password; leave it out and set MLFLOW_TRACKING_TOKEN" in answer.err
    assert "secret" not in answer.err


def test_a_genome_that_no_run_of_the_store_evolved_has_a_run_of_its_own(
    command: Command, empty_mlflow: Path, genome_file: Path, tmp_path: Path
) -> None:
    store = copy_of(empty_mlflow, tmp_path)
    words = ("evaluate", genome_file, "--task", "dms", "--lifetimes", 2, *SHORT)
    answer = command(*words, "--to-mlflow", store)
    assert "as a run of its own: " in answer.out
    run_id = answer.out.split()[-1]
    assert "mlflow.parentRunId" not in MlflowClient(store).get_run(run_id).data.tags
