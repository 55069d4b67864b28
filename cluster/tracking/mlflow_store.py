"""A tracking store: what MLflow is asked, in a few verbs that may be repeated without harm.

MLflow keeps a metric once per (name, value, timestamp, step), so that delivering a point again with
its first timestamp changes nothing. Its limits per request are 1000 entries, among them 100
parameters and 100 tags. Importing MLflow takes seconds and happens when a store is opened.
"""

from __future__ import annotations

import getpass
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from cluster.tracking.database import whole_database
from evoplastic.checks import EnvironmentFault
from evoplastic.records.events import StartEvent
from evoplastic.records.names import (
    TAG_CONFIG,
    TAG_GIT_COMMIT,
    TAG_GIT_DIRTY,
    TAG_RUN_ID,
    TAG_SUITE,
    TAG_SWEEP,
)

if TYPE_CHECKING:
    from mlflow.entities import Metric
    from mlflow.tracking import MlflowClient

logger = logging.getLogger(__name__)

SQLITE = "sqlite:///"
METRICS_PER_REQUEST = 900  # of 1000, the rest is left to tags
PARAMS_PER_REQUEST = 100
PARAM_LENGTH = 6000

# A dead server blocks a call for four minutes with MLflow's own values; what a user set stays.
QUIET_AND_QUICK = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
}

REFUSED = "INVALID_PARAMETER_VALUE"  # MLflow's word for what no repetition makes right

# What makes MLflow's pages speak of runs rather than of language models.
KIND_TAG, KIND = "mlflow.experimentKind", "custom_model_development"

RunState = Literal["RUNNING", "FINISHED", "KILLED", "FAILED"]


class DeletedExperiment(EnvironmentFault):
    """The experiment is in the store's bin, where nothing can be added to it."""


class Point(NamedTuple):
    """One value of one metric."""

    name: str
    value: float
    time_ms: int
    step: int


