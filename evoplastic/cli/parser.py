"""All verbs in one parser, cheap enough to build for every `--help`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from evoplastic import __version__
from evoplastic.cli import (
    analyze,
    bench,
    config,
    doctor,
    evaluate,
    evolve,
    genome,
    launch,
    lineage,
    rules,
    searches,
    store,
    tasks,
)
from evoplastic.cli.inside import probe, record
from evoplastic.cli.records import report, runs
from evoplastic.cli.sweep import verb as sweep

OVERVIEW = """\
Evolve plastic neural networks, and measure what they learn on tasks they never met in evolution.

start here:
  evoplastic evolve laptop                   five minutes on two cores, then a table and figures
  evoplastic evaluate runs/laptop-seed1-001  what the evolved network learns in a lifetime
  evoplastic tasks list                      the tasks, and which of them are held out
  evoplastic runs                            all recorded runs, best first
  evoplastic ui                              browse all recorded runs
"""
EXIT_CODES = """\
exit codes: 0 done, 2 usage, 3 environment, 75 pre-empted (resume the run), 130 interrupted"""


def build_parser() -> argparse.ArgumentParser:
    """The whole command line; the parsed namespace carries the verb's function as `run`."""
    parser = argparse.ArgumentParser(
        prog="evoplastic",
        description=OVERVIEW,
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"evoplastic {__version__}")
    parser.add_argument("--debug", action="store_true", help="show tracebacks of errors")
    parser.set_defaults(printing_is_extra=False, watched=lambda args: False)
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    for module in (
        evolve,
        sweep,
        evaluate,
        record,
        probe,
        tasks,
        rules,
        searches,
        genome,
        lineage,
        analyze,
        report,
        bench,
        config,
        doctor,
        launch,
        store,
        runs,
    ):
        module.add_verbs(verbs)
    return parser


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse a command line; exits as argparse does.

    argparse takes a run of positional words only up to the next option, so `key=value` words
    after an option come back as unknown ones and are joined to the others here.
    """
    parser = build_parser()
    args, rest = parser.parse_known_args(argv)
    strange = [word for word in rest if word.startswith("-") or "=" not in word]
    if strange or (rest and not hasattr(args, "overrides")):
        parser.error(f"unrecognized arguments: {' '.join(strange or rest)}")
    if rest:
        args.overrides = [*args.overrides, *rest]
    args.typed = sys.argv[1:] if argv is None else list(argv)
    return args
