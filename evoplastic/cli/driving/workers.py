"""--workers and its companions: how many worker processes, and what each of them is given."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from evoplastic.checks import UsageError, require

if TYPE_CHECKING:
    from cluster.workers.staffing.request import WorkerRequest

TEACHING = """\
Without --workers and --address the run is one process on all cores, or on the GPU. With workers,
what a generation simulates is shared out; the result is the same, byte for byte, whatever their
number and whoever comes and goes. Workers are spread over the nodes, and each sees the GPUs that
are its own. Those for which there is no room wait for it, where an autoscaler sees them."""

# Option, attribute, and the field of WorkerRequest that it sets.
COMPANIONS = (
    ("--gpus-per-worker", "gpus_per_worker", "gpus_per_worker"),
    ("--cpus-per-worker", "cpus_per_worker", "cpus_per_worker"),
    ("--wait-for-workers", "wait_for_workers", "wait_s"),
)


def add_workers(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    group = parser.add_argument_group("who does the work", TEACHING)
    group.add_argument(
        "--workers",
        metavar="N|MIN-MAX|max|num_gpus",
        help="Ray worker processes: N, or as many as there is room for until then; MIN-MAX: a "
        "generation begins with MIN, and the run grows to MAX; max: all there is room for; "
        "num_gpus: one for each GPU (default 0: this process; with --address, max)",
    )
    group.add_argument(
        "--address",
        metavar="A",
        help="HOST:PORT of a running Ray cluster, or auto (default: RAY_ADDRESS, if set)",
    )
    group.add_argument(
        "--gpus-per-worker",
        type=float,
        metavar="G",
        help="GPUs of each worker; 0.5: two share one (default 1 where the cluster has GPUs and "
        "the engine is auto or gpu, else 0)",
    )
    group.add_argument(
        "--cpus-per-worker",
        type=int,
        metavar="C",
        help="CPUs of each worker, and threads of its engine (default 1)",
    )
    group.add_argument(
        "--wait-for-workers",
        type=float,
        metavar="SECONDS",
        help="the longest wait while no worker is there, at the start or later, then exit 75 "
        "(default 900)",
    )


def address_of(args: argparse.Namespace) -> str | None:
    """The address that was given, else that of RAY_ADDRESS, unless no workers are wanted.

    Raises:
        UsageError: an address, and no workers.
    """
    given: str | None = args.address
    require(
        given is None or args.workers != "0",
        f"--workers 0 is this process alone, and --address {given} is a cluster; leave out one",
    )
    if given is not None or args.workers == "0":
        return given
    from cluster.workers.address import meant

    return meant(None)


def request_of(args: argparse.Namespace) -> WorkerRequest | None:
    """What was asked for; None: the work is done in this process.

    Raises:
        UsageError: words that are not understood, or options that nobody would heed.
    """
    from cluster.workers.staffing.request import parse_workers

    given: dict[str, Any] = {
        field: getattr(args, attribute)
        for _, attribute, field in COMPANIONS
        if getattr(args, attribute) is not None
    }
    if args.workers in (None, "0") and address_of(args) is None:
        option = next((option for option, _, field in COMPANIONS if field in given), None)
        if option is not None:
            raise UsageError(
                f"{option} says something of worker processes, and none are asked for; add "
                "--workers N or --address A, or leave it out"
            )
        return None
    return parse_workers(args.workers, **given)


def as_typed(args: argparse.Namespace) -> list[str]:
    """The options as they were given, for a command that goes on."""
    options = [("--workers", "workers"), ("--address", "address")]
    options += [(option, attribute) for option, attribute, _ in COMPANIONS]
    return [
        word
        for option, attribute in options
        if (value := getattr(args, attribute)) is not None
        for word in (option, f"{value:g}" if isinstance(value, float) else str(value))
    ]
