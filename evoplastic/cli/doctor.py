"""doctor: is this machine ready, and if not, what to do."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

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
        "evoplastic doctor\nevoplastic doctor --store http://127.0.0.1:5000 --json",
        run_doctor,
    )
    add_store(parser)
    add_json(parser)


def run_doctor(args: argparse.Namespace) -> int:
    """All checks; exit code 3 when something essential is broken."""
    from evoplastic.cli.health import examine

    findings = examine(args.store)
    broken = [finding for finding in findings if finding.state == "broken"]
    if args.json:
        print_json({"healthy": not broken, "findings": [finding._asdict() for finding in findings]})
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
