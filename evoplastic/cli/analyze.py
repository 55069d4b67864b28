"""analyze: the final table and the figures of a run, or of several seeds, from records alone."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from evoplastic.cli import exits
from evoplastic.cli.verbs import add_json, add_verb, console, print_json

if TYPE_CHECKING:
    from analysis.report import AnalysisReport
    from cluster.loop import RunOutcome
    from evoplastic.cli.verbs import Subparsers


def add_verbs(verbs: Subparsers) -> None:
    """Declare `analyze`."""
    parser = add_verb(
        verbs,
        "analyze",
        "tabulate and draw a finished or running run, or several seeds, from their records",
        """
        evoplastic analyze runs/laptop-seed1-001
        evoplastic analyze runs/seed1 runs/seed2 runs/seed3 --out figures-seeds
        evoplastic analyze 3f0c... --store sqlite:///mlflow.db --out figures
        """,
        run_analyze,
    )
    parser.add_argument(
        "run_refs",
        metavar="RUN",
        nargs="+",
        help="run directory, run id or MLflow run id; several of one setting: spread over seeds",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="default: figures/ of the run; figures-seeds/ for several",
    )
    parser.add_argument("--store", metavar="URI", help="MLflow store (default: that of the run)")
    parser.add_argument(
        "--no-mlflow", action="store_true", help="do not add the figures to the MLflow run"
    )
    add_json(parser)


def run_analyze(args: argparse.Namespace) -> int:
    """Draw, then print the final table."""
    if len(args.run_refs) > 1:
        return _run_seeds(args)
    from analysis.report import analyze

    report = analyze(args.run_refs[0], args.out, not args.no_mlflow, args.store)
    if args.json:
        print_json(as_json(report))
    else:
        print_report(report)
    return exits.DONE


def _run_seeds(args: argparse.Namespace) -> int:
    """Draw the spread over seeds, then print its table."""
    from analysis.seeds import compare_seeds
    from analysis.tables.seeds import format_seeds_table

    report = compare_seeds(args.run_refs, args.out or Path("figures-seeds"), args.store)
    if args.json:
        print_json(
            {
                "run_ids": [run.run_id for run in report.runs],
                "table": json.loads(report.table.to_json(orient="records", double_precision=15)),
                "files": [str(file) for file in report.files],
            }
        )
        return exits.DONE
    console().print(format_seeds_table(report))
    print()
    for file in report.files:
        print(f"wrote {file}")
    return exits.DONE


def print_report(report: AnalysisReport) -> None:
    """The final table, and where the figures lie."""
    from analysis.tables.final import format_final_table

    console().print(format_final_table(report.table))
    print()
    for file in report.files:
        print(f"wrote {file}")


def print_outcome(outcome: RunOutcome, report: AnalysisReport | None) -> None:
    """One last JSON line about a run, of event "outcome"."""
    values: dict[str, object] = {
        "event": "outcome",
        "status": outcome.status,
        "run_id": outcome.run_id,
        "run_dir": str(outcome.run_dir),
        "generation": outcome.generation,
        "generations": outcome.generations,
        "center_digest": outcome.center_digest,
        "already_finished": outcome.already_finished,
    }
    print(json.dumps(values | (as_json(report) if report else {}), allow_nan=False))


def as_json(report: AnalysisReport) -> dict[str, object]:
    """The final table as records, and the files; what is not a number becomes null."""
    return {
        "run_id": report.records.run_id,
        "final_table": json.loads(report.table.to_json(orient="records", double_precision=15)),
        "files": [str(file) for file in report.files],
        "mlflow_run_id": report.mlflow_run_id,
    }
