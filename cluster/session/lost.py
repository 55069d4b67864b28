"""What is written down of a driver that could not do it itself, by whoever watched it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from cluster.config.run import load_config
from cluster.journal import Journal, now_ms
from cluster.restoring import generations_behind
from cluster.rundir import RunDirectory
from cluster.session.chronicle import Chronicle
from cluster.session.ending import FAILED_CLOSE_S
from evoplastic.records.events import EndEvent, FaultEvent
from evoplastic.records.names import Status

DRIVER_LOST = "driver_lost"  # kind of the fault event


def write_lost(run_dir: Path, message: str, status: Status, *, deliver: bool) -> EndEvent:
    """Write down that a driver was lost, unless it had written down its end before.

    Args:
        run_dir: directory of the run; its driver is dead.
        message: how it ended.
        status: how it leaves the run.
        deliver: whether the tracking store is told, too; a resumed run tells it anyway.

    Returns:
        The end of the run so far.

    Raises:
        UsageError: another driver is at work there, or its files are damaged.
        EnvironmentFault: no space or no permission.
    """
    with closing(RunDirectory.open(run_dir)) as directory, Journal.open(directory.journal) as log:
        told = log.events_at_opening
        if told and isinstance(told[-1], EndEvent):
            directory.set_status(told[-1].status)
            return told[-1]
        generation, time_ms = generations_behind(directory), now_ms()
        end = EndEvent(time_ms=time_ms, generation=generation, status=status)
        if not told:  # the first event of a journal is the start of a run
            directory.set_status(status)
            return end
        chronicle = Chronicle(directory, log, load_config(directory.config).tracking)
        chronicle.append(
            FaultEvent(time_ms=time_ms, generation=generation, kind=DRIVER_LOST, message=message)
        )
        chronicle.append(end)
        directory.set_status(status)
        if deliver:
            chronicle.start_tracking()
            if chronicle.tracker is not None:
                chronicle.tracker.close(status, FAILED_CLOSE_S)
        return end
