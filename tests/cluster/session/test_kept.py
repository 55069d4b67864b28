"""Evaluated centers are kept by generation, within a bound, the same ones after a resumption."""

from __future__ import annotations

import os
import signal
from itertools import pairwise
from pathlib import Path

import pytest

from cluster.experiment import build_experiment
from cluster.journal import read_journal
from cluster.loop import evolve, resume
from cluster.session.kept import HEADER_BYTES, keep_center, most_kept, thin_out, thinned
from evoplastic.genome.genome import Genome
from evoplastic.genome.layout import Layout
from evoplastic.genome.parents import Parent
from evoplastic.network.neurons import NeuronGroups
from evoplastic.records.events import EvaluationEvent
from evoplastic.records.names import kept_name
from tests.cluster.test_loop import At, small
from tests.cluster.tiny import tiny_genome, tiny_problem

EVERY = ("evaluation.every=1", "evolution.generations=5")


def kept(run_dir: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted((run_dir / "genomes").glob("gen_*"))}


@pytest.mark.parametrize("most", [0, 1, 2, 3, 7, 8])
def test_what_is_kept_was_kept_before_and_fits(most: int) -> None:
    before: list[int] = []
    for count in range(200):
        now = thinned(count, most)
        assert len(now) == min(count, len(now)) <= most
        assert set(now) - {count - 1} <= set(before), "a center that was removed is asked for"
        assert (count - 1 in now) == (count > 0 and most > 0)
        assert most < 2 or count == 0 or now[0] == 0
        before = now
    spacing = {b - a for a, b in pairwise(before[:-1])}
    assert len(spacing) <= 1, "not evenly spread"


def test_how_many_fit_into_a_size(tmp_path: Path) -> None:
    genome = tiny_genome(tiny_problem())
    keep_center(tmp_path, genome, 3, 1)
    size = (tmp_path / kept_name(3)).stat().st_size
    assert 4 * genome.layout.size < size < 4 * genome.layout.size + HEADER_BYTES
    assert most_kept(genome.layout, 10 * size / 2**20) <= 10
    assert most_kept(Layout(NeuronGroups(num_neurons=70)), 256.0) > 5000


def test_nothing_else_is_removed(tmp_path: Path) -> None:
    genome = tiny_genome(tiny_problem())
    for generation in (0, 10, 20, 30):
        keep_center(tmp_path, genome, generation, 2)
    for name in ("center.safetensors", "gen_mine.safetensors"):
        (tmp_path / name).touch()
    thin_out(tmp_path, [0, 10, 20], 2)  # generation 30 was never recorded
    left = {file.name for file in tmp_path.iterdir()}
    assert left == {"center.safetensors", "gen_mine.safetensors", kept_name(0), kept_name(20)}


def test_a_run_keeps_each_center_with_its_parent(tmp_path: Path) -> None:
    outcome = evolve(small(*EVERY), tmp_path / "run")
    genomes = [
        Genome.load(outcome.run_dir / "genomes" / kept_name(generation)) for generation in range(6)
    ]
    told, _ = read_journal(outcome.run_dir / "journal.ndjson")
    measured = [event for event in told if isinstance(event, EvaluationEvent)]
    assert [event.genome_digest for event in measured] == [genome.digest for genome in genomes]
    for generation, genome in enumerate(genomes):
        assert genome.provenance["generation"] == str(generation)
        assert genome.provenance["run_id"] == outcome.run_id
        before = genomes[generation - 1].digest if generation else ""
        assert genome.parents == (
            (Parent(before, outcome.run_id, generation - 1),) if generation else ()
        )
        assert genome.operator == ("es" if generation else "random")


def test_a_resumed_run_keeps_the_same_files(tmp_path: Path) -> None:
    size = build_experiment(small()).layout.size
    bound = f"evaluation.genomes_mib={3.5 * (4 * size + HEADER_BYTES) / 2**20}"
    whole = evolve(small(*EVERY, bound), tmp_path / "whole")
    cut = tmp_path / "cut"
    stop = At(3, lambda: os.kill(os.getpid(), signal.SIGTERM))
    assert evolve(small(*EVERY, bound), cut, progress=stop).status == "preempted"
    (cut / "genomes" / kept_name(1)).touch()  # as if it had been killed before it was removed
    resume(cut)
    files, again = kept(whole.run_dir), kept(cut)
    assert list(files) == list(again)
    assert 2 <= len(files) <= 3
    for name in files:
        one, other = (
            Genome.load(whole.run_dir / "genomes" / name),
            Genome.load(cut / "genomes" / name),
        )
        assert one.digest == other.digest
        assert {**one.provenance, "run_id": ""} == {**other.provenance, "run_id": ""}


def test_none_are_kept_where_none_are_wanted(tmp_path: Path) -> None:
    outcome = evolve(small("evolution.generations=1", "evaluation.genomes_mib=0"), tmp_path / "run")
    assert kept(outcome.run_dir) == {}
