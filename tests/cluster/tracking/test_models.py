"""Kept genomes in a tracking store: models with parents and scores, each there once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

import evoplastic as ep
from analysis.lineage.graph import Graph, Key
from analysis.lineage.store import nodes_in_store
from cluster.loop import evolve
from cluster.tracking.mlflow_store import MlflowStore
from cluster.tracking.models import Suite, deliver_suite
from cluster.tracking.sync import sync
from evoplastic.api.starting import warm_started
from evoplastic.checks import UsageError
from evoplastic.genome.genome import Genome
from evoplastic.records.names import MODEL_HELD_OUT, TRACKING_NAME, kept_name
from tests.cluster import written_runs as runs
from tests.cluster.test_loop import small

BEST = [{"field_name": f"metrics.{MODEL_HELD_OUT}", "ascending": False}]


@pytest.fixture(scope="module")
def family(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> tuple[str, Path]:
    """A store with a run of two generations, and one that begins with its second center."""
    folder = tmp_path_factory.mktemp("family")
    store = runs.copy_of(empty_database, folder)
    short = ("evolution.generations=2", "evaluation.every=1")
    evolve(small(*short), folder / "one")
    config, start = warm_started(small(*short, "seed=4"), f"{folder / 'one'}@1")
    evolve(config, folder / "two", start=start)
    for name in ("one", "two"):
        sync(folder / name, store)
    return store, folder


def models(store: str, **how: object) -> list[object]:
    client = MlflowClient(tracking_uri=store)
    experiments = [each.experiment_id for each in client.search_experiments()]
    return list(client.search_logged_models(experiments, **how))


def test_each_kept_genome_is_a_model_and_the_best_is_found_in_one_call(
    family: tuple[str, Path],
) -> None:
    store, folder = family
    found = models(store, order_by=BEST)
    assert len(found) == 6
    reached = [
        next(metric for metric in model.metrics if metric.key == MODEL_HELD_OUT)  # type: ignore[attr-defined]
        for model in found
    ]
    assert [metric.value for metric in reached] == sorted(
        (metric.value for metric in reached), reverse=True
    )
    suite = Genome.load(folder / "one" / "genomes" / "center.safetensors").provenance
    assert {metric.dataset_digest for metric in reached} == {suite["suite_digest"]}
    best = found[0].model_id  # type: ignore[attr-defined]
    loaded = ep.load(best, store=store)
    assert loaded.digest == found[0].tags["genome_digest"]  # type: ignore[attr-defined]


def test_parents_and_children_are_linked_by_tags(family: tuple[str, Path]) -> None:
    store, folder = family
    begun = Genome.load(folder / "one" / "genomes" / kept_name(1))
    children = models(store, filter_string=f"tags.`parent_digest` = '{begun.digest}'")
    assert sorted(
        (child.tags["generation"], child.tags["operator"])  # type: ignore[attr-defined]
        for child in children
    ) == [("0", "warm start"), ("1", "es"), ("2", "es")]
    client = MlflowClient(tracking_uri=store)
    experiments = [each.experiment_id for each in client.search_experiments()]
    (run,) = client.search_runs(experiments, f"tags.`parent_run` = '{begun.provenance['run_id']}'")
    assert run.data.tags["parent_digest"] == begun.digest
    last = Genome.load(folder / "two" / "genomes" / "center.safetensors")
    assert run.data.tags["genome_digest"] == last.digest
    assert run.inputs.dataset_inputs[0].dataset.digest == last.provenance["suite_digest"]
    assert len(run.outputs.model_outputs) == 3


def test_a_lineage_goes_across_runs_through_the_store_alone(family: tuple[str, Path]) -> None:
    store, folder = family
    last = Genome.load(folder / "two" / "genomes" / "center.safetensors")
    key = Key(last.provenance["run_id"], 2, last.digest)
    graph = Graph(nodes_in_store([], [last.digest], store)).family([key])
    first = Genome.load(folder / "one" / "genomes" / "initial.safetensors")
    assert graph.founders == [Key(first.provenance["run_id"], 0, first.digest)]
    assert graph.nodes[graph.founders[0]].user
    assert store in graph.nodes[key].where
    descendants = Graph(nodes_in_store([first.provenance["run_id"]], [], store))
    assert set(graph.nodes) < set(descendants.nodes)


def test_digits_name_any_genome_that_a_store_has(
    family: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that is no run's newest center, and where no run directory is near."""
    store, folder = family
    monkeypatch.chdir(tmp_path)
    for name in ("initial.safetensors", kept_name(1), "center.safetensors"):
        digest = Genome.load(folder / "one" / "genomes" / name).digest
        assert ep.load(digest[:12], store=store).digest == digest
    client = MlflowClient(tracking_uri=store)
    first = Genome.load(folder / "one" / "genomes" / "initial.safetensors").digest
    twin = client.create_logged_model(
        client.get_experiment_by_name("evoplastic").experiment_id,
        tags={"genome_digest": first[:20] + "f" * 44},
    )
    with pytest.raises(UsageError, match=rf"2 genomes in .* begin with {first[:12]}: "):
        ep.load(first[:12], store=store)
    client.delete_logged_model(twin.model_id)


def test_delivering_again_changes_nothing(family: tuple[str, Path]) -> None:
    store, folder = family
    before = {model.model_id: len(model.metrics) for model in models(store)}  # type: ignore[attr-defined]
    (folder / "two" / TRACKING_NAME).unlink()
    sync(folder / "two", store)
    after = {model.model_id: len(model.metrics) for model in models(store)}  # type: ignore[attr-defined]
    assert after == before


def test_drivers_that_name_a_suite_at_once_are_all_heard(
    tmp_path: Path, empty_database: Path
) -> None:
    uri, drivers = runs.copy_of(empty_database, tmp_path), 6
    stores = [MlflowStore(uri, "suites") for _ in range(drivers)]
    client = stores[0].client
    ids = [client.create_run(stores[0].experiment_id).info.run_id for _ in stores]
    start = threading.Barrier(drivers)

    def name_suites(store: MlflowStore, run_id: str) -> None:
        for number in range(4):
            start.wait(60)
            deliver_suite(store, run_id, Suite(f"suite{number}", "0123456789abcdef"))

    with ThreadPoolExecutor(drivers) as pool:
        list(pool.map(name_suites, stores, ids))
    for run_id in ids:
        given = client.get_run(run_id).inputs.dataset_inputs
        assert sorted(each.dataset.name for each in given) == [f"suite{n}" for n in range(4)]
