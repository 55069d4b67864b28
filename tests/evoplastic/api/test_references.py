"""One resolver for every place that asks for a genome; its one error lists what was tried."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import evoplastic as ep
from cluster.tracking.sync import sync
from evoplastic.api.references import SHIPPED, find_genome, written_digest
from evoplastic.checks import UsageError
from evoplastic.genome.genome import Genome
from evoplastic.records.names import kept_name

SMALL: dict[str, Any] = {
    "engine": "reference",
    "evaluation": {
        "every": 2,
        "controls": False,
        "train_lifetimes": 0,
        "held_out_lifetimes": 2,
    },
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which one run was evolved and delivered to a store."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def done(home: Path) -> Iterator[ep.Evolved]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        done = ep.evolve("smoke", tracking={"enabled": False}, **SMALL)
        sync(done.run_dir, "sqlite:///mlflow.db")
        yield done


def test_a_run_by_directory_name_generation_and_digits(home: Path, done: ep.Evolved) -> None:
    run = done.run_dir
    genomes = {number: Genome.load(run / "genomes" / kept_name(number)) for number in (0, 2, 4)}
    for ref, digest in (
        (run, done.genome.digest),
        (run.name, done.genome.digest),
        (run / "genomes" / "center.safetensors", done.genome.digest),
        (f"{run}@4", done.genome.digest),
        (f"{run}@2", genomes[2].digest),
        (f"{run.name}@2", genomes[2].digest),
        (f"{run}@initial", genomes[0].digest),
        (f"{run}@0", genomes[0].digest),
        (genomes[2].digest[:10], genomes[2].digest),
        (genomes[0].digest, genomes[0].digest),
    ):
        genome = ep.load(ref)
        assert genome.digest == digest, ref
        assert genome.run_config == (home / run / "config.resolved.yaml"), ref


def test_a_run_by_its_ids_in_the_store(
    done: ep.Evolved, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow.tracking import MlflowClient

    store = f"sqlite:///{Path('mlflow.db').absolute()}"
    monkeypatch.chdir(tmp_path)  # nothing of the run is near
    client = MlflowClient(tracking_uri=store)
    experiment = client.get_experiment_by_name("evoplastic").experiment_id
    (listed,) = client.search_runs([experiment])
    model = client.create_logged_model(experiment, name="center", source_run_id=listed.info.run_id)
    folder = tmp_path / "model"
    folder.mkdir()
    done.genome.save(folder / "genome.safetensors")
    client.log_model_artifacts(model.model_id, str(folder))
    client.finalize_logged_model(model.model_id, "READY")
    second = ep.load(f"{listed.info.run_id}@2", store=store)
    assert second.provenance["generation"] == "2"
    for ref in (
        listed.info.run_id,
        done.outcome.run_id,
        f"{done.outcome.run_id}@4",
        model.model_id,
        done.genome.digest[:8],
    ):
        genome = ep.load(ref, store=store)
        assert genome.digest == done.genome.digest, ref
        assert genome.run_config is not None
        assert "smoke" in genome.run_config.read_text()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    assert ep.load(listed.info.run_id).digest == done.genome.digest


def test_what_is_not_there_is_told_with_what_was_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, done: ep.Evolved
) -> None:
    run = done.run_dir.absolute()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as caught:
        find_genome("abcdef12")
    for tried in (
        "no genome 'abcdef12'",
        "a file or run directory of that name",
        "the run directory runs/abcdef12",
        "digests of the genomes in ./, genomes/",
        "no tracking store at",
        "first digits of a digest",
    ):
        assert tried in str(caught.value)
    with pytest.raises(UsageError, match="no genome 'some/where'"):
        find_genome("some/where")
    for strange in ("x" * 5000, "a\0b", "@", "@40", ""):
        with pytest.raises(UsageError, match="no genome"):
            find_genome(strange)
    with pytest.raises(UsageError, match=r"generation 3; .* here of generations 0, 2, 4$"):
        find_genome(f"{run}@3")
    with pytest.raises(UsageError, match="@best names no genome of a run"):
        find_genome(f"{run}@best")


def test_digits_of_several_genomes_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, done: ep.Evolved
) -> None:
    monkeypatch.setattr("evoplastic.api.references.written_digest", lambda file: f"abcdef{file}")
    with pytest.raises(UsageError, match=r"genomes begin with abcdef: .*give more digits"):
        find_genome("abcdef")


def test_digest_of_a_file_is_read_from_its_header(tmp_path: Path) -> None:
    shipped = SHIPPED / "miconi2023.safetensors"
    assert written_digest(shipped) == Genome.load(shipped).digest
    (tmp_path / "none.safetensors").write_bytes(b"nothing")
    assert written_digest(tmp_path / "none.safetensors") is None