class MlflowStore:
    """An open tracking store and one experiment in it; for one thread at a time.

    Every method raises whatever the store raises: each kind of store has its own ways to fail.
    """

    def __init__(self, uri: str, experiment: str) -> None:
        for name, value in QUIET_AND_QUICK.items():
            os.environ.setdefault(name, value)
        for name in ("mlflow", "alembic", "urllib3"):
            logging.getLogger(name).setLevel(logging.ERROR)
        # A traceback of an error that is raised too: who delivers says what it means.
        logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
        from mlflow.tracking import MlflowClient

        self._refused: set[str] = set()  # names that were warned about
        with _ready(uri):
            self._client = MlflowClient(tracking_uri=uri)
            self._experiment_id = self._open_experiment(uri, experiment)

    @property
    def client(self) -> MlflowClient:
        """For what has no verb here."""
        return self._client

    @property
    def experiment_id(self) -> str:
        """MLflow's id of the experiment."""
        return self._experiment_id

    def open_run(self, start: StartEvent, known: str | None, name: str) -> str:
        """Find the run of a start event, by MLflow's id or by our tag, or make it."""
        found = self._alive(known, TAG_RUN_ID, start.run_id) or self._search(
            TAG_RUN_ID, start.run_id
        )
        if found is None:
            return self._new_run(start, name)
        if self._client.get_run(found).info.run_name == start.name:  # as earlier versions called it
            self._client.update_run(found, name=name)
        return found

    def artifacts(self, run_id: str, folder: str) -> list[str]:
        """Paths of the files in a folder of a run's artifacts."""
        return [each.path for each in self._client.list_artifacts(run_id, folder)]

    def open_parent(self, sweep_id: str, name: str, known: str | None) -> str:
        """Find the run that holds the runs of a sweep, by MLflow's id or by our tag, or make it.

        Two processes that ask at once make two; the caller lets one ask at a time.
        """
        found = self._alive(known, TAG_SWEEP, sweep_id) or self._search(TAG_SWEEP, sweep_id)
        if found is not None:
            return found
        tags = {
            TAG_SWEEP: sweep_id,
            "mlflow.source.name": "evoplastic sweep",
            "mlflow.source.type": "LOCAL",
        }
        run = self._client.create_run(self._experiment_id, tags=tags, run_name=name)
        return str(run.info.run_id)

    def put_below(self, run_id: str, parent_id: str, name: str) -> None:
        """Show a run under another one, by a name of its own there."""
        from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

        run = self._client.get_run(run_id)
        if run.data.tags.get(MLFLOW_PARENT_RUN_ID) != parent_id:
            self._client.set_tag(run_id, MLFLOW_PARENT_RUN_ID, parent_id)
        if run.info.run_name != name:
            self._client.update_run(run_id, name=name)

    def log_params(self, run_id: str, params: dict[str, Any]) -> None:
        """Write the parameters that the run lacks; one that is there is never changed."""
        from mlflow.entities import Param

        present = self._client.get_run(run_id).data.params
        lacking = [
            Param(name, str(value)[:PARAM_LENGTH])
            for name, value in params.items()
            if name not in present
        ]
        for first in range(0, len(lacking), PARAMS_PER_REQUEST):
            self._client.log_batch(run_id, params=lacking[first : first + PARAMS_PER_REQUEST])

    def log_points(self, run_id: str, points: Sequence[Point], tags: dict[str, str]) -> None:
        """Write points and tags, in one request where the limits allow.

        What MLflow refuses for what it is (a name with a character that it does not take) is left
        out with a warning: it would be refused for ever, and everything after it would wait.
        """
        from mlflow.entities import Metric

        self.log_metrics(run_id, [Metric(*point) for point in points], tags)

    def log_metrics(
        self, run_id: str, metrics: list[Metric], tags: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        """As `log_points`, of metrics that may be linked to models and datasets."""
        from mlflow.entities import RunTag
        from mlflow.exceptions import MlflowException

        pending = [RunTag(name, value) for name, value in tags.items()]
        for first in range(0, max(len(metrics), len(pending), 1), METRICS_PER_REQUEST):
            part = metrics[first : first + METRICS_PER_REQUEST]
            try:
                if part or pending:
                    self._client.log_batch(run_id, metrics=part, tags=pending)
            except MlflowException as error:
                if error.error_code != REFUSED:
                    raise
                self._log_one_by_one(run_id, [([metric], []) for metric in part])
                self._log_one_by_one(run_id, [([], [tag]) for tag in pending])
            pending = []

    def _log_one_by_one(self, run_id: str, batches: list[tuple[list[Any], list[Any]]]) -> None:
        from mlflow.exceptions import MlflowException

        for metrics, tags in batches:
            try:
                self._client.log_batch(run_id, metrics=metrics, tags=tags)
            except MlflowException as error:
                if error.error_code != REFUSED:
                    raise
                name = (metrics + tags)[0].key
                if name not in self._refused:
                    self._refused.add(name)
                    logger.warning("MLflow refuses %r, the journal keeps it: %s", name, error)

    def log_file(self, run_id: str, file: Path, folder: str) -> None:
        """Copy a file among the run's artifacts, over one of the same name."""
        self._client.log_artifact(run_id, str(file), folder or None)

    def set_state(self, run_id: str, state: RunState, time_ms: int) -> None:
        """Say that the run goes on, or how and when it ended."""
        if state == "RUNNING":
            self._client.update_run(run_id, status=state)
        else:
            self._client.set_terminated(run_id, status=state, end_time=time_ms)

    def _open_experiment(self, uri: str, name: str) -> str:
        found = self._client.get_experiment_by_name(name)
        if found is None:
            root = _artifact_root(uri)
            return str(self._client.create_experiment(name, root, {KIND_TAG: KIND}))
        if found.lifecycle_stage != "active":
            raise DeletedExperiment(f"experiment {name!r} was deleted from the tracking store")
        if KIND_TAG not in found.tags:
            self._client.set_experiment_tag(found.experiment_id, KIND_TAG, KIND)
        return str(found.experiment_id)

    def _alive(self, known: str | None, tag: str, value: str) -> str | None:
        """A run by MLflow's id, if it is there, not in the bin, and the one that is meant."""
        from mlflow.exceptions import MlflowException

        if known is None:
            return None
        try:
            run = self._client.get_run(known)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return None
        ours = run.data.tags.get(tag) == value
        return known if ours and run.info.lifecycle_stage == "active" else None

    def _search(self, tag: str, value: str) -> str | None:
        found = self._client.search_runs(
            [self._experiment_id], f"tags.`{tag}` = '{value}'", max_results=1
        )
        return str(found[0].info.run_id) if found else None

    def _new_run(self, start: StartEvent, name: str) -> str:
        tags = {
            TAG_RUN_ID: start.run_id,
            TAG_CONFIG: start.config_digest,
            TAG_SUITE: start.suite_digest,
            TAG_GIT_COMMIT: start.git_commit,
            TAG_GIT_DIRTY: str(start.git_dirty).lower(),
            "mlflow.user": user_name(),
            "mlflow.source.name": "evoplastic evolve",
            "mlflow.source.type": "LOCAL",
            "mlflow.source.git.commit": start.git_commit,
        }
        run = self._client.create_run(
            self._experiment_id,
            start_time=start.time_ms,
            tags={name: value for name, value in tags.items() if value},
            run_name=name,
        )
        return str(run.info.run_id)


def user_name() -> str:
    """Who delivers; "" where the system does not say."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return ""


def sqlite_file(uri: str) -> Path | None:
    """The file of an SQLite store, or None for any other store.

    >>> sqlite_file("sqlite:////data/mlflow.db")
    PosixPath('/data/mlflow.db')
    """
    return Path(uri.removeprefix(SQLITE)) if uri.startswith(SQLITE) else None


def _artifact_root(uri: str) -> str | None:
    """Beside the database, wherever the run was started; a server decides for itself."""
    database = sqlite_file(uri)
    return None if database is None else (database.parent / "mlartifacts").as_uri()


@contextmanager
def _ready(uri: str) -> Iterator[None]:
    """Make an SQLite database whole first, one process after the other."""
    database = sqlite_file(uri)
    if database is None:
        yield
        return
    with whole_database(database, str(_artifact_root(uri))):
        yield
