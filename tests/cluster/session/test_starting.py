"""A run that begins with a genome of another run: recorded, resumed exactly, refused if unfit."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import evoplastic as ep
from cluster.config.run import load_config
from cluster.journal import read_journal
from cluster.loop import evolve, resume
from evoplastic.api.starting import warm_started
from evoplastic.checks import UsageError
from evoplastic.genome.genome import Genome
from evoplastic.genome.parents import Parent
from evoplastic.records.events import EvaluationEvent
from evoplastic.records.names import START_NAME, kept_name
from tests.cluster.test_loop import search_bytes, small

LONGER = "evolution.generations=2"


@pytest.fixture(scope="module")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two generations."""
    config = small(LONGER, "evaluation.every=1")
    return evolve(config, tmp_path_factory.mktemp("first") / "run").run_dir


@pytest.mark.parametrize("search", ["es", "ga"])
def test_a_run_begins_with_a_center_of_another_and_says_so(
    first_run: Path, tmp_path: Path, search: str
) -> None:
    begun = Genome.load(first_run / "genomes" / kept_name(1))
    settings = [] if search == "es" else ["search=ga", "search.popsize=8", "search.lifetimes=2"]
    config, start = warm_started(small(LONGER, "seed=5", *settings), f"{first_run}@1")
    outcome = evolve(config, tmp_path / "run", start=start)
    initial = Genome.load(outcome.run_dir / "genomes" / "initial.safetensors")
    assert initial.digest == begun.digest
    assert initial.parents == (Parent(begun.digest, begun.provenance["run_id"], 1),)
    assert initial.operator == "warm start"
    told, _ = read_journal(outcome.run_dir / "journal.ndjson")
    measured = [event for event in told if isinstance(event, EvaluationEvent)]
    assert measured[0].parent_digest == begun.digest
    kept = Genome.load(outcome.run_dir / START_NAME)
    assert (kept.digest, kept.parents) == (begun.digest, begun.parents)
    written = load_config(outcome.run_dir / "config.resolved.yaml").warm_start
    assert (written.genome, written.given) == (begun.digest, f"{first_run}@1")


def test_it_is_resumed_exactly_when_the_original_has_gone(first_run: Path, tmp_path: Path) -> None:
    origin = shutil.copytree(first_run, tmp_path / "origin")
    config, start = warm_started(small("evolution.generations=3"), f"{origin}@1")
    whole = evolve(config, tmp_path / "whole", start=start)
    shorter, _ = warm_started(small("evolution.generations=1"), f"{origin}@1")
    evolve(shorter, tmp_path / "run", start=start)
    shutil.rmtree(origin)
    again = ep.evolve(
        small("evolution.generations=3"),
        run_dir=tmp_path / "run",
        start_from=f"{origin}@1",
        go_on=True,
    )
    assert again.outcome.center_digest == whole.center_digest
    assert search_bytes(tmp_path / "run") == search_bytes(whole.run_dir)
    with pytest.raises(UsageError, match=r"warm_start\.adapt: there False, asked True"):
        ep.evolve(
            small("evolution.generations=3"),
            run_dir=tmp_path / "run",
            start_from=f"{origin}@1",
            adapt=True,
            go_on=True,
        )


def test_a_copy_that_is_lost_or_another_genome_is_refused(first_run: Path, tmp_path: Path) -> None:
    config, start = warm_started(small("evolution.generations=1"), f"{first_run}@1")
    run_dir = evolve(config, tmp_path / "run", start=start).run_dir
    shutil.copy(first_run / "genomes" / "initial.safetensors", run_dir / START_NAME)
    with pytest.raises(UsageError, match=f"{START_NAME} is not the genome that this run began"):
        resume(run_dir, ["evolution.generations=2"])
    (run_dir / START_NAME).unlink()
    with pytest.raises(UsageError, match=f"{START_NAME} is not the genome that this run began"):
        resume(run_dir, ["evolution.generations=2"])


def test_a_named_genome_that_did_not_come_is_refused_before_any_file(tmp_path: Path) -> None:
    config = small("warm_start.genome=" + "ab" * 32)
    with pytest.raises(UsageError, match="name a genome with --from"):
        evolve(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_digests_of_settings_that_begin_with_nothing_are_those_of_before() -> None:
    plain, named = small(), small("warm_start.genome=" + "ab" * 32)
    assert plain.digest == small("warm_start.adapt=true").digest
    assert named.digest != plain.digest
    assert named.path_digest != plain.path_digest
    assert named.digest == small("warm_start.genome=" + "ab" * 32, "warm_start.given=x").digest
