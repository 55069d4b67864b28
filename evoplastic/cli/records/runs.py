"""runs: what a store holds, best first."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from evoplastic.cli import exits
from evoplastic.cli.store import add_store
from evoplastic.cli.verbs import add_json, add_verb, positive, print_json, print_table

if TYPE_CHECKING:
    from analysis.listing import ListedRun, ListedSetting
    from evoplastic.cli.verbs import Subparsers


def add_verbs(verbs: Subparsers) -> None:
    """Declare `runs`."""
    parser = add_verb(
        verbs,
        "runs",
        "list the runs of a store by setting, best held-out accuracy first, with spread over seeds",
        """
        evoplastic runs
        evoplastic runs --where name=laptop-seed1
        evoplastic runs --where 'search.sigma>=0.05' --where 'held_out>0.9' --json
        evoplastic runs --store http://127.0.0.1:5000
        """,
        run_runs,
    )
    add_store(parser)
    parser.add_argument(
        "--where",
        action="append",
        default=[],
        metavar="CONDITION",
        help="KEY=VALUE, or with != < <= > >=; KEY is a setting by its dotted path, or name, seed, "
        "status, experiment, setting, held_out, bias, worst_task, generations; may be repeated",
    )
    parser.add_argument(
        "--most", type=positive, default=20, metavar="N", help="settings to print (default 20)"
    )
    add_json(parser)


def run_runs(args: argparse.Namespace) -> int:
    """Two tables: settings with their spread, and their runs."""
    from analysis.listing import list_runs

    settings = list_runs(args.store, args.where)
    if args.json:
        print_json([_as_json(each) for each in settings])
    elif not settings:
        print(f"no run of {args.store}" + (" fits" if args.where else ""))
    else:
        _print(settings, args.most)
    return exits.DONE


def _print(settings: tuple[ListedSetting, ...], most: int) -> None:
    from analysis.negations import BIAS_MEANS

    shown = settings[:most]
    print_table(
        ("setting", "runs", "held-out %", "spread", "bias", "worst task", "fixed policy", "like"),
        [_row(each) for each in shown],
        "Percent correct on held-out tasks: mean over runs of a setting, lowest and highest run",
    )
    print_table(
        (
            "setting",
            "seed",
            "held-out %",
            "bias",
            "worst task",
            "generation",
            "status",
            "MLflow run",
        ),
        [_run_row(run) for each in shown for run in each.runs],
    )
    if any(each.bias is not None for each in shown):
        print(BIAS_MEANS)
    if len(settings) > most:
        print(f"{len(settings) - most} more settings; --most {len(settings)} prints them all")


def _row(setting: ListedSetting) -> list[str]:
    values = setting.values
    spread = f"{_percent(min(values))}-{_percent(max(values))}" if len(values) > 1 else "-"
    worst = [run.worst_task for run in setting.runs if run.worst_task is not None]
    first = setting.runs[0]
    return [
        setting.setting[:8],
        str(len(setting.runs)),
        _percent(setting.mean),
        spread,
        _percent(setting.bias),
        _percent(min(worst) if worst else None),
        _percent(first.fixed_policy),
        first.name,
    ]


def _run_row(run: ListedRun) -> list[str]:
    return [
        run.setting[:8],
        "-" if run.seed is None else str(run.seed),
        _percent(run.held_out),
        _percent(run.bias),
        _percent(run.worst_task),
        "-" if run.generations is None else str(run.generations),
        run.status.lower(),
        run.mlflow_run_id,
    ]


def _as_json(setting: ListedSetting) -> dict[str, object]:
    values = setting.values
    return {
        "setting": setting.setting,
        "held_out_mean": setting.mean,
        "held_out_low": min(values, default=None),
        "held_out_high": max(values, default=None),
        "bias_mean": setting.bias,
        "runs": [dict(vars(run)) for run in setting.runs],
    }


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}"
