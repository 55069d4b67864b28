"""Running a command in this process, and genomes to run it on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from evoplastic.__main__ import main
from evoplastic.genome.config import GenomeConfig
from evoplastic.genome.genome import Genome
from evoplastic.genome.layout import Layout
from evoplastic.network.neurons import NeuronGroups
from tests.cluster.written_runs import new_database


class Answer(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Stdout as the one JSON document that it must be."""
        return json.loads(self.out)


Command = Callable[..., Answer]


@pytest.fixture
def command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Command:
    """Run `evoplastic WORDS...` in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EVOPLASTIC_DEBUG", raising=False)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("COLUMNS", "160")

    def run(*words: object) -> Answer:
        code = main([str(word) for word in words])
        return Answer(code, *capsys.readouterr())

    return run


@pytest.fixture
def genome_file(tmp_path: Path) -> Path:
    """A small random genome that fits the two-stimulus tasks."""
    path = tmp_path / "small.safetensors"
    Genome.random(Layout(NeuronGroups(num_neurons=16)), 3, GenomeConfig()).save(path)
    return path


@pytest.fixture(scope="session")
def empty_mlflow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MLflow database to copy."""
    return new_database(tmp_path_factory.mktemp("mlflow") / "mlflow.db")
