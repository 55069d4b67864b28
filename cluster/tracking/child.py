"""A run of its own for what is measured of a genome afterwards, below the run that evolved it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from cluster.journal import now_ms
from cluster.tracking.mlflow_store import MlflowStore, Point
from evoplastic.checks import EnvironmentFault
from evoplastic.records.names import TAG_GENOME, TAG_RUN_ID


class Child(NamedTuple):
    """What is kept of one measurement."""

    name: str
    kind: str  # of measurement, the tag evoplastic.kind
    params: dict[str, Any]
    metrics: dict[str, float]
    genome: str  # digest
    report: Mapping[str, Any]  # the file REPORT.json among its artifacts


class Place(NamedTuple):
    """Where children go: found before anything is measured."""

    uri: str
    experiment: str
    parent: str | None  # MLflow's id of the run that evolved the genome


def find_place(uri: str, experiment: str, own_run_id: str | None) -> Place:
    """Where what is measured of a genome belongs.

    Args:
        uri: the store.
        experiment: for children of no run.
        own_run_id: our id of the run that evolved the genome, where it is known.

    Raises:
        EnvironmentFault: the store does not answer.
    """
    with asking(uri):
        client = MlflowStore(uri, experiment).client
        experiments = {each.experiment_id: each.name for each in client.search_experiments()}
        found: list[Any] = []
        if own_run_id and "'" not in own_run_id:
            found = client.search_runs(
                list(experiments),
                f"tags.`{TAG_RUN_ID}` = '{own_run_id}'",
                order_by=["attributes.start_time DESC"],
                max_results=1,
            )
    if not found:
        return Place(uri, experiment, None)
    run = found[0].info
    return Place(uri, experiments[run.experiment_id], str(run.run_id))


def log_child(place: Place, child: Child) -> str:
    """Write one measurement; MLflow's id of its run.

    Raises:
        EnvironmentFault: the store does not answer any more.
    """
    with asking(place.uri):
        store = MlflowStore(place.uri, place.experiment)
        run_id = new_child(store, place, child.kind, child.name, child.genome)
        store.log_params(run_id, child.params)
        time_ms = now_ms()
        points = [Point(name, value, time_ms, 0) for name, value in child.metrics.items()]
        store.log_points(run_id, points, {})
        log_report(store, run_id, child.kind, child.report)
        store.set_state(run_id, "FINISHED", now_ms())
    return run_id


def new_child(
    store: MlflowStore,
    place: Place,
    kind: str,
    name: str,
    genome: str,
    more: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Make a run for what is measured, below the run that evolved the genome; MLflow's id.

    Args:
        store: that of the place.
        place: see `find_place`.
        kind: of measurement.
        name: of the run.
        genome: its digest.
        more: further tags.
    """
    tags = {
        "evoplastic.kind": kind,
        TAG_GENOME: genome,
        "mlflow.source.name": f"evoplastic {kind}",
        "mlflow.source.type": "LOCAL",
        **more,
    }
    if place.parent is not None:
        tags["mlflow.parentRunId"] = place.parent
    run = store.client.create_run(store.experiment_id, tags=tags, run_name=name)
    return str(run.info.run_id)


def log_report(store: MlflowStore, run_id: str, kind: str, report: Mapping[str, Any]) -> None:
    """Put KIND.json among the artifacts."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{kind}.json"
        file.write_text(json.dumps(report, indent=2, allow_nan=False), encoding="utf-8")
        store.log_file(run_id, file, "")


@contextmanager
def asking(uri: str) -> Iterator[None]:
    """Whatever a store raises inside, as one error with what to do.

    Raises:
        EnvironmentFault: the store does not answer.
    """
    try:
        yield
    except EnvironmentFault:
        raise
    except Exception as error:  # each kind of store has its own ways to fail
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise EnvironmentFault(
            f"the tracking store {uri} does not answer ({reason}); start it, or leave "
            "--to-mlflow out"
        ) from error
