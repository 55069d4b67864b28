"""analyze: the final table and the figures of a run, or of several seeds, from records alone."""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evoplastic.checks import UsageError
from evoplastic.cli import exits
from evoplastic.cli.inside.figures import (
    add_figure_options,
    draw_of_run,
    is_genome,
    planned,
    require_one,
    require_used,
    run_of_genome,
)
from evoplastic.cli.records import effects
from evoplastic.cli.verbs import add_json, add_verb, console, print_json

if TYPE_CHECKING:
    from analysis.folders import Found
    from analysis.report import AnalysisReport
    from analysis.seeds import SeedsReport
    from analysis.settings import SettingsReport
    from cluster.loop import RunOutcome
    from evoplastic.cli.verbs import Subparsers

logger = logging.getLogger(__name__)


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
        evoplastic analyze runs/laptop-sweep-001 --by search.sigma
        evoplastic analyze runs/holds-out-context runs/holds-out-matching
        evoplastic analyze 3f0c... --store sqlite:///mlflow.db --out figures
        evoplastic analyze runs/laptop-seed1-001 --figures
        evoplastic analyze g.safetensors --figures choices,psychometric --task dms
        """,
        run_analyze,
    )
    parser.add_argument(
        "run_refs",
        metavar="RUN",
        nargs="+",
        help="run directory, run id or MLflow run id, or a folder of runs; several: spread over "
        "seeds, setting by setting, or compared --by one",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="default: figures/ of the run or the folder; figures-seeds/, figures-settings/ or "
        "figures-effects/ for several",
    )
    parser.add_argument("--store", metavar="URI", help="MLflow store (default: that of the run)")
    parser.add_argument(
        "--no-mlflow", action="store_true", help="do not add the figures to the MLflow run"
    )
    effects.add_options(parser)
    add_figure_options(parser)
    add_json(parser)


def run_analyze(args: argparse.Namespace) -> int:
    """Draw, then print the final table."""
    from analysis.folders import is_folder_of_runs

    effects.require_by(args)
    require_used(args)
    if args.by:
        require_one(args)
        return effects.run_effects(args)
    if len(args.run_refs) > 1 or is_folder_of_runs(args.run_refs[0]):
        require_one(args)
        return _run_several(args)
    if args.figures is not None and is_genome(args.run_refs[0]):
        return run_of_genome(args)
    from analysis.report import analyze

    plan = None if args.figures is None else planned(args, args.run_refs[0])
    report = analyze(args.run_refs[0], args.out, not args.no_mlflow, args.store)
    inside: list[Path] = []
    if plan is not None:
        out = report.files[0].parent
        inside = draw_of_run(plan, out, report.records, args.store, not args.no_mlflow)
    if args.json:
        print_json(as_json(report) | ({"inside": [str(each) for each in inside]} if plan else {}))
    else:
        print_report(report)
        for file in inside:
            print(f"wrote {file}")
    return exits.DONE


def _run_several(args: argparse.Namespace) -> int:
    """Of one setting or of many, the spread over seeds."""
    from analysis.folders import open_all

    found = open_all(args.run_refs, args.store)
    for sentence in found.left_out:
        print(f"left out: {sentence}", file=sys.stderr)
    report = compare(found, args.out)
    if args.json:
        print_json(comparison_as_json(report))
    else:
        print_comparison(report)
    return exits.DONE


def compare(found: Found, out: Path | None = None) -> SeedsReport | SettingsReport:
    """Runs of one setting task by task, with a figure; of several, setting by setting.

    Where tasks evolve, ANNECS of all runs is drawn in one figure, and where runs hold out different
    families of one suite, the matrix of families and tasks.
    """
    from analysis.families.report import write_families
    from analysis.figures.environments.writing import write_figures_annecs

    if out is None:
        out = _out_of_several(found)
    report = _compare(found, out)
    files = [*write_figures_annecs(found.runs, out), *write_families(found.runs, out)]
    return dataclasses.replace(report, files=(*report.files, *files))


def _out_of_several(found: Found) -> Path:
    if found.folder is not None:
        return found.folder / "figures"
    return Path("figures-seeds" if _is_one_setting(found) else "figures-settings")


def _is_one_setting(found: Found) -> bool:
    from analysis.settings import group_by_setting

    return len(found.runs) > 1 and len(group_by_setting(found.runs, found.keys)) == 1


def _compare(found: Found, out: Path) -> SeedsReport | SettingsReport:
    from analysis.seeds import compare_seeds
    from analysis.settings import compare_settings

    if _is_one_setting(found):
        try:
            return compare_seeds(found.runs, out)
        except UsageError as error:  # as of runs that have come to different generations
            logger.warning("%s; the last evaluation of each is tabulated", error)
    return compare_settings(found.runs, out, found.keys)


def print_comparison(report: SeedsReport | SettingsReport) -> None:
    """The spread over seeds, and where the tables lie."""
    from analysis.families.table import is_leave_one_out, obstacle
    from analysis.seeds import SeedsReport
    from analysis.tables.families import format_families_table
    from analysis.tables.groups import format_groups
    from analysis.tables.seeds import format_seeds_table
    from analysis.tables.settings import format_settings_table

    if isinstance(report, SeedsReport):
        console().print(format_seeds_table(report))
        for table in format_groups(report.runs):
            console().print(table)
    else:
        console().print(format_settings_table(report.summary))
        runs = [run for setting in report.settings for run in setting.runs]
        if is_leave_one_out(runs):
            console().print(format_families_table(runs))
        reason = obstacle(runs)
        if reason is not None:
            print(f"no matrix of held-out families: {reason}", file=sys.stderr)
    _print_files(report.files)


def comparison_as_json(report: SeedsReport | SettingsReport) -> dict[str, object]:
    """The runs, and the tables as records."""
    from analysis.families.table import families_table, is_leave_one_out
    from analysis.groups import groups_table
    from analysis.seeds import SeedsReport

    files = [str(file) for file in report.files]
    if isinstance(report, SeedsReport):
        ids = [run.run_id for run in report.runs]
        return {
            "run_ids": ids,
            "table": _records(report.table),
            "groups": _records(groups_table(report.runs)),
            "files": files,
        }
    settings = [
        {
            "setting": setting.name,
            "values": setting.values,
            "seeds": [run.seed for run in setting.runs],
            "run_ids": [run.run_id for run in setting.runs],
        }
        for setting in report.settings
    ]
    runs = [run for setting in report.settings for run in setting.runs]
    families = {"families": _records(families_table(runs))} if is_leave_one_out(runs) else {}
    summary, table = _records(report.summary), _records(report.table)
    return {
        "settings": settings,
        "summary": summary,
        "table": table,
        **families,
        "files": files,
    }


def print_report(report: AnalysisReport) -> None:
    """The final table, and where the figures lie."""
    from analysis.tables.final import format_final_table
    from analysis.tables.groups import format_groups
    from analysis.tables.streams import format_streams

    console().print(format_final_table(report.table))
    for table in (*format_groups([report.records]), *format_streams(report.records)):
        console().print(table)
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
    from analysis.groups import groups_table

    return {
        "run_id": report.records.run_id,
        "final_table": _records(report.table),
        "groups": _records(groups_table([report.records])),
        "files": [str(file) for file in report.files],
        "mlflow_run_id": report.mlflow_run_id,
    }
