"""What is left to do when the runs of a sweep are over: its store has everything, and says so."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from cluster.rundir import STATUS_NAME
from cluster.sweep.plan import PlannedRun
from cluster.sweep.record import SweepRecord
from cluster.tracking.mlflow_store import RunState
from cluster.tracking.parent import settle_parent
from cluster.tracking.sync import sync
from cluster.tracking.tracker import first_line
from evoplastic.checks import EnvironmentFault, UsageError
from evoplastic.records.names import JOURNAL_NAME

logger = logging.getLogger(__name__)


def deliver(
    root: Path,
    sweep: SweepRecord,
    chosen: Sequence[PlannedRun],
    files: list[Path],
    *,
    others_at_work: bool,
) -> list[str]:
    """Deliver what the store lacks of the chosen runs, and tell how the sweep stands.

    Args:
        root: directory of the sweep.
        sweep: the sweep.
        chosen: the runs that were done here.
        files: tables of the whole, for the run that holds the others.
        others_at_work: whether runs that were not chosen may be at work elsewhere, or begin.

    Returns:
        What could not be delivered, a sentence each.
    """
    stores: set[tuple[str, str]] = set()
    faults = []
    for run in chosen:
        run_dir = root / run.name
        if not run.config.tracking.enabled or not (run_dir / JOURNAL_NAME).is_file():
            continue
        try:
            report = sync(run_dir)
        except (UsageError, EnvironmentFault) as error:
            faults.append(f"{run.name}: {error}")
            continue
        stores.add((report.uri, report.experiment))
    state = _state(root, sweep, others_at_work)
    for uri, experiment in sorted(stores):
        try:
            settle_parent(uri, experiment, root, sweep, state, files)
        except Exception as error:  # each kind of store has its own ways to fail
            faults.append(f"the sweep itself: {first_line(error)}")
    return faults


def unfinished(root: Path, sweep: SweepRecord) -> list[str]:
    """Runs of the sweep that are not done, whoever is or was at work on them."""
    return [name for name in sweep.runs if _status(root / name) != "done"]


def _state(root: Path, sweep: SweepRecord, others_at_work: bool) -> RunState:
    """Of the run that holds the others: over when all of them are, wherever they were done."""
    left = {_status(root / name) for name in sweep.runs} - {"done"}
    if not left:
        return "FINISHED"
    if others_at_work and left & {"running", ""}:  # a job of an array is seldom the last
        return "RUNNING"
    return "FAILED" if "failed" in left else "KILLED"


def _status(run_dir: Path) -> str:
    try:
        return (run_dir / STATUS_NAME).read_text(errors="replace").strip()
    except OSError:
        return ""
