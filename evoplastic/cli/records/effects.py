"""analyze --by: what a setting does, seeds as replicates."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from evoplastic.checks import require
from evoplastic.cli import exits
from evoplastic.cli.verbs import console, print_json

if TYPE_CHECKING:
    from analysis.effects.groups import At


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of a comparison by a setting."""
    options = parser.add_argument_group("compare by a setting")
    options.add_argument(
        "--by",
        action="append",
        default=[],
        metavar="KEY",
        help="setting by which runs are grouped and compared, as search.sigma or rule; given "
        "several times, each combination of values is one setting",
    )
    options.add_argument(
        "--score",
        metavar="S",
        help="with --by: held_out or train, the mean over such tasks, or one task by its name "
        "(default held_out)",
    )
    options.add_argument(
        "--generation",
        metavar="G",
        help="with --by: generation to compare at, or `last` for that of each run (default: the "
        "last that all runs have evaluated)",
    )
    options.add_argument(
        "--confidence", type=float, metavar="C", help="with --by: of intervals (default 0.95)"
    )


def require_by(args: argparse.Namespace) -> None:
    """Refuse options that nothing would heed.

    Raises:
        UsageError: an option of a comparison without --by.
    """
    for option in ("score", "generation", "confidence"):
        require(
            bool(args.by) or getattr(args, option) is None,
            f"--{option} belongs to a comparison; say with --by KEY which setting is compared",
        )


def run_effects(args: argparse.Namespace) -> int:
    """Compare, draw, and print both tables."""
    from analysis.effects.comparing import CONFIDENCE, compare_effects
    from analysis.effects.report import as_plain
    from analysis.folders import open_all
    from analysis.tables.effects import format_effects

    found = open_all(args.run_refs, args.store)
    out = args.out or (
        Path("figures-effects") if found.folder is None else found.folder / "figures"
    )
    report, files = compare_effects(
        found.runs,
        args.by,
        out,
        score=args.score or "held_out",
        at=_generation(args.generation),
        confidence=CONFIDENCE if args.confidence is None else args.confidence,
    )
    for sentence in (*found.left_out, *report.compared.left_out):
        print(f"left out: {sentence}", file=sys.stderr)
    if args.json:
        print_json(as_plain(report) | {"files": [str(file) for file in files]})
        return exits.DONE
    console().print(format_effects(report))
    for file in files:
        print(f"wrote {file}")
    return exits.DONE


def _generation(text: str | None) -> At:
    if text is None or text == "last":
        return None if text is None else "last"
    require(
        text.isdecimal(),
        f"--generation is {text!r}, expected a generation that the runs have evaluated, or last",
    )
    return int(text)
