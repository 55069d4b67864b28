"""Delivering to a tracking store what it lacks of a run that is not at work."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from cluster.journal import read_journal
from cluster.rundir import RunDirectory
from cluster.tracking.delivery import Delivery, change_experiment
from cluster.tracking.tracker import first_line, resolve_uri
from evoplastic.checks import EnvironmentFault, UsageError, require
from evoplastic.reading import read_mapping


@dataclass(frozen=True, kw_only=True)
class SyncReport:
    """What one `sync` delivered."""

    uri: str
    experiment: str
    mlflow_run_id: str
    events: int
    points: int
    files: tuple[str, ...]  # by their path in the run directory


def sync(
    run_dir: Path, tracking_uri: str | None = None, experiment: str | None = None
) -> SyncReport:
    """Deliver what the store lacks of a run, each point once.

    Args:
        run_dir: directory of the run; it is locked meanwhile, since a run that is at work delivers
            by itself.
        tracking_uri: MLflow tracking URI; none means that of the run's configuration, else
            MLFLOW_TRACKING_URI, else the store that the run was last delivered to, else the
            SQLite file `mlflow.db` in the working directory.
        experiment: MLflow experiment, from here on; none means the one that the run was delivered
            to before, else that of its configuration.

    Raises:
        UsageError: no run there, another driver is at work on it, or a damaged journal.
        EnvironmentFault: the store does not take what it is given.
    """
    with closing(RunDirectory.open(run_dir)) as directory:
        uri, configured = _tracking(directory.config)
        if experiment is not None:
            require(bool(experiment.strip()), "the experiment to deliver to has no name")
            change_experiment(run_dir, experiment)
        read_journal(directory.journal)  # whole and unchanged, or nothing of it is sent
        delivery = Delivery(
            run_dir,
            directory.journal,
            resolve_uri(tracking_uri or uri, run_dir),
            experiment or configured,
        )
        waiting = delivery.backlog()
        try:
            delivery.deliver()
            delivery.deliver_files()
            delivery.end("preempted")  # no process is at work, whatever the journal lacks to say
        except (UsageError, EnvironmentFault):
            raise
        except Exception as error:  # each kind of store has its own ways to fail
            raise EnvironmentFault(
                f"the tracking store {delivery.uri} fails ({first_line(error)}); start it and sync "
                "again, or name another one with --store"
            ) from error
        cursor = delivery.cursor
        assert cursor.mlflow_run_id is not None, "everything was delivered, yet to no run"
        return SyncReport(
            uri=delivery.uri,
            experiment=cursor.experiment,
            mlflow_run_id=cursor.mlflow_run_id,
            events=waiting,
            points=delivery.points,
            files=tuple(delivery.files),
        )


def _tracking(config: Path) -> tuple[str | None, str]:
    """Tracking URI and experiment of a resolved configuration."""
    tracking = read_mapping(config, "configuration file").get("tracking") or {}
    require(isinstance(tracking, dict), f"{config}: tracking is {tracking!r}, expected a section")
    uri, experiment = tracking.get("uri"), tracking.get("experiment", "evoplastic")
    require(
        (uri is None or isinstance(uri, str)) and isinstance(experiment, str),
        f"{config}: tracking.uri and tracking.experiment are words, got {uri!r}, {experiment!r}",
    )
    return uri, experiment
