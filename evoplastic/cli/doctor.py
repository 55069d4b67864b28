"""doctor: is this machine ready, and if not, what to do."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evoplastic.checks import require
from evoplastic.cli import exits
from evoplastic.cli.store import add_store
from evoplastic.cli.verbs import add_json, add_verb, print_json, print_table

if TYPE_CHECKING:
    from evoplastic.cli.verbs import Subparsers


def add_verbs(verbs: Subparsers) -> None:
    """Declare `doctor`."""
    parser = add_verb(
        verbs,
        "doctor",
        "check Python, packages, memory, engines, Ray and the store of records",
        """
        evoplastic doctor
        evoplastic doctor --store http://127.0.0.1:5000 --json
        evoplastic doctor --address 10.0.0.1:6379 --run-dir /shared/run7
        """,
        run_doctor,
    )
    add_store(parser)
    parser.add_argument(
        "--address",
        metavar="A",
        help="also look at each node of the Ray cluster at HOST:PORT, or auto (default: "
        "RAY_ADDRESS, if set)",
    )
    parser.add_argument(
        "--run-dir", type=Path, metavar="D", help="say which nodes see this directory"
    )
    add_json(parser)


def run_doctor(args: argparse.Namespace) -> int:
    """All checks; exit code 3 when something essential is broken."""
    from cluster.workers.address import meant
    from evoplastic.cli.health import examine

    address = meant(args.address)
    require(
        address is not None or args.run_dir is None,
        "--run-dir is looked for on the nodes of a cluster; name one with --address",
    )
    findings = examine(args.store)
    nodes: list[dict[str, Any]] = []
    if address is not None:
        from evoplastic.cli.workers.nodes import examine_cluster

        of_cluster, nodes = examine_cluster(address, args.run_dir)
        findings += of_cluster
    broken = [finding for finding in findings if finding.state == "broken"]
    if args.json:
        listed = [finding._asdict() for finding in findings]
        of_nodes = {"nodes": nodes} if address is not None else {}
        print_json({"healthy": not broken, "findings": listed, **of_nodes})
    else:
        print_table(
            ("", "what", "found", "advice"),
            [(finding.state, finding.what, finding.found, finding.advice) for finding in findings],
        )
    if broken:
        names = ", ".join(finding.what for finding in broken)
        print(f"evoplastic: not ready: {names}", file=sys.stderr)
        return exits.ENVIRONMENT
    return exits.DONE
