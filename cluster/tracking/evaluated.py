"""An evaluation of a genome as a run of its own, its scores linked to the model and the suite.

The same evaluation is there once, however often it is made: what was evaluated, on which tasks, in
which lifetimes, has a digest, and a run that carries it is found again. One that was left
unfinished is finished, with the time at which it began, so that no point is there twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from cluster.journal import now_ms
from cluster.tracking.child import Place, asking, log_report, new_child
from cluster.tracking.mlflow_store import MlflowStore, Point
from cluster.tracking.models import Suite, deliver_suite
from evoplastic.records.names import MODEL_TAG_DIGEST

KIND = "evaluate"
TAG_EVALUATION = "evoplastic.evaluation"


class Evaluation(NamedTuple):
    """What is kept of an evaluation."""

    name: str
    key: str  # digest of all that decides about its numbers
    params: dict[str, Any]
    scores: dict[str, float]  # of tasks of the suite: linked to the model and to the suite
    others: dict[str, float]  # controls, levels, and tasks of no suite
    genome: str  # digest
    generation: int
    suite: Suite
    report: Mapping[str, Any]


class Recorded(NamedTuple):
    """Where an evaluation lies."""

    uri: str
    run_id: str  # MLflow's
    parent: str | None  # run that evolved the genome
    model: str | None  # logged model of the genome
    before: bool  # whether it was there already


def log_evaluation(place: Place, evaluation: Evaluation) -> Recorded:
    """Write an evaluation, unless it is there.

    Raises:
        EnvironmentFault: the store does not answer.
    """
    with asking(place.uri):
        store = MlflowStore(place.uri, place.experiment)
        model = _model(store, place, evaluation.genome)
        found = _found(store, evaluation.key)
        if found is None:
            more = {TAG_EVALUATION: evaluation.key}
            name, genome = evaluation.name, evaluation.genome
            run_id = new_child(store, place, KIND, name, genome, more)
        else:
            run_id = str(found.info.run_id)
            if place.parent is not None:  # which the store may not have known before
                store.put_below(run_id, place.parent, evaluation.name)
        recorded = Recorded(place.uri, run_id, place.parent, model, found is not None)
        if found is None or found.info.status != "FINISHED":
            _fill(store, recorded, evaluation)
    return recorded


def _found(store: MlflowStore, key: str) -> Any:
    clause = f"tags.`{TAG_EVALUATION}` = '{key}'"
    found = store.client.search_runs([store.experiment_id], clause, max_results=1)
    return found[0] if found else None


def _model(store: MlflowStore, place: Place, genome: str) -> str | None:
    """The logged model of a genome, that of the run which evolved it before any other."""
    clause = f"tags.`{MODEL_TAG_DIGEST}` = '{genome}'"
    found = store.client.search_logged_models([store.experiment_id], filter_string=clause)
    found = sorted(found, key=lambda model: model.source_run_id != place.parent)
    return str(found[0].model_id) if found else None


def _fill(store: MlflowStore, recorded: Recorded, evaluation: Evaluation) -> None:
    from mlflow.entities import LoggedModelInput, Metric

    run_id, model, suite = recorded.run_id, recorded.model, evaluation.suite
    run = store.client.get_run(run_id)
    step, time_ms = evaluation.generation, run.info.start_time
    store.log_params(run_id, evaluation.params)
    deliver_suite(store, run_id, suite)
    linked = {each.model_id for each in run.inputs.model_inputs} if run.inputs else set()
    if model is not None and model not in linked:
        store.client.log_inputs(run_id, models=[LoggedModelInput(model)])
    scores = [
        Metric(
            name,
            value,
            time_ms,
            step,
            model_id=model,
            dataset_name=suite.name,
            dataset_digest=suite.digest,
        )
        for name, value in evaluation.scores.items()
    ]
    store.log_metrics(run_id, scores)
    points = [Point(name, value, time_ms, step) for name, value in evaluation.others.items()]
    store.log_points(run_id, points, {})
    log_report(store, run_id, KIND, evaluation.report)
    store.set_state(run_id, "FINISHED", now_ms())
