"""Kept genomes as logged models of MLflow: the file, its parents as tags, its held-out scores.

A model holds a safetensors file and nothing that runs when it is read. Its scores are linked to it
and to the suite, a dataset with its digest. Delivering one again finds it by its tags and changes
nothing.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

from cluster.tracking.mlflow_store import MlflowStore
from evoplastic.checks import UsageError
from evoplastic.genome.parents import OPERATOR, Parent, as_parent, described, read_parents
from evoplastic.records.events import EvaluationEvent, StartEvent
from evoplastic.records.names import (
    CENTER_NAME,
    MODEL_HELD_OUT,
    MODEL_TAG_CELL,
    MODEL_TAG_DIGEST,
    MODEL_TAG_GENERATION,
    MODEL_TAG_OPERATOR,
    MODEL_TAG_PARENT,
    MODEL_TAG_PARENT_RUN,
    MODEL_TAG_PARENTS,
    MODEL_TAG_RUN,
    MODEL_TAG_USER,
    MODEL_TYPE,
    START_NAME,
    kept_name,
)
from evoplastic.storage import read_header

LONGEST_TAG = 5000
READY = "READY"
SCORES = ("accuracy_mean", "reward_mean")  # of a task; a run's page shows them, too


class Suite(NamedTuple):
    """What held-out scores were measured on, as a dataset of MLflow."""

    name: str
    digest: str


def origin_tags(run_dir: Path) -> dict[str, str]:
    """Tags of a run that began with a genome of another one; none for any other run."""
    try:
        header = read_header(run_dir / START_NAME, "genome")
        parent = as_parent(str(header["digest"]), dict(header["provenance"]))
    except (UsageError, KeyError, TypeError, ValueError):
        return {}
    return _of_first(parent)


def deliver_suite(store: MlflowStore, run_id: str, suite: Suite) -> None:
    """Name the suite among what a run was given.

    MLflow looks for a dataset and then makes it: of several drivers that do so at once, on whatever
    database, all but one are refused, and find it when they ask again.
    """
    from mlflow.entities import Dataset, DatasetInput
    from mlflow.exceptions import MlflowException

    source = json.dumps({"uri": suite.name})
    dataset = Dataset(suite.name, suite.digest, "local", source)
    inputs = [DatasetInput(dataset, [])]
    try:
        store.client.log_inputs(run_id, inputs)
    except MlflowException:
        store.client.log_inputs(run_id, inputs)


class Origin(NamedTuple):
    """What models are made for: a run, here and in the store, and who delivers."""

    run_dir: Path
    start: StartEvent
    mlflow_run_id: str
    user: str


def deliver_model(
    store: MlflowStore, origin: Origin, event: EvaluationEvent, suite: Suite
) -> str | None:
    """Make the model of an evaluated center, unless it is there; its id, None if it is not kept.

    Raises:
        Exception: whatever the store raises.
    """
    file = _file(origin.run_dir, event)
    if file is None:
        return None
    model = deliver_file(store, origin, file, event.generation)
    if model.status.name != READY:
        _score(store, origin.mlflow_run_id, model.model_id, event, suite)
        store.client.finalize_logged_model(model.model_id, READY)
    return str(model.model_id)


def deliver_file(
    store: MlflowStore,
    origin: Origin,
    file: Path,
    generation: int,
    *,
    cell: str = "",
    params: dict[str, str] | None = None,
) -> Any:
    """A logged model with this genome file, linked to its run; not READY yet where it is new.

    Args:
        store: where.
        origin: whose genome it is.
        file: the genome.
        generation: after which it was kept.
        cell: of an archive, where it is an elite.
        params: of the model.

    Raises:
        Exception: whatever the store raises.
    """
    from mlflow.entities import LoggedModelOutput

    header = read_header(file, "genome")
    tags = {
        MODEL_TAG_RUN: origin.start.run_id,
        MODEL_TAG_GENERATION: str(generation),
        MODEL_TAG_DIGEST: str(header["digest"]),
        MODEL_TAG_CELL: cell,
    }
    model = _found(store, tags) or _made(store, origin, header, tags, params)
    if model.status.name != READY:
        store.client.log_model_artifact(model.model_id, str(file))
        run_id = origin.mlflow_run_id
        outputs = store.client.get_run(run_id).outputs
        linked = {each.model_id for each in outputs.model_outputs} if outputs else set()
        if model.model_id not in linked:  # MLflow refuses a link that a killed driver has made
            output = LoggedModelOutput(model.model_id, generation)
            store.client.log_outputs(run_id, [output])
    return model


def _file(run_dir: Path, event: EvaluationEvent) -> Path | None:
    """The file of an evaluated center, if the run has kept it."""
    for name in (kept_name(event.generation), CENTER_NAME):
        file = run_dir / "genomes" / name
        try:
            if read_header(file, "genome").get("digest") == event.genome_digest:
                return file
        except UsageError:  # thinned out, or damaged: others go on
            continue
    return None


def _found(store: MlflowStore, tags: dict[str, str]) -> Any:
    """The model with these tags, and without those that are empty here."""
    clause = " AND ".join(f"tags.`{name}` = '{value}'" for name, value in tags.items() if value)
    found = store.client.search_logged_models([store.experiment_id], filter_string=clause)
    return next(
        (
            model
            for model in found
            if all(model.tags.get(name, "") == value for name, value in tags.items())
        ),
        None,
    )


def _made(
    store: MlflowStore,
    origin: Origin,
    header: dict[str, Any],
    who: dict[str, str],
    params: dict[str, str] | None,
) -> Any:
    provenance = dict(header["provenance"])
    parents = read_parents(header, provenance)
    listed = json.dumps(described(parents))
    tags = {
        **who,
        MODEL_TAG_OPERATOR: str(provenance.get(OPERATOR, "")),
        MODEL_TAG_USER: origin.user,
        MODEL_TAG_PARENTS: listed if len(listed) <= LONGEST_TAG else "",
        **(_of_first(parents[0], origin.start.run_id) if parents else {}),
    }
    cell = f"-cell-{who[MODEL_TAG_CELL].replace(',', '-')}" if who[MODEL_TAG_CELL] else ""
    name = f"{origin.start.name}-g{who[MODEL_TAG_GENERATION]}{cell}"
    return store.client.create_logged_model(
        store.experiment_id,
        name=re.sub(r"[^A-Za-z0-9_-]", "_", name),
        source_run_id=origin.mlflow_run_id,
        tags={name: value for name, value in tags.items() if value},
        params=params,
        model_type=MODEL_TYPE,
    )


def _of_first(parent: Parent, own_run: str = "") -> dict[str, str]:
    """The first parent; its run is named where that is another one."""
    other = {MODEL_TAG_PARENT_RUN: parent.run_id} if parent.run_id not in ("", own_run) else {}
    return {MODEL_TAG_PARENT: parent.digest, **other}


def scores_of(event: EvaluationEvent) -> dict[str, float]:
    """What a model is ranked by: how it did on held-out tasks, by metric name."""
    scores = {
        name: value
        for entry in event.entries
        if entry.role == "held_out" and entry.condition == "plastic"
        for name, value in entry.metrics().items()
        if name.rpartition("/")[2] in SCORES
    }
    if event.held_out_accuracy is not None:
        scores[MODEL_HELD_OUT] = event.held_out_accuracy
    return scores


def _score(
    store: MlflowStore, run_id: str, model_id: str, event: EvaluationEvent, suite: Suite
) -> None:
    from mlflow.entities import Metric

    metrics = [
        Metric(
            name,
            value,
            event.time_ms,
            event.generation,
            model_id=model_id,
            dataset_name=suite.name,
            dataset_digest=suite.digest,
        )
        for name, value in scores_of(event).items()
    ]
    store.log_metrics(run_id, metrics)
