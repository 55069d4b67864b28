"""A run of its own for what is measured of a genome afterwards, below the run that evolved it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from cluster.journal import now_ms
from cluster.tracking.mlflow_store import MlflowStore, Point
from evoplastic.checks import EnvironmentFault
from evoplastic.records import TAG_GENOME, TAG_RUN_ID


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
    try:
        client = _client(uri, experiment)
        experiments = {each.experiment_id: each.name for each in client.search_experiments()}
        found = []
        if own_run_id and "'" not in own_run_id:
            found = client.search_runs(
                list(experiments),
                f"tags.`{TAG_RUN_ID}` = '{own_run_id}'",
                order_by=["attributes.start_time DESC"],
                max_results=1,
            )
    except EnvironmentFault:
        raise
    except Exception as error:  # each kind of store has its own ways to fail
        raise _silent(uri, error) from error
    if not found:
        return Place(uri, experiment, None)
    run = found[0].info
    return Place(uri, experiments[run.experiment_id], str(run.run_id))


def log_child(place: Place, child: Child) -> str:
    """Write one measurement; MLflow's id of its run.

    Raises:
        EnvironmentFault: the store does not answer any more.
    """
    try:
        store = MlflowStore(place.uri, place.experiment)
        client = _client(place.uri, place.experiment)
        experiment_id = client.get_experiment_by_name(place.experiment).experiment_id
        tags = {
            "evoplastic.kind": child.kind,
            TAG_GENOME: child.genome,
            "mlflow.source.name": f"evoplastic {child.kind}",
            "mlflow.source.type": "LOCAL",
        }
        if place.parent is not None:
            tags["mlflow.parentRunId"] = place.parent
        run_id = str(client.create_run(experiment_id, tags=tags, run_name=child.name).info.run_id)
        store.log_params(run_id, child.params)
        time_ms = now_ms()
        points = [Point(name, value, time_ms, 0) for name, value in child.metrics.items()]
        store.log_points(run_id, points, {})
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / f"{child.kind}.json"
            file.write_text(json.dumps(child.report, indent=2, allow_nan=False), encoding="utf-8")
            store.log_file(run_id, file, "")
        store.set_state(run_id, "FINISHED", now_ms())
    except EnvironmentFault:
        raise
    except Exception as error:
        raise _silent(place.uri, error) from error
    return run_id


def _client(uri: str, experiment: str) -> Any:
    MlflowStore(uri, experiment)  # makes a database whole, and calls short
    from mlflow.tracking import MlflowClient

    return MlflowClient(tracking_uri=uri)


def _silent(uri: str, error: Exception) -> EnvironmentFault:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return EnvironmentFault(
        f"the tracking store {uri} does not answer ({reason}); start it, or leave --to-mlflow out"
    )
