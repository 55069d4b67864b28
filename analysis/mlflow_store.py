"""The MLflow side of reading: find a run, download its records, put its figures beside them.

MLflow is imported inside the functions: it costs seconds and most reading does without it.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from evoplastic.checks import EnvironmentFault, UsageError, require
from evoplastic.notes import NOTE_TAG, with_links
from evoplastic.reading import parse_object, read_text
from evoplastic.records.names import (
    CONFIG_NAME,
    ENVIRONMENTS_NAME,
    GENOME_SUFFIX,
    JOURNAL_NAME,
    MODEL_TAG_DIGEST,
    PAIRS,
    PEDIGREE_NAME,
    SOURCES,
    START_NAME,
    TAG_GENOME,
    TAG_RUN_ID,
    TRACKING_NAME,
    TRANSFERS_NAME,
)

DEFAULT_URI = "sqlite:///mlflow.db"
FIGURES_FOLDER = "figures"
LOGIN = re.compile(r"(?<=://)[^/\s@]*@")  # of an address
MOST_MODELS = 1000  # that are looked at for the first digits of a digest
# A dead server would block for minutes with MLflow's own values (7 retries of 120 s).
QUICK = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}


def find_uri(config: dict[str, Any] | None = None, run_dir: Path | None = None) -> str:
    """The tracking store of a run: its configuration's, MLFLOW_TRACKING_URI, the one that the run
    directory was last delivered to, ./mlflow.db."""
    configured = ((config or {}).get("tracking") or {}).get("uri")
    named = configured or os.environ.get("MLFLOW_TRACKING_URI")
    return str(named or (run_dir and _delivered_to(run_dir)) or DEFAULT_URI)


def _delivered_to(run_dir: Path) -> str | None:
    try:
        uri = parse_object(read_text(run_dir / TRACKING_NAME, "file"), TRACKING_NAME)["uri"]
    except (UsageError, KeyError):
        return None
    return uri if isinstance(uri, str) else None


def download_records(ref: str, directory: Path, tracking_uri: str | None = None) -> None:
    """Copy journal, configuration and genomes of an MLflow run into a directory.

    Args:
        ref: MLflow run id, or the run's own id.
        directory: existing directory to fill.
        tracking_uri: MLflow store; none means the one that `find_uri` names.

    Raises:
        UsageError: no such run, or one without its journal.
        EnvironmentFault: the store does not answer.
    """
    uri = tracking_uri or find_uri()
    with open_client(uri) as client:
        run_id = _find_run(client, ref)
        require(
            run_id is not None,
            f"no run {ref!r} in {uri}, and no directory of that name; `evoplastic ui` lists the "
            "runs of a store, MLFLOW_TRACKING_URI names another one",
        )
        names = [name for name in _artifacts(client, run_id) if _is_record(name)]
        require(
            any(Path(name).name == JOURNAL_NAME for name in names),
            f"MLflow run {run_id} in {uri} has no {JOURNAL_NAME} among its artifacts; deliver it "
            "with `evoplastic sync RUN_DIR`, or analyze the run directory",
        )
        for name in names:
            source = Path(client.download_artifacts(run_id, name, str(directory)))
            is_genome = name.endswith(GENOME_SUFFIX) and Path(name).name != START_NAME
            kept = "genomes" if is_genome else Path(name).parent.name
            folder = directory / kept if kept in ("genomes", SOURCES) else directory
            if is_genome and Path(name).parent.name == PAIRS:
                folder = folder / PAIRS
            folder.mkdir(exist_ok=True, parents=True)
            source.replace(folder / source.name)


def log_figures(own_run_id: str, files: Sequence[Path], uri: str) -> str:
    """Add files to the figures of the MLflow run that carries this id; returns MLflow's run id.

    Raises:
        UsageError: the store does not know the run.
        EnvironmentFault: the store does not answer.
    """
    with open_client(uri) as client:
        run_id = _find_run(client, own_run_id)
        require(run_id is not None, f"no run {own_run_id!r} in {uri}")
        for file in files:
            client.log_artifact(run_id, str(file), FIGURES_FOLDER)
        _link_figures(client, str(run_id))
        return str(run_id)


def _link_figures(client: Any, run_id: str) -> None:
    """Let the note of a run lead to its figures."""
    run = client.get_run(run_id)
    names = [item.path for item in client.list_artifacts(run_id, FIGURES_FOLDER)]
    note = run.data.tags.get(NOTE_TAG, "")
    client.set_tag(run_id, NOTE_TAG, with_links(note, run.info.experiment_id, run_id, names))


def download_model(model_id: str, directory: Path, tracking_uri: str | None = None) -> None:
    """Copy the files of a logged model, and the configuration of the run it came from.

    Raises:
        UsageError: no such model.
        EnvironmentFault: the store does not answer.
    """
    uri = tracking_uri or find_uri()
    with open_client(uri) as client:
        from mlflow.artifacts import download_artifacts
        from mlflow.exceptions import MlflowException

        try:
            model = client.get_logged_model(model_id)
        except MlflowException as error:
            raise UsageError(f"no logged model {model_id} in {uri}; see `evoplastic ui`") from error
        download_artifacts(model.artifact_location, dst_path=str(directory), tracking_uri=uri)
        if model.source_run_id and not any(directory.rglob(CONFIG_NAME)):
            for name in _artifacts(client, model.source_run_id):
                if Path(name).name == CONFIG_NAME:
                    client.download_artifacts(model.source_run_id, name, str(directory))


class Holder(NamedTuple):
    """What of a store has a genome; the run is the one whose newest center it is."""

    run_id: str | None
    model_id: str | None


def holder_of_genome(digits: str, tracking_uri: str | None = None) -> Holder:
    """The latest MLflow run whose center, and a logged model whose genome, has a digest that begins
    so.

    Raises:
        UsageError: several genomes do.
        EnvironmentFault: the store does not answer.
    """
    uri = tracking_uri or find_uri()
    with open_client(uri) as client:
        experiments = [experiment.experiment_id for experiment in client.search_experiments()]
        if not experiments:
            return Holder(None, None)
        runs = client.search_runs(
            experiments,
            f"tags.`{TAG_GENOME}` LIKE '{digits}%'",
            order_by=["attributes.start_time DESC"],
        )
        models = client.search_logged_models(
            experiments,
            filter_string=f"tags.`{MODEL_TAG_DIGEST}` LIKE '{digits}%'",
            max_results=MOST_MODELS,
        )
        digests = {run.data.tags[TAG_GENOME] for run in runs}
        digests |= {model.tags[MODEL_TAG_DIGEST] for model in models}
        listed = ", ".join(digest[: len(digits) + 12] for digest in sorted(digests)[:8])
        require(
            len(digests) < 2,
            f"{len(digests)} genomes in {uri} begin with {digits}: {listed}; give more digits",
        )
        return Holder(
            str(runs[0].info.run_id) if runs else None,
            str(models[0].model_id) if models else None,
        )


@contextmanager
def open_client(uri: str) -> Iterator[Any]:
    """An MLflow client that fails soon and quietly, as `EnvironmentFault`."""
    if uri.startswith("sqlite:///"):  # MLflow would make an empty store where none is
        file = Path(uri.removeprefix("sqlite:///"))
        require(file.is_file(), f"no tracking store at {file.absolute()}")
    before = {name: os.environ.get(name) for name in QUICK}
    os.environ.update(QUICK)
    try:
        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.ERROR)
        from mlflow.tracking import MlflowClient

        yield MlflowClient(tracking_uri=uri)
    except (UsageError, EnvironmentFault):
        raise
    except Exception as error:  # each kind of store has its own ways to fail
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        told = f"the tracking store {uri} does not answer ({reason})"
        raise EnvironmentFault(
            f"{without_login(told)}; start it, or read the run directory, which needs no store"
        ) from error
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def without_login(text: str) -> str:
    """Addresses as messages tell them: without what stands before an @, which may be a password.

    >>> without_login("http://me:secret@host:5000/mlflow"), without_login("sqlite:///mlflow.db")
    ('http://host:5000/mlflow', 'sqlite:///mlflow.db')
    """
    return LOGIN.sub("", text)


def _find_run(client: Any, ref: str) -> str | None:
    """MLflow's id of the latest run with this MLflow id or this id of ours."""
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    if not experiments:
        return None
    word = ref.replace("'", "")  # the filter language has no escape
    for clause in (f"tags.`{TAG_RUN_ID}` = '{word}'", f"attributes.run_id = '{word}'"):
        found = client.search_runs(experiments, clause, order_by=["attributes.start_time DESC"])
        if found:
            return str(found[0].info.run_id)
    return None


def _artifacts(client: Any, run_id: str | None, folder: str | None = None) -> Iterator[str]:
    for item in client.list_artifacts(run_id, folder):
        if not item.is_dir:
            yield item.path
        elif Path(item.path).name != FIGURES_FOLDER:
            yield from _artifacts(client, run_id, item.path)


def _is_record(name: str) -> bool:
    files = (JOURNAL_NAME, CONFIG_NAME, PEDIGREE_NAME, ENVIRONMENTS_NAME, TRANSFERS_NAME)
    known = Path(name).name in files or name.endswith(GENOME_SUFFIX)
    return known or Path(name).parent.name == SOURCES
