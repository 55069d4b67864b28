"""sweep: the words it takes, and what it does with them."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from evoplastic import trust
from evoplastic.api.defaults import RUNS, new_run_dir
from evoplastic.checks import require
from evoplastic.cli import exits
from evoplastic.cli.driving.workers import add_workers, address_of, as_typed, request_of
from evoplastic.cli.verbs import add_json, add_trust, add_verb, positive
from evoplastic.commands import command

if TYPE_CHECKING:
    from cluster.sweep.plan import Plan, PlannedRun
    from cluster.sweep.record import SweepRecord
    from cluster.sweep.shares import Share
    from evoplastic.cli.verbs import Subparsers

MANY = 100  # runs that are started without being asked for by their number


def add_verbs(verbs: Subparsers) -> None:
    """Declare `sweep`."""
    parser = add_verb(
        verbs,
        "sweep",
        "evolve every combination of the values of some settings, then tabulate them by setting",
        """
        evoplastic sweep laptop seed=1..5
        evoplastic sweep laptop seed=1..5 search.sigma=0.02,0.03 --dry-run
        evoplastic sweep mine.yaml seed=1..3 rule=oja,hebb --run-dir runs/rules --continue
        evoplastic sweep mine.yaml seed=1..20 --run-dir /shared/s1 --index 7
        """,
        run_sweep,
    )
    parser.add_argument("recipe", metavar="RECIPE|FILE", help="see `evoplastic config show`")
    parser.add_argument(
        "overrides",
        nargs="*",
        metavar="key=values",
        help="1..5 for whole numbers, or values with commas between them; several keys make every "
        "combination, and one value is a setting of all runs",
    )
    parser.add_argument(
        "--run-dir",
        type=Path,
        metavar="ROOT",
        help=f"new or empty directory that holds the runs (default {RUNS}/NAME-sweep-NNN)",
    )
    parser.add_argument(
        "--continue",
        dest="go_on",
        action="store_true",
        help="go on with the sweep in ROOT, or begin it; values may be added",
    )
    parser.add_argument(
        "--at-once",
        type=positive,
        metavar="K",
        help="runs at a time, which share the cores (default: one per core, or per GPU; with "
        "--address 1)",
    )
    parser.add_argument(
        "--index",
        type=int,
        metavar="I",
        help="do the I-th run alone, counted from 1, as a job of an array (--continue is implied)",
    )
    parser.add_argument("--count", action="store_true", help="print how many runs there are")
    parser.add_argument(
        "--dry-run", action="store_true", help="print the runs and what they cost, and do nothing"
    )
    parser.add_argument(
        "--runs",
        type=positive,
        metavar="N",
        help=f"how many runs are meant; has to be said above {MANY}",
    )
    add_workers(parser)
    parser.add_argument("--no-analysis", action="store_true", help="end without a table")
    add_trust(parser)
    add_json(parser)
    parser.set_defaults(printing_is_extra=True)


def run_sweep(args: argparse.Namespace) -> int:
    """Plan, check, run, deliver, tabulate."""
    from cluster.sweep.plan import make_plan
    from cluster.sweep.record import read_record
    from cluster.sweep.shares import share_of

    if args.dry_run:
        trust.never_ask()
    request = request_of(args)
    _name_files(args.overrides)
    before = read_record(args.run_dir) if args.run_dir is not None else None
    plan = make_plan(args.recipe, args.overrides, before.keys if before is not None else ())
    if args.count:
        print(len(plan.runs))
        return exits.DONE
    chosen = _chosen(args, plan)
    _require_meant(args, plan)
    engines = _checked(plan) if args.index is None else set()
    share = share_of(
        len(chosen),
        args.at_once,
        workers=request,
        address=address_of(args),
        on_gpu="gpu" in engines,
    )
    if args.dry_run:
        from evoplastic.cli.sweep.cost import show

        return show(plan, share, as_json=args.json)
    root, record = _root(args, plan)
    return _conduct(args, plan, chosen, share, root, record)


def _conduct(
    args: argparse.Namespace,
    plan: Plan,
    chosen: list[PlannedRun],
    share: Share,
    root: Path,
    record: SweepRecord,
) -> int:
    from cluster.signals import status_of, stop_signals
    from cluster.sweep.conduct import conduct
    from cluster.sweep.finish import deliver, unfinished
    from cluster.sweep.progress import make_sweep_progress
    from evoplastic.cli.sweep.report import ending, tabulate

    if not args.json:
        print(f"sweep directory {root}", flush=True)
    progress = make_sweep_progress(as_json=args.json)
    progress.begin(plan.name, len(chosen), share.at_once)
    with stop_signals() as stop:
        try:
            results = conduct(plan, chosen, root, share, _options(args), progress, stop)
        finally:
            progress.stop()
        files: list[Path] = []
        table = None
        whole = not unfinished(root, record)
        if not stop() and not args.no_analysis and (whole or args.index is None):
            files, table = tabulate(root, as_json=args.json)
        faults = []
        if not stop():
            faults = deliver(root, record, chosen, files, others_at_work=args.index is not None)
        stopped = status_of(stop.received) if stop() else None
    return ending(
        results,
        chosen,
        faults,
        root=root,
        stopped=stopped,
        table=table,
        go_on=_going_on(args, root),
        as_json=args.json,
    )


def _chosen(args: argparse.Namespace, plan: Plan) -> list[PlannedRun]:
    if args.index is None:
        return list(plan.runs)
    count = len(plan.runs)
    require(
        1 <= args.index <= count,
        f"--index is {args.index}, expected 1 to {count}: runs are counted from 1, so that an "
        f"array is --array=1-{count}",
    )
    require(
        args.run_dir is not None,
        "--index needs the directory that all jobs of the array share; name it with --run-dir",
    )
    require(
        args.at_once in (None, 1),
        f"--at-once is {args.at_once}, but --index does one run; leave it out",
    )
    return [plan.runs[args.index - 1]]


def _require_meant(args: argparse.Namespace, plan: Plan) -> None:
    """Refuse many runs that nobody asked for by their number; say what they cost."""
    count = len(plan.runs)
    require(
        args.runs in (None, count),
        f"--runs is {args.runs}, but these values make {count} runs; see which with --dry-run",
    )
    free = args.dry_run or args.go_on or args.index is not None
    if args.runs is None and count > MANY and not free:
        from evoplastic.cli.sweep.cost import sentence

        require(
            False,
            f"these values make {count} runs, {sentence(plan)}; if they are meant, add "
            f"--runs {count}, else name fewer values",
        )


def _checked(plan: Plan) -> set[str]:
    """The engines that the runs will have; each setting is checked against its tasks.

    Raises:
        UsageError: a setting in which evolution has nothing to select on, naming a run of it.
    """
    from cluster.experiment import build_experiment
    from cluster.planning.selection import require_selection
    from cluster.sweep.plan import settings_apart
    from evoplastic.checks import UsageError

    engines = set()
    for run in settings_apart(plan):
        try:
            experiment = build_experiment(run.config)
            require_selection(experiment)
        except trust.Untrusted:
            raise
        except UsageError as error:
            raise UsageError(f"{run.name}: {error}; no run was started") from error
        engines.add(experiment.problem.engine)
    return engines


def _root(args: argparse.Namespace, plan: Plan) -> tuple[Path, SweepRecord]:
    """The directory of the sweep with its record; one of our own choosing is new."""
    from cluster.sweep.record import keep_record

    require(
        args.run_dir is not None or not args.go_on,
        "--continue needs the directory of the sweep; name it with --run-dir",
    )
    root: Path = args.run_dir or new_run_dir(f"{plan.name}-sweep")
    may_go_on = args.go_on or args.index is not None
    return root, keep_record(root, plan, may_go_on=may_go_on)


def _options(args: argparse.Namespace) -> list[str]:
    """What every run is started with."""
    return [*as_typed(args), *(["--trust"] if args.trust else [])]


def _going_on(args: argparse.Namespace, root: Path) -> str:
    """The command that goes on with this one."""
    at_once = ["--at-once", args.at_once] if args.at_once else []
    index = ["--index", args.index] if args.index is not None else ["--continue"]
    words = [*args.overrides, "--run-dir", root, *index, *at_once, *_options(args)]
    return command("sweep", args.recipe, *words)


def _name_files(words: list[str]) -> None:
    """Files that are typed in a list of values are named as those typed alone."""
    from cluster.sweep.axes import parse_axes

    gate = trust.gate()
    if gate is None:
        return
    texts = [text for axis in parse_axes(words) for text in axis.texts]
    found = [trust.CODE.fullmatch(text) for text in texts]
    gate.named |= {Path(os.path.realpath(each[1])) for each in found if each}
