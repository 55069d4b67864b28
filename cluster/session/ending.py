"""How a process leaves a run: done, stopped, or broken off, so that the next one can go on."""

from __future__ import annotations

from contextlib import suppress

from cluster.session.session import Session
from cluster.signals import RunStatus, status_of
from evoplastic.checks import EnvironmentFault, Preempted
from evoplastic.records.names import CENTER_NAME, Status
from evoplastic.stopping import StopSignal

TRACKER_CLOSE_S = 15.0  # the longest a run that is over waits for its tracking store
FAILED_CLOSE_S = 5.0  # and one that broke off, whose user waits for the reason
# What Ray raises where a cluster is lost and it leaves Python the time to hear of it.
LOST = ("RaySystemError", "LocalRayletDiedError", "NodeDiedError", "OwnerDiedError", "RpcError")


def end(session: Session, status: RunStatus, stop: StopSignal) -> RunStatus:
    """Keep the center, and write down how this process leaves the run; how it does.

    That a run is done is written last: what the store lacks of it is delivered before. A signal
    meanwhile makes it pre-empted, and a resumed run delivers the rest.
    """
    stop.ending, again = True, stop.again()
    session.lineage.save_center(session.genome())
    session.pedigree.write_table()
    session.keep_pairs()
    tracker = session.chronicle.tracker
    if status == "done" and tracker is not None:
        whole = tracker.catch_up(TRACKER_CLOSE_S, again)
        if not whole and again():
            status = status_of(stop.received)
    session.chronicle.leave(session.generation, status)
    if tracker is not None:
        limit_s = TRACKER_CLOSE_S if status == "done" else FAILED_CLOSE_S
        tracker.close(status, limit_s, again)
    return status


def settle(session: Session, stop: StopSignal) -> None:
    """Deliver what a process still owed that was killed after it had written down the end."""
    stop.ending = True
    directory = session.chronicle.directory
    if directory.status != "done":
        directory.set_status("done")
    if not (directory.genomes / CENTER_NAME).is_file():
        session.lineage.save_center(session.genome())
    tracker = session.chronicle.new_tracker()
    if tracker is not None and tracker.owes():
        tracker.start()
        tracker.close("done", TRACKER_CLOSE_S, stop)


def fail(session: Session, error: BaseException) -> None:
    """Write down that the run broke off, as far as that can still be written."""
    status: Status = "failed"
    if isinstance(error, KeyboardInterrupt):
        status = "interrupted"
    elif isinstance(error, Preempted):
        status = "preempted"
    session.chronicle.break_off(session.generation, error, status)
    with suppress(EnvironmentFault):
        session.pedigree.write_table()
        session.keep_pairs()
    if session.chronicle.tracker is not None:
        session.chronicle.tracker.close(status, FAILED_CLOSE_S)


def taken_away(error: BaseException) -> BaseException:
    """An error as it counts for the run: that of a cluster that is lost means no room for now."""
    kind = type(error)
    if kind.__module__ == "ray.exceptions" and kind.__name__ in LOST:
        return Preempted(
            f"the Ray cluster is lost: {(str(error).strip() or kind.__name__).splitlines()[0]}"
        )
    return error
