"""One migrated MLflow store for all tests of this folder: making it costs seconds."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")


@pytest.fixture(scope="session")
def store_uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    """URI of an SQLite store with one experiment, "evoplastic"."""
    from mlflow.tracking import MlflowClient

    folder: Path = tmp_path_factory.mktemp("mlflow")
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    client = MlflowClient(tracking_uri=uri)
    client.create_experiment("evoplastic", artifact_location=(folder / "artifacts").as_uri())
    return uri
