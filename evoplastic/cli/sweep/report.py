"""How a sweep ended: the table by setting, what failed and why, and what to do next."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evoplastic.checks import UsageError
from evoplastic.cli import exits
from evoplastic.commands import command

if TYPE_CHECKING:
    from cluster.sweep.children import RunResult
    from cluster.sweep.plan import PlannedRun

logger = logging.getLogger(__name__)

UNEXPECTED = 1


def tabulate(root: Path, *, as_json: bool) -> tuple[list[Path], dict[str, object] | None]:
    """Print what each setting reaches; the files written, and for a program the numbers."""
    from analysis.folders import open_all
    from evoplastic.cli.analyze import compare, comparison_as_json, print_comparison

    try:
        report = compare(open_all([root]))
    except UsageError as error:  # nothing was evaluated: the runs say why
        logger.info("no table: %s", error)
        return [], None
    if as_json:
        return list(report.files), comparison_as_json(report)
    print_comparison(report)
    return list(report.files), None


def ending(
    results: Sequence[RunResult],
    chosen: Sequence[PlannedRun],
    faults: Sequence[str],
    *,
    root: Path,
    stopped: str | None,
    table: dict[str, object] | None,
    go_on: str,
    as_json: bool,
) -> int:
    """Say how the runs were left; the exit code of the sweep."""
    code = exit_code(results, stopped)
    done = sum(result.status == "done" for result in results)
    if as_json:
        values: dict[str, Any] = {
            "event": "outcome",
            "status": {0: "done", 75: "preempted", 130: "interrupted"}.get(code, "failed"),
            "run_dir": str(root),
            "runs": [
                {
                    "run": result.name,
                    "status": result.status,
                    "reason": result.reason,
                    "center_digest": (result.outcome or {}).get("center_digest"),
                }
                for result in results
            ],
            "not_started": len(chosen) - len(results),
            "undelivered": list(faults),
        }
        print(json.dumps(values | (table or {}), allow_nan=False))
    for fault in faults:
        print(f"evoplastic: not delivered to MLflow: {fault}", file=sys.stderr)
    for result in results:
        if result.status == "failed" or (result.status != "done" and stopped is None):
            print(f"{result.name} {result.status}: {result.reason}", file=sys.stderr)
    if code != exits.DONE:
        word = stopped or ("stopped" if code == exits.PREEMPTED else "over")
        print(
            f"{word} with {done} of {len(chosen)} runs done; go on with: {go_on}", file=sys.stderr
        )
    elif not as_json:
        print(f"{done} of {len(chosen)} runs done; try: {command('analyze', root)}")
    return code


def exit_code(results: Sequence[RunResult], stopped: str | None) -> int:
    """130 or 75 where a signal stopped the sweep, 75 where one stopped a run, else that of the
    first run that failed."""
    if stopped is not None:
        return exits.INTERRUPTED if stopped == "interrupted" else exits.PREEMPTED
    if any(result.status in ("preempted", "interrupted") for result in results):
        return exits.PREEMPTED
    codes = [result.code for result in results if result.status == "failed"]
    if not codes:
        return exits.DONE
    return codes[0] if codes[0] in (exits.USAGE, exits.ENVIRONMENT) else UNEXPECTED
