"""All that can be said of a run by now: tables and figures into its directory and to MLflow."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.figures.archive import write_figures_archive
from analysis.figures.curve import write_figures_learning_curves
from analysis.figures.environments.writing import write_figures_environments
from analysis.figures.pedigree.writing import write_figures_pedigree
from analysis.figures.run import write_figures_by_generation
from analysis.figures.streams import write_figures_streams
from analysis.figures.style import write_csv
from analysis.generalization import final_table
from analysis.mlflow_store import find_uri, log_figures
from analysis.store import RunRecords, open_run
from evoplastic.checks import EnvironmentFault, UsageError

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class AnalysisReport:
    """What was read, and what was written where."""

    records: RunRecords
    table: pd.DataFrame  # `final_table` of the run
    files: tuple[Path, ...]
    mlflow_run_id: str | None  # run that has the files as artifacts, none if it was not reached


def analyze(
    ref: str | Path,
    out_dir: Path | None = None,
    to_mlflow: bool = True,
    tracking_uri: str | None = None,
) -> AnalysisReport:
    """Draw and tabulate a finished or running run from its records alone.

    Args:
        ref: run directory, MLflow run id, or the run's own id.
        out_dir: where to write; none means the run's figures/, or figures-RUN_ID in the working
            directory for a run that was read from MLflow.
        to_mlflow: also add the files to the run's artifacts; a store that fails costs a warning.
        tracking_uri: MLflow store; none means the one of the run's configuration.

    Raises:
        UsageError: no such run, corrupt records, or no evaluation yet.
        EnvironmentFault: the directory cannot be written; or the run is to be read from a store
            that does not answer.
    """
    records = open_run(ref, tracking_uri)
    if out_dir is None:
        default = f"figures-{records.run_id}"
        out_dir = Path(default) if records.from_mlflow else records.directory / "figures"
    table = final_table(records)
    files = [
        write_csv(table, out_dir / "final_table"),
        *write_figures_by_generation(records, out_dir),
        *write_figures_learning_curves(records, out_dir),
        *write_figures_archive(records, out_dir),
        *write_figures_environments(records, out_dir),
        *write_figures_pedigree(records, out_dir),
        *write_figures_streams(records, out_dir),
    ]
    mlflow_run_id = _deliver(records, files, tracking_uri) if to_mlflow else None
    return AnalysisReport(records, table, tuple(files), mlflow_run_id)


def _deliver(records: RunRecords, files: list[Path], tracking_uri: str | None) -> str | None:
    tracking = records.config.get("tracking") or {}
    if not tracking.get("enabled", True):
        return None
    uri = tracking_uri or (
        find_uri() if records.from_mlflow else find_uri(records.config, records.directory)
    )
    try:
        return log_figures(records.run_id, files, uri)
    except (UsageError, EnvironmentFault) as error:
        logger.warning("the figures were not added to MLflow: %s", error)
        return None
