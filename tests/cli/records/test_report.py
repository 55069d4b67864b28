from __future__ import annotations

from pathlib import Path

import pytest

from analysis.mlflow_store import open_client
from cluster.tracking.sync import sync
from tests.analysis import runs
from tests.cli.conftest import Command
from tests.cluster import written_runs
from tests.cluster.tracking.page import long_runs


def test_the_verb_tells_the_story_and_the_files(
    tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = runs.write_run(tmp_path / "run", runs.whole_run())
    told = command("report", str(run), "--latex", "table.tex", "--no-mlflow")
    assert told.code == 0, told.err
    assert "small (seed 5) is done: 4 generations." in told.out
    assert "wrote report.html" in told.out
    found = command("report", str(tmp_path), "--out", "all.html", "--no-mlflow", "--json").json
    assert (found["files"], found["run_ids"]) == (["all.html"], ["small-5"])
    empty = runs.write_run(tmp_path / "empty", [runs.start()])
    refused = command("report", str(empty), "--out", "no.html", "--no-mlflow")
    assert refused.code == 2
    assert "wait for a first evaluation" in refused.err
    assert not Path("no.html").exists()


@pytest.mark.exhaustive
def test_a_report_is_among_the_figures_of_each_run_and_in_its_note(
    empty_mlflow: Path, tmp_path: Path, command: Command
) -> None:
    store = written_runs.copy_of(empty_mlflow, tmp_path)
    for seed in (1, 2):
        sync(long_runs.write(tmp_path / "all" / f"seed{seed}", seed, 10), store)
    found = command("report", str(tmp_path / "all"), "--store", store, "--json").json
    assert len(found["mlflow_run_ids"]) == 2
    with open_client(store) as client:
        for run_id in found["mlflow_run_ids"]:
            names = {item.path for item in client.list_artifacts(run_id, "figures")}
            assert "figures/report_of_2_runs.html" in names
            note = client.get_run(run_id).data.tags["mlflow.note.content"]
            assert "artifacts/figures/report_of_2_runs.html" in note
    again = command("report", found["run_ids"][0], "--store", store, "--out", "one.html")
    assert again.code == 0, again.err  # read from the store alone
    assert "added to MLflow run" in again.out
