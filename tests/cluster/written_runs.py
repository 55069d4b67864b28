"""Run directories as a run writes them, and MLflow stores to deliver them to."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from cluster.journal import Journal, read_journal
from cluster.rundir import RunDirectory
from cluster.tracking.mlflow_store import Point
from cluster.tracking.models import scores_of
from cluster.tracking.page.naming import parameters
from cluster.tracking.page.points import Told, points_of
from evoplastic.reading import read_mapping
from evoplastic.records.events import (
    EndEvent,
    EvaluationEvent,
    Event,
    GenerationEvent,
    StartEvent,
    TaskEvaluation,
)
from evoplastic.records.names import CONFIG_NAME, JOURNAL_NAME, TAG_RUN_ID, Status
from tasks.suites.negations import negations_of

RUN_ID = "tiny-20260102-030405-abcd"
CONFIG = "name: tiny\nseed: 3\nsearch:\n  popsize: 8\ntracking:\n  experiment: study\n"
EXPERIMENT = "study"
FIRST_MS = 1_767_322_800_000
GENERATION_METRICS = 12
EVALUATION_METRICS = 6 + 5 + 2  # of its held-out task, of all such tasks, and of progress


def start() -> StartEvent:
    """The first event of the run."""
    return StartEvent(
        time_ms=FIRST_MS,
        run_id=RUN_ID,
        name="tiny",
        seed=3,
        config_digest="c0ffee",
        suite_digest="5017e",
        git_commit="ab" * 20,
        git_dirty=True,
        engine="cpu",
        versions={"python": "3.11"},
    )


def generation(number: int, shift_ms: int = 0) -> GenerationEvent:
    """A generation of which every metric tells its number."""
    return GenerationEvent(
        time_ms=FIRST_MS + 1000 * (number + 1) + shift_ms,
        generation=number,
        metrics={f"fitness/metric_{k}": number + k / 100 for k in range(GENERATION_METRICS)},
    )


def evaluation(number: int) -> EvaluationEvent:
    """A session on one held-out task."""
    entry = TaskEvaluation(
        task="dms",
        role="held_out",
        condition="plastic",
        accuracy=(0.5, 0.75, 1.0, 0.75),
        loss_mean=0.25,
        chance=0.5,
        fixed_policy_level=0.75,
        curve=(0.5, 1.0) if number == 0 else None,
    )
    return EvaluationEvent(
        time_ms=FIRST_MS + 1000 * (number + 1) - 500,
        generation=number,
        genome_digest=f"genome{number}",
        parent_digest="genome0" if number else "",
        seconds=0.5,
        entries=(entry,),
    )


def end(number: int, status: Status) -> EndEvent:
    """A process leaves the run before generation `number`."""
    return EndEvent(time_ms=FIRST_MS + 1000 * (number + 1), generation=number, status=status)


def write(run_dir: Path, *events: Event) -> Path:
    """A closed run directory whose journal holds the start and these events."""
    with closing(RunDirectory.create(run_dir, RUN_ID, CONFIG, "cpu")) as directory:
        (directory.genomes / "center.safetensors").write_bytes(b"center")
        (directory.path / "figures" / "curve.svg").write_text("<svg/>")
        append(run_dir, start(), *events)
    return run_dir


def append(run_dir: Path, *events: Event) -> None:
    """Put events at the end of the journal."""
    with Journal.open(run_dir / "journal.ndjson") as journal:
        for event in events:
            journal.append(event)


def recorded(uri: str) -> tuple[Any, Counter[tuple[str, int]]]:
    """The one MLflow run of our id, and how often it has each (metric, step)."""
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name(EXPERIMENT)
    runs = client.search_runs([experiment.experiment_id], f"tags.`{TAG_RUN_ID}` = '{RUN_ID}'")
    assert len(runs) == 1, f"{len(runs)} runs carry one id"
    run = runs[0]
    history = [
        (metric.key, metric.step)
        for name in run.data.metrics
        for metric in client.get_metric_history(run.info.run_id, name)
    ]
    return run, Counter(history)


def expected_points(generations: int, evaluations: tuple[int, ...] = ()) -> int:
    """Points of generations 0 .. n - 1 and of evaluation sessions."""
    return GENERATION_METRICS * generations + EVALUATION_METRICS * len(evaluations)


def owed(run_dir: Path) -> list[Point]:
    """Every point that a store is to have of a run."""
    events, _ = read_journal(run_dir / JOURNAL_NAME)
    config = read_mapping(run_dir / CONFIG_NAME, "configuration file")
    halves = parameters(config).get("curriculum.name") == "alternate_halves"
    assert isinstance(events[0], StartEvent)
    return points_of(events, Told(), halves, negations_of(events[0], config))


def stored(run_dir: Path) -> set[tuple[str, int, float]]:
    """Name, step and value of every point that a store has of a run whose centers were all kept.

    A score of a model is a point of its run, too; where the page has the same, it is one point.
    """
    events, _ = read_journal(run_dir / JOURNAL_NAME)
    return {(point.name, point.step, point.value) for point in owed(run_dir)} | {
        (name, event.generation, value)
        for event in events
        if isinstance(event, EvaluationEvent)
        for name, value in scores_of(event).items()
    }


def artifacts(uri: str, mlflow_run_id: str) -> set[str]:
    """Paths of all artifacts of a run."""
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    found, folders = set(), [""]
    while folders:
        for item in client.list_artifacts(mlflow_run_id, folders.pop()):
            if item.is_dir:
                folders.append(item.path)
            else:
                found.add(item.path)
    return found


def new_database(path: Path) -> Path:
    """An empty MLflow database; making the tables takes seconds, copying them does not."""
    from cluster.tracking.mlflow_store import MlflowStore

    MlflowStore(f"sqlite:///{path}", "warm-up")
    return path


def copy_of(database: Path, folder: Path) -> str:
    """The URI of a store of one's own."""
    return f"sqlite:///{shutil.copy(database, folder / 'mlflow.db')}"


def free_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def mlflow_server(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A real MLflow server on `folder/mlflow.db`, killed with -9 at the end."""
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1"]
    command += ["--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}"]
    command += ["--artifacts-destination", str(folder / "served")]
    log = (folder / "server.log").open("ab")
    environment = os.environ | {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }
    server = subprocess.Popen(
        command,
        stdout=log,
        stderr=subprocess.STDOUT,
        cwd=folder,
        env=environment,
        start_new_session=True,  # its workers die with it
    )
    try:
        wait_until(lambda: answers(port), 60, "the MLflow server answers")
        yield server
    finally:
        kill(server)
        log.close()


def kill(server: subprocess.Popen[bytes]) -> None:
    """kill -9 of a server and its workers; may be repeated."""
    if server.poll() is None:
        os.killpg(server.pid, 9)
        server.wait(timeout=20)


def answers(port: int) -> bool:
    """Whether a server says that it is well."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2) as reply:
            return bool(reply.status == 200)
    except OSError:
        return False


def wait_until(condition: Any, seconds: float, what: str) -> None:
    """Wait for a condition, or fail with what was waited for."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain until {what}"
        time.sleep(0.02)
