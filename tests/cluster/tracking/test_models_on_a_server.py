"""Kept genomes on a real MLflow server, which dies under a run and comes back."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from mlflow.entities import Run
from mlflow.tracking import MlflowClient

from analysis.lineage.graph import Graph, Key
from analysis.lineage.store import nodes_in_store
from cluster.config.run import load_config
from cluster.journal import read_journal
from cluster.loop import evolve
from cluster.progress import SilentProgress, Tick
from cluster.tracking import tracker as tracking
from cluster.tracking.models import scores_of
from cluster.tracking.sync import sync
from evoplastic.api.starting import warm_started
from evoplastic.genome.genome import Genome
from evoplastic.records.events import EvaluationEvent
from evoplastic.records.names import MODEL_HELD_OUT, TAG_RUN_ID, kept_name
from tests.cluster import written_runs as runs
from tests.storm.weather import Server

pytestmark = pytest.mark.cluster

GENERATIONS, EVERY = 12, 2
KILLED_AFTER, BACK_AFTER = 4, 9  # generations
ROOT = Path(tracking.__file__).resolve().parents[2]
# Whoever loads a pickle names the classes that it makes, and is stopped here.
LOADED_WITHOUT_PICKLE = """
import sys
import evoplastic as ep

def refuse(event, arguments):
    if event == "pickle.find_class":
        raise RuntimeError(f"a pickle asks for {arguments}")

