"""analyze: the final table and the figures of a run, or of several seeds, from records alone."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evoplastic.cli import exits
from evoplastic.cli.verbs import add_json, add_verb, console, print_json

if TYPE_CHECKING:
    from analysis.folders import Found
    from analysis.report import AnalysisReport
    from analysis.settings import SettingsReport
    from analysis.store import RunRecords
    from cluster.loop import RunOutcome
    from evoplastic.cli.verbs import Subparsers


def add_verbs(verbs: Subparsers) -> None:
    """Declare `analyze`."""
    parser = add_verb(
        verbs,
        "analyze",
        "tabulate and draw a finished or running run, or several of them, from their records",
        """
        evoplastic analyze runs/laptop-seed1-001
        evoplastic analyze runs/seed1 runs/seed2 runs/seed3 --out figures-seeds
        evoplastic analyze runs/laptop-sweep-001
        evoplastic analyze 3f0c... --store sqlite:///mlflow.db --out figures
        """,
        run_analyze,
    )
    parser.add_argument(
        "run_refs",
        metavar="RUN",
        nargs="+",
        help="run directory, run id or MLflow run id, or a folder of runs; several: spread over "
        "seeds, setting by setting",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="default: figures/ of the run or the folder; figures-seeds/ or figures-settings/ for "
        "several",
    )
    parser.add_argument("--store", metavar="URI", help="MLflow store (default: that of the run)")
    parser.add_argument(
        "--no-mlflow", action="store_true", help="do not add the figures to the MLflow run"
    )
    add_json(parser)


def run_analyze(args: argparse.Namespace) -> int:
    """Draw, then print the final table."""
    from analysis.folders import is_folder_of_runs

    if len(args.run_refs) > 1 or is_folder_of_runs(args.run_refs[0]):
        return _run_several(args)
    from analysis.report import analyze

    report = analyze(args.run_refs[0], args.out, not args.no_mlflow, args.store)
    if args.json:
        print_json(as_json(report))
    else:
        print_report(report)
    return exits.DONE


def _run_several(args: argparse.Namespace) -> int:
    """Of one setting or of many, the spread over seeds."""
    from analysis.folders import open_all
    from analysis.settings import group_by_setting

    found = open_all(args.run_refs, args.store)
    for sentence in found.left_out:
        print(f"left out: {sentence}", file=sys.stderr)
    settings = group_by_setting(found.runs, found.keys)
    one = len(settings) == 1 and len(found.runs) > 1
    default = Path("figures-seeds" if one else "figures-settings")
    out = args.out or (found.folder / "figures" if found.folder is not None else default)
    return _print_seeds(found.runs, out, args) if one else _print_settings(found, out, args)


def _print_seeds(runs: Sequence[RunRecords], out: Path, args: argparse.Namespace) -> int:
    from analysis.seeds import compare_seeds
    from analysis.tables.seeds import format_seeds_table

    report = compare_seeds(runs, out)
    if args.json:
        print_json(
            {
                "run_ids": [run.run_id for run in report.runs],
                "table": _records(report.table),
                "files": [str(file) for file in report.files],
            }
        )
        return exits.DONE
    console().print(format_seeds_table(report))
    _print_files(report.files)
    return exits.DONE


def _print_settings(found: Found, out: Path, args: argparse.Namespace) -> int:
    from analysis.settings import compare_settings

    report = compare_settings(found.runs, out, found.keys)
    if args.json:
        print_json(settings_as_json(report))
    else:
        print_settings(report)
    return exits.DONE


def print_settings(report: SettingsReport) -> None:
    """What each setting reaches, and where the tables lie."""
    from analysis.tables.settings import format_settings_table

    console().print(format_settings_table(report.summary))
    _print_files(report.files)


def settings_as_json(report: SettingsReport) -> dict[str, object]:
    """The settings with their runs, and the tables as records."""
    return {
        "settings": [
            {
                "setting": setting.name,
                "values": setting.values,
                "seeds": [run.seed for run in setting.runs],
                "run_ids": [run.run_id for run in setting.runs],
            }
            for setting in report.settings
        ],
        "summary": _records(report.summary),
        "table": _records(report.table),
        "files": [str(file) for file in report.files],
    }


def print_report(report: AnalysisReport) -> None:
    """The final table, and where the figures lie."""
    from analysis.tables.final import format_final_table

    console().print(format_final_table(report.table))
    _print_files(report.files)


def _print_files(files: Sequence[Path]) -> None:
    print()
    for file in files:
        print(f"wrote {file}")


def _records(table: Any) -> object:
    """A table as records; what is not a number becomes null."""
    return json.loads(table.to_json(orient="records", double_precision=15))


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
        "final_table": _records(report.table),
        "files": [str(file) for file in report.files],
        "mlflow_run_id": report.mlflow_run_id,
    }
