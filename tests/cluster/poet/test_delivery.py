"""A run of POET in MLflow: tables and genomes are artifacts, counts are metrics."""

from __future__ import annotations

from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from cluster.loop import evolve
from evoplastic.api.references import find_genome
from evoplastic.genome.genome import Genome
from evoplastic.records.names import ENVIRONMENTS_FILE, ENVIRONMENTS_NAME, PAIRS, TRANSFERS_NAME
from tests.cluster.poet.worlds import smoke


@pytest.mark.exhaustive
def test_a_store_has_the_environments_who_moved_and_all_genomes(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    outcome = evolve(
        smoke("tracking.enabled=true", f"tracking.uri={uri}", "tracking.experiment=worlds"),
        tmp_path / "run",
    )
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name("worlds")
    assert experiment is not None
    (run,) = client.search_runs([experiment.experiment_id])
    there = {each.path for each in client.list_artifacts(run.info.run_id)}
    assert {ENVIRONMENTS_NAME, TRANSFERS_NAME, ENVIRONMENTS_FILE} <= there
    pairs = client.list_artifacts(run.info.run_id, f"genomes/{PAIRS}")
    assert {Path(each.path).stem for each in pairs} == {"e0", "e1", "e2"}
    for name in ("active_pairs", "annecs", "transfers"):
        assert len(client.get_metric_history(run.info.run_id, f"poet/{name}")) == 5, name
    stored = find_genome(f"{run.info.run_id}@e1", uri)
    kept = find_genome(f"{outcome.run_dir}@e1")
    assert Genome.load(stored.path).digest == Genome.load(kept.path).digest
    assert stored.config is not None
