"""Stores that several tests of this folder copy."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster.written_runs import new_database


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MLflow database to copy."""
    return new_database(tmp_path_factory.mktemp("mlflow") / "mlflow.db")
