"""A run with workers has a parent that watches its driver: which runs, and what the parent does."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from evoplastic.checks import EnvironmentFault, UsageError
from evoplastic.cli import exits
from evoplastic.cli.driving.leaving import how_to_go_on
from evoplastic.supervision import Lost

if TYPE_CHECKING:
    from evoplastic.records.names import Status

CODES = {"done": exits.DONE, "preempted": exits.PREEMPTED, "interrupted": exits.INTERRUPTED}


def uses_ray(args: argparse.Namespace) -> bool:
    """Whether a command hands its work to Ray, which may end the process that does."""
    if getattr(args, "dry_run", False):
        return False
    workers = "" if args.workers is None else str(args.workers)
    return bool(args.address) or workers not in ("", "0") or _is_meant(workers)


def _is_meant(workers: str) -> bool:
    return workers != "0" and bool(os.environ.get("RAY_ADDRESS"))


def write_down(args: argparse.Namespace, lost: Lost) -> int:
    """Write down the end of a driver that was lost, and say how to go on; the exit code."""
    print(f"evoplastic: {lost}", file=sys.stderr)
    if lost.run_dir is None:
        return lost.exit_code
    from cluster.session.lost import write_lost

    status: Status = "failed" if lost.broken else "preempted"
    if lost.exit_code == exits.INTERRUPTED:
        status = "interrupted"
    try:
        end = write_lost(lost.run_dir, str(lost), status, deliver=lost.received is None)
    except (UsageError, EnvironmentFault) as error:
        print(f"evoplastic: this could not be written down: {error}", file=sys.stderr)
        return lost.exit_code
    if end.status != "done":
        where = f"{end.status} at generation {end.generation}"
        print(f"{where}; {how_to_go_on(lost.run_dir, args)}", file=sys.stderr)
    return CODES.get(end.status, lost.exit_code)
