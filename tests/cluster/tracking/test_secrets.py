"""What a tracking URI holds to log in with is refused, and written nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster.tracking.secrets import require_no_secret
from evoplastic.checks import UsageError
from tests.cli.conftest import Command, command

__all__ = ["command"]  # the fixture

SECRETS = (
    "https://store.example/?token=hunter2",
    "https://store.example?x=hunter2",
    "https://hunter2@store.example",
    "https://me:hunter2@store.example",
    "https://store.example/#hunter2",
    "sqlite:///mlflow.db?password=hunter2",
    "postgresql://me:hunter2@store.example/db",
    "postgresql://me@store.example/db?password=hunter2",
    "mysql+pymysql://me@store.example/db?ssl_key=hunter2",
)


@pytest.mark.parametrize("uri", SECRETS)
def test_a_secret_is_refused_and_not_repeated(uri: str) -> None:
    with pytest.raises(UsageError, match="leave it out") as caught:
        require_no_secret(uri)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "uri",
    [
        "sqlite:////data/mlflow.db",
        "sqlite:///data/a@b/mlflow.db",
        "http://127.0.0.1:5000",
        "https://store.example/team",
        "postgresql://me@store.example/db?sslmode=require",
        "databricks://profile",
        "./mlruns",
    ],
)
def test_what_holds_none_is_taken(uri: str) -> None:
    require_no_secret(uri)


@pytest.mark.parametrize("way", ["setting", "disabled", "variable"])
@pytest.mark.parametrize("uri", SECRETS[:1] + SECRETS[2:3] + SECRETS[5:6])
def test_no_file_is_written_that_holds_it(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, uri: str
) -> None:
    if way == "variable":
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    words = [] if way == "variable" else [f"tracking.uri={uri}"]
    words += ["tracking.enabled=false"] if way == "disabled" else []
    answer = command("evolve", "smoke", "--run-dir", "run", *words)
    assert answer.code == 2
    assert "leave it out" in answer.err
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