sys.addaudithook(refuse)
print(ep.load(sys.argv[1], store=sys.argv[2]).digest)
"""


class Family(NamedTuple):
    """A server with two runs, the second of which began with a center of the first."""

    server: Server
    folder: Path
    first: Path
    second: Path
    deaths_met: int  # generations that the first run did while the server was dead

    @property
    def client(self) -> MlflowClient:
        """Of the server."""
        return MlflowClient(tracking_uri=self.server.uri)

    def models(self, **how: Any) -> list[Any]:
        """Logged models of all experiments."""
        experiments = [each.experiment_id for each in self.client.search_experiments()]
        return list(self.client.search_logged_models(experiments, **how))

    def run(self, run_dir: Path) -> Run:
        """The one run of a directory."""
        run_id = center_of(run_dir).provenance["run_id"]
        experiments = [each.experiment_id for each in self.client.search_experiments()]
        (run,) = self.client.search_runs(experiments, f"tags.`{TAG_RUN_ID}` = '{run_id}'")
        return run


class KillsAndRestarts(SilentProgress):
    """Kills the server after one generation of a run and starts it again after a later one."""

    def __init__(self, server: Server, run_dir: Path) -> None:
        self._server, self._run_dir = server, run_dir
        self.without = 0

    def tick(self, tick: Tick) -> None:
        """Change the weather."""
        if tick.generation == KILLED_AFTER:
            told = self._run_dir / "tracking.json"
            runs.wait_until(told.exists, 60, "the server has heard of the run")
            self._server.kill()
        elif KILLED_AFTER < tick.generation < BACK_AFTER:
            self.without += 1
        elif tick.generation == BACK_AFTER:
            self._server.start()


@pytest.fixture(scope="module")
def family(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Family]:
    """Two runs of `smoke`, delivered over HTTP; the server was away for a while of the first."""
    folder = tmp_path_factory.mktemp("served")
    server = Server(folder)
    server.start()
    try:
        config = load_config(
            "smoke",
            [
                f"tracking.uri={server.uri}",
                f"evolution.generations={GENERATIONS}",
                f"evaluation.every={EVERY}",
            ],
        )
        weather = KillsAndRestarts(server, folder / "first")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(tracking, "RETRY_S", (0.1, 0.5))
            evolve(config, folder / "first", progress=weather)
            begun, start = warm_started(config, f"{folder / 'first'}@4")
            evolve(begun, folder / "second", start=start)
        yield Family(server, folder, folder / "first", folder / "second", weather.without)
    finally:
        server.kill()


def center_of(run_dir: Path) -> Genome:
    return Genome.load(run_dir / "genomes" / "center.safetensors")


def evaluations(run_dir: Path) -> list[EvaluationEvent]:
    events, _ = read_journal(run_dir / "journal.ndjson")
    return [event for event in events if isinstance(event, EvaluationEvent)]


def test_a_server_that_was_away_during_a_run_has_every_point_and_model_once(
    family: Family,
) -> None:
    assert family.deaths_met == BACK_AFTER - KILLED_AFTER - 1
    assert sync(family.first, family.server.uri).points == 0, "the run left something to deliver"
    run = family.run(family.first)
    assert run.info.status == "FINISHED"
    history = Counter(
        (metric.key, metric.step, metric.value)
        for name in run.data.metrics
        for metric in family.client.get_metric_history(run.info.run_id, name)
    )
    assert set(history) == runs.stored(family.first)
    assert set(history.values()) == {1}
    made = Counter(
        model.tags["generation"]
        for model in family.models(filter_string=f"tags.`run_id` = '{run.data.tags[TAG_RUN_ID]}'")
    )
    assert made == Counter(map(str, range(0, GENERATIONS + 1, EVERY)))


def test_scores_of_a_model_are_linked_to_it_and_to_the_suite(family: Family) -> None:
    run = family.run(family.first)
    (given,) = run.inputs.dataset_inputs
    digest = center_of(family.first).provenance["suite_digest"]
    assert (given.dataset.name, given.dataset.digest) == ("miconi2023", digest)
    models = {model.model_id: model for model in family.models()}
    linked = {output.model_id for output in run.outputs.model_outputs}
    assert len(linked) == len(evaluations(family.first))
    for event in evaluations(family.first):
        (model,) = [
            model
            for model in models.values()
            if model.model_id in linked and model.tags["generation"] == str(event.generation)
        ]
        assert model.tags["genome_digest"] == event.genome_digest
        assert model.status.name == "READY"
        assert {metric.key: metric.value for metric in model.metrics} == scores_of(event)
        assert {
            (metric.dataset_name, metric.dataset_digest, metric.run_id) for metric in model.metrics
        } == {("miconi2023", digest, run.info.run_id)}


def test_one_search_finds_the_best_genome_of_an_experiment(family: Family) -> None:
    order = [
        {
            "field_name": f"metrics.{MODEL_HELD_OUT}",
            "ascending": False,
            "dataset_name": "miconi2023",
            "dataset_digest": center_of(family.first).provenance["suite_digest"],
        }
    ]
    (best,) = family.models(order_by=order, max_results=1)
    reached = {
        event.genome_digest: event.held_out_accuracy or 0.0
        for run_dir in (family.first, family.second)
        for event in evaluations(run_dir)
    }
    found = next(metric.value for metric in best.metrics if metric.key == MODEL_HELD_OUT)
    assert found == reached[best.tags["genome_digest"]] == max(reached.values())


def test_loading_a_model_runs_no_code(family: Family) -> None:
    served = [file for file in (family.folder / "served").rglob("models/**/*") if file.is_file()]
    assert {file.suffix for file in served} == {".safetensors"}
    for model in family.models(max_results=2):
        done = subprocess.run(
            [sys.executable, "-c", LOADED_WITHOUT_PICKLE, model.model_id, family.server.uri],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            cwd=family.folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip() == model.tags["genome_digest"]


def test_a_warm_start_is_a_link_between_two_runs_of_the_server(family: Family) -> None:
    begun = Genome.load(family.first / "genomes" / kept_name(4))
    parent = family.run(family.first)
    experiments = [parent.info.experiment_id]
    child = family.run(family.second)
    tags = child.data.tags
    assert (tags["parent_run"], tags["parent_digest"]) == (
        parent.data.tags[TAG_RUN_ID],
        begun.digest,
    )
    (found,) = family.client.search_runs(experiments, f"tags.`parent_digest` = '{begun.digest}'")
    assert found.info.run_id == child.info.run_id
    children = family.models(filter_string=f"tags.`parent_digest` = '{begun.digest}'")
    assert {(model.tags["operator"], model.tags["generation"]) for model in children} == {
        ("warm start", "0"),
        ("es", "6"),
        ("es", str(EVERY)),
    }
    last = center_of(family.second)
    key = Key(last.provenance["run_id"], GENERATIONS, last.digest)
    graph = Graph(nodes_in_store([], [last.digest], family.server.uri)).family([key])
    first = Genome.load(family.first / "genomes" / "initial.safetensors")
    assert graph.founders == [Key(first.provenance["run_id"], 0, first.digest)]
