"""The archive of a run in a tracking store: a table, and the best elites as models."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient
from pyarrow import parquet

import evoplastic as ep
from cluster.loop import evolve
from cluster.tracking import elites
from cluster.tracking.sync import sync
from evoplastic.records.names import MODEL_HELD_OUT, TRACKING_NAME
from tests.cluster import written_runs as runs
from tests.cluster.session.test_elites import small


def test_the_best_elites_are_models_and_all_of_them_a_table(
    tmp_path: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elites, "MOST_MODELS", 2)
    store = runs.copy_of(empty_database, tmp_path)
    outcome = evolve(small(2), tmp_path / "run")
    sync(tmp_path / "run", store)
    told = json.loads((tmp_path / "run" / "archive.json").read_text())
    best = sorted(told["elites"], key=lambda elite: elite["loss"])
    assert len(best) > 2
    client = MlflowClient(tracking_uri=store)
    experiments = [each.experiment_id for each in client.search_experiments()]
    models = client.search_logged_models(experiments)
    of_cells = {model.tags["cell"]: model for model in models if "cell" in model.tags}
    assert {cell: model.tags["genome_digest"] for cell, model in of_cells.items()} == {
        ",".join(map(str, elite["cell"])): elite["genome"] for elite in best[:2]
    }
    first = of_cells[",".join(map(str, best[0]["cell"]))]
    assert first.params == {
        "accuracy": f"{best[0]['behaviour'][0]:g}",
        "mean_modulation": f"{best[0]['behaviour'][1]:g}",
        "loss": f"{best[0]['loss']:g}",
    }
    assert ep.load(first.model_id, store=store).digest == outcome.center_digest
    clause = f"params.`accuracy` = '{first.params['accuracy']}'"
    found = client.search_logged_models(experiments, filter_string=clause)
    assert first.model_id in {model.model_id for model in found}
    scored = [{"field_name": f"metrics.{MODEL_HELD_OUT}", "ascending": False}]
    (top,) = client.search_logged_models(experiments, order_by=scored, max_results=1)
    assert "cell" not in top.tags, "an elite without held-out scores came before a center"
    (run_id,) = {model.source_run_id for model in models}
    assert {"archive.json", "archive/elites.parquet"} < runs.artifacts(store, run_id)
    client.download_artifacts(run_id, "archive", str(tmp_path))
    table = parquet.read_table(tmp_path / "archive" / "elites.parquet").to_pylist()
    assert [(row["genome"], row["loss"]) for row in table] == [
        (elite["genome"], elite["loss"]) for elite in best
    ]
    assert list(table[0]) == ["cell_0", "cell_1", "accuracy", "mean_modulation", "loss", "genome"]
    (tmp_path / "run" / TRACKING_NAME).unlink()
    sync(tmp_path / "run", store)
    assert len(client.search_logged_models(experiments)) == len(models)
