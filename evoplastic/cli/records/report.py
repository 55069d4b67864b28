"""report: one page about runs, to be sent."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from evoplastic.cli import exits
from evoplastic.cli.verbs import add_json, add_verb, print_json

if TYPE_CHECKING:
    from evoplastic.cli.verbs import Subparsers


def add_verbs(verbs: Subparsers) -> None:
    """Declare `report`."""
    parser = add_verb(
        verbs,
        "report",
        "write one page about a run, or about several compared, that opens anywhere offline",
        """
        evoplastic report runs/laptop-seed1-001
        evoplastic report runs/laptop-sweep-001 --out sweep.html --latex sweep.tex --pdf
        evoplastic report 3f0c... 77ab... --store http://127.0.0.1:5000
        """,
        run_report,
    )
    parser.add_argument(
        "run_refs",
        metavar="RUN",
        nargs="+",
        help="run directory, run id or MLflow run id, or a folder of runs; several are compared, "
        "setting by setting, seeds as replicates",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("report.html"),
        metavar="FILE",
        help="the page (default report.html)",
    )
    parser.add_argument(
        "--latex", type=Path, metavar="FILE", help="write the tables for LaTeX (booktabs), too"
    )
    parser.add_argument(
        "--pdf", action="store_true", help="print the page to a .pdf beside it, with Chromium"
    )
    parser.add_argument("--store", metavar="URI", help="MLflow store (default: that of the run)")
    parser.add_argument(
        "--no-mlflow", action="store_true", help="do not add the report to the runs in MLflow"
    )
    add_json(parser)


def run_report(args: argparse.Namespace) -> int:
    """Write, then tell the story and the files."""
    from evoplastic.api.reporting import report

    made = report(
        *args.run_refs,
        out=args.out,
        latex=args.latex,
        pdf=args.pdf,
        store=args.store,
        to_mlflow=not args.no_mlflow,
    )
    for sentence in made.left_out:
        print(f"left out: {sentence}", file=sys.stderr)
    if args.json:
        print_json(
            {
                "files": [str(file) for file in made.files],
                "run_ids": made.run_ids,
                "story": made.story,
                "mlflow_run_ids": made.mlflow_run_ids,
                "left_out": made.left_out,
            }
        )
        return exits.DONE
    print(made.story + "\n")
    for file in made.files:
        print(f"wrote {file}")
    if made.mlflow_run_ids:
        print(f"added to MLflow run {', '.join(made.mlflow_run_ids)}")
    return exits.DONE
