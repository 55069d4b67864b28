"""Whole runs over the tables of searches and curricula: stopped and resumed, cut otherwise."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.checkpoint import load_checkpoint
from cluster.config.run import RunConfig, config_schema, load_config
from cluster.config.tables import TABLES
from cluster.journal import read_journal
from cluster.loop import evolve, resume
from cluster.progress import SilentProgress, Tick
from evoplastic.checks import UsageError
from evoplastic.genome.genome import Genome
from evoplastic.records.events import GenerationEvent
from evoplastic.records.names import PEDIGREE_LOG_NAME
from tasks.curricula.catalogue import CURRICULA
from tests.evoplastic.search.climbing import CLIMBING, SETTINGS, every_search, listed

INFORMED = sorted(name for name in CURRICULA if hasattr(CURRICULA[name].build, "tasks_given"))
CHOICES = [
    *(
        pytest.param(f"search={each.values[0]}", marks=each.marks)
        for each in every_search(pytest.mark.exhaustive)
    ),
    # With a search whose individuals have several lifetimes.
    *(f"search=snes curriculum={name}" for name in sorted(set(CURRICULA) - set(INFORMED))),
    *(
        pytest.param(
            f"search=snes curriculum={name} evaluation.train_lifetimes=1",
            marks=pytest.mark.exhaustive,
        )
        for name in INFORMED
    ),
]


@pytest.fixture(autouse=True)
def toy() -> Iterator[None]:
    with listed(CLIMBING):
        yield


def small(*overrides: str) -> RunConfig:
    """Two or more shards of a generation, four generations."""
    name = next((word.removeprefix("search=") for word in overrides if "search=" in word), "")
    return load_config(
        "smoke",
        [
            "engine=reference",
            "tracking.enabled=false",
            "evaluation.controls=false",
            "evaluation.train_lifetimes=0",
            "evaluation.held_out_lifetimes=2",
            *overrides,
            *SETTINGS.get(name, []),
            "search.popsize=8",
        ],
    )


def state_of(run_dir: Path) -> dict[str, bytes]:
    tensors = load_checkpoint(run_dir / "checkpoints").tensors
    return {name: tensor.numpy().tobytes() for name, tensor in tensors.items()}


class StopAt(SilentProgress):
    """Asks the run to stop after a generation."""

    def tick(self, tick: Tick) -> None:
        """Once."""
        if tick.generation == 2:
            os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.parametrize("choice", CHOICES)
def test_a_stopped_and_resumed_run_equals_one_that_never_stopped(
    choice: str, tmp_path: Path
) -> None:
    whole = evolve(small(*choice.split()), tmp_path / "whole")
    stopped = evolve(small(*choice.split()), tmp_path / "run", progress=StopAt())
    assert (stopped.status, stopped.generation) == ("preempted", 2)
    resumed = resume(tmp_path / "run")
    assert resumed.status == "done"
    assert resumed.center_digest == whole.center_digest
    assert state_of(resumed.run_dir) == state_of(whole.run_dir)
    logs = [run.run_dir / PEDIGREE_LOG_NAME for run in (resumed, whole)]
    assert [log.is_file() for log in logs] == ["best_individual" in state_of(whole.run_dir)] * 2
    assert not logs[0].is_file() or logs[0].read_bytes() == logs[1].read_bytes()
    initial = Genome.load(whole.run_dir / "genomes" / "initial.safetensors")
    assert whole.center_digest != initial.digest
    generations = [
        event.metrics
        for event in read_journal(whole.run_dir / "journal.ndjson")[0]
        if isinstance(event, GenerationEvent)
    ]
    assert all(metrics["fault/failed_individuals"] == 0 for metrics in generations)
    assert any(metrics["search/update_norm"] > 0 for metrics in generations)


@pytest.mark.parametrize("name", every_search(pytest.mark.exhaustive))
def test_the_size_of_shards_changes_nothing_but_rounding(name: str, tmp_path: Path) -> None:
    cut, whole = (
        evolve(
            small(f"search={name}", f"pairs_per_shard={pairs}", "evolution.generations=1"),
            tmp_path / str(pairs),
        )
        for pairs in (1, 4)
    )
    centers = [
        Genome.load(run.run_dir / "genomes" / "center.safetensors").center_G for run in (cut, whole)
    ]
    assert float((centers[0] - centers[1]).abs().max()) < 1e-3


def test_a_run_does_not_go_on_with_another_search(tmp_path: Path) -> None:
    evolve(small("search=climbing"), tmp_path / "run")
    with pytest.raises(UsageError, match=r"search\.name: 'climbing' -> 'es'"):
        resume(tmp_path / "run", ["search=es"])


def test_the_search_of_a_run_is_in_its_checkpoints_and_settings(tmp_path: Path) -> None:
    evolve(small("search=climbing"), tmp_path / "run")
    assert load_checkpoint(tmp_path / "run" / "checkpoints").search == "climbing"
    config = load_config(tmp_path / "run" / "config.resolved.yaml")
    assert (config.search.name, config.search.popsize) == ("climbing", 8)


def test_options_are_those_of_the_chosen_entry() -> None:
    with pytest.raises(UsageError, match=r"unknown key 'search\.learning_rate'"):
        small("search=climbing", "search.learning_rate=0.1")
    with pytest.raises(UsageError, match=r"unknown key 'search\.sigm'; did you mean 'search\.sig"):
        small("search=climbing", "search.sigm=0.1")
    assert small("search=climbing", "search.sigma=0.1").search.sigma == 0.1


def test_the_schema_knows_every_entry() -> None:
    """What an editor offers beside a configuration file."""
    properties, sections = config_schema()["properties"], config_schema()["$defs"]
    for key, names in TABLES.items():
        offered = properties[key]["anyOf"]
        words = [choice.get("enum") or [choice.get("const")] for choice in offered]
        assert sorted(names) in [sorted(map(str, word)) for word in words]
        options = [
            sections[choice["$ref"].rpartition("/")[2]] for choice in offered if "$ref" in choice
        ]
        assert {option["properties"]["name"]["const"] for option in options} == set(names)
        for entry in names.values():
            assert f"{entry.name}: {entry.title} ({entry.source})" in properties[key]["description"]
