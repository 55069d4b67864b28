"""Files and words as a user gives them, and what reads each: where mutations start from."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file

from analysis.store import read_directory
from cluster.checkpoint import Checkpoint, CheckpointMeta, load_checkpoint, save_checkpoint
from cluster.config.run import RECIPES, RunConfig, load_config
from cluster.experiment import build_experiment
from cluster.journal import read_journal
from cluster.planning.dry_run import estimate
from cluster.tracking.delivery import Delivery, last_uri, read_cursors
from cluster.tracking.tracker import resolve_uri
from evoplastic.genome.catalogue import PUBLISHED
from evoplastic.genome.config import GenomeConfig
from evoplastic.genome.genome import Genome
from evoplastic.genome.layout import Layout
from evoplastic.network.neurons import NeuronGroups
from tasks.suites.suite_file import known_suite_files, read_suite_file
from tests.cluster import written_runs as runs

MOST_BUILT = 64  # neurons and more of a configuration that is also built


@dataclass(frozen=True)
class Input:
    """One kind of thing that a user gives.

    Args:
        texts: sound examples to mutate.
        read: reads a mutated one, and does with what it accepts what comes later.
    """

    texts: tuple[str, ...]
    read: Callable[[str], Any]


def require_lasting(config: RunConfig, file: Path) -> None:
    """What was accepted resolves to itself from a file, and can be built where it is small."""
    file.write_text(config.to_yaml(), encoding="utf-8")
    again = load_config(file)
    assert (again.to_yaml(), again.digest) == (config.to_yaml(), config.digest)
    small = (
        config.num_neurons <= MOST_BUILT
        and config.simulated.num_trials <= 1000
        and config.suite == "miconi2023"
        and config.pairs_per_shard <= 1000
        and getattr(config.search, "popsize", 0) <= 1000
    )
    if small and config.engine in ("auto", "reference"):
        config = config.model_copy(update={"engine": "reference"})
        estimate(build_experiment(config), 0)


def inputs(folder: Path) -> dict[str, Input]:
    """Everything that is read from outside, with a scratch folder of its own."""
    recipes = tuple(path.read_text() for path in sorted(RECIPES.glob("*.yaml")))
    resolved = load_config("smoke").to_yaml()
    words = tuple(
        f"{key}={value}" for key, value in load_config("smoke").flat().items() if value is not None
    )
    suites = tuple(path.read_text() for path in known_suite_files().values())
    groups = NeuronGroups(num_neurons=16)
    genome = folder / "genome.safetensors"
    Genome.random(Layout(groups, PUBLISHED), 1, GenomeConfig()).save(genome)
    tensors = load_file(genome)
    saved = folder / "saved"
    path = save_checkpoint(
        saved,
        Checkpoint(search="es", tensors=tensors, meta=CheckpointMeta(
            run_id="run", config_digest="c0ffee", next_generation=3)),
    )  # fmt: skip
    run_dir = runs.write(folder / "run", runs.generation(0), runs.evaluation(1))
    journal = (run_dir / "journal.ndjson").read_text()
    tracking = json.dumps(
        {
            "uri": "sqlite:///mlflow.db",
            "stores": {
                "sqlite:///mlflow.db": {
                    "experiment": "study", "mlflow_run_id": "ab", "offset": 10, "resumes": 1,
                    "ended": False, "files": {"journal.ndjson": [1, 2]},
                }
            },
        }
    )  # fmt: skip

    def config_file(text: str) -> None:
        (folder / "mutated.yaml").write_bytes(raw(text))
        require_lasting(load_config(folder / "mutated.yaml"), folder / "resolved.yaml")

    def override(word: str) -> None:
        require_lasting(load_config("smoke", [word]), folder / "resolved.yaml")

    def suite(text: str) -> None:
        (folder / "suite.yaml").write_bytes(raw(text))
        read = read_suite_file(folder / "suite.yaml")
        assert read.name.encode()
        for task in (*read.train, *read.held_out):
            assert task.description.encode()
            hash(task)

    def genome_header(text: str) -> None:
        save_file(tensors, genome, {"evoplastic": scalar(text)})
        read = Genome.load(genome)
        json.dumps(read.provenance | read.groups.describe()).encode()
        read.save(folder / "again.safetensors")

    def checkpoint_header(text: str) -> None:
        for old in saved.iterdir():
            old.unlink()
        save_file(tensors, saved / path.name, {"evoplastic": scalar(text)})
        assert load_checkpoint(saved).meta.next_generation >= 0

    def tracking_file(text: str) -> None:
        (run_dir / "tracking.json").write_bytes(raw(text))
        for cursor in read_cursors(run_dir).values():
            assert cursor.offset + cursor.resumes >= 0
        resolve_uri(None, run_dir)
        uri = last_uri(run_dir) or "sqlite:///mlflow.db"
        assert Delivery(run_dir, run_dir / "journal.ndjson", uri, "study").cursor.offset >= 0

    def journal_file(text: str) -> None:
        (run_dir / "journal.ndjson").write_bytes(raw(text))
        read_journal(run_dir / "journal.ndjson")
        records = read_directory(run_dir)
        for event in records.evaluations:
            json.dumps(event.metrics())

    (run_dir / "config.resolved.yaml").write_text(resolved)
    return {
        "recipe": Input((*recipes, resolved), config_file),
        "override": Input(words, override),
        "rule": Input(tuple(word for word in words if word.startswith("rule.")), override),
        "suite": Input(suites, suite),
        "genome": Input((header_of(genome),), genome_header),
        "checkpoint": Input((header_of(path),), checkpoint_header),
        "tracking": Input((tracking,), tracking_file),
        "journal": Input((journal,), journal_file),
    }


def header_of(path: Path) -> str:
    """The JSON header of a file of ours."""
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        return str(file.metadata()["evoplastic"])


def raw(text: str) -> bytes:
    """A text as bytes, halves of surrogate pairs included."""
    return text.encode("utf-8", "surrogatepass")


def scalar(text: str) -> str:
    """A text that safetensors takes as metadata."""
    return text.encode("utf-8", "replace").decode()
