"""evolve, resume: start a run or go on with one, then tabulate and draw it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from evoplastic import trust
from evoplastic.api.defaults import RUNS, new_run_dir
from evoplastic.cli import exits
from evoplastic.cli.store import store_options
from evoplastic.cli.verbs import add_json, add_trust, add_verb, seed
from evoplastic.cli.workers.options import add_workers, address_of, as_typed, request_of
from evoplastic.commands import command

if TYPE_CHECKING:
    from cluster.config.run import RunConfig
    from cluster.loop import RunOutcome
    from evoplastic.cli.verbs import Subparsers


def add_verbs(verbs: Subparsers) -> None:
    """Declare `evolve` and `resume`."""
    evolve = add_verb(
        verbs,
        "evolve",
        "evolve a network as a recipe or a YAML file says, then print its table and figures",
        """
        evoplastic evolve laptop
        evoplastic evolve laptop search.popsize=200 --seed 7 --workers 2
        evoplastic evolve miconi2023 --dry-run
        evoplastic evolve mine.yaml --address 10.0.0.1:6379 --run-dir /shared/run7
        evoplastic evolve mine.yaml --address 10.0.0.1:6379 --workers 4-64 --cpus-per-worker 2
        evoplastic evolve mine.yaml --address 10.0.0.1:6379 --workers num_gpus
        """,
        run_evolve,
    )
    evolve.add_argument("recipe", metavar="RECIPE|FILE", help="see `evoplastic config show`")
    evolve.add_argument(
        "overrides", nargs="*", metavar="key=value", help="settings to change, by dotted name"
    )
    evolve.add_argument(
        "--run-dir",
        type=Path,
        metavar="D",
        help=f"new or empty directory (default {RUNS}/NAME-seedK-NNN)",
    )
    evolve.add_argument("--seed", type=seed, metavar="K", help="short for seed=K")
    evolve.add_argument(
        "--dry-run",
        action="store_true",
        help="print settings, genome size, memory and cost, and do nothing",
    )

    resume = add_verb(
        verbs,
        "resume",
        "go on with a run after a kill, a crash or a pre-emption; the result stays the same",
        """
        evoplastic resume runs/laptop-seed1-001
        evoplastic resume runs/laptop-seed1-001 evolution.generations=500 --workers 2
        """,
        run_resume,
    )
    resume.add_argument("run_dir", type=Path, metavar="RUN_DIR", help="directory of the run")
    resume.add_argument(
        "overrides", nargs="*", metavar="key=value", help="what may change, as to run longer"
    )
    for parser in (evolve, resume):
        add_workers(parser)
        parser.add_argument(
            "--no-analysis", action="store_true", help="end without table and figures"
        )
        add_trust(parser)
        add_json(parser)
        parser.set_defaults(printing_is_extra=True)  # the run goes on without a reader


def run_evolve(args: argparse.Namespace) -> int:
    """A new run, from settings to figures."""
    from cluster.config.run import load_config

    overrides = args.overrides + ([] if args.seed is None else [f"seed={args.seed}"])
    config = load_config(args.recipe, overrides)
    if args.dry_run:
        from evoplastic.cli.dry_run import show

        trust.never_ask()
        return show(config, request_of(args), as_json=args.json)
    from cluster.loop import evolve
    from cluster.progress import make_progress

    request = request_of(args)
    with _run_dir(args.run_dir, config) as run_dir:
        if not args.json:
            print(f"run directory {run_dir}", flush=True)
        outcome = evolve(
            config,
            run_dir,
            workers=request,
            address=address_of(args),
            progress=make_progress(as_json=args.json),
        )
    return _finish(outcome, args)


def run_resume(args: argparse.Namespace) -> int:
    """The rest of a run, and its figures."""
    from cluster.loop import resume
    from cluster.progress import make_progress

    trust.set_from_run()
    outcome = resume(
        args.run_dir,
        args.overrides,
        workers=request_of(args),
        address=address_of(args),
        progress=make_progress(as_json=args.json),
    )
    if outcome.already_finished and not args.json:
        print(f"{outcome.run_dir} was finished already", file=sys.stderr)
    return _finish(outcome, args)


@contextmanager
def _run_dir(given: Path | None, config: RunConfig) -> Iterator[Path]:
    """The directory of a new run; one of our own choosing vanishes again when it stays empty."""
    if given is not None:
        yield given
        return
    chosen = new_run_dir(f"{config.name}-seed{config.seed}")
    try:
        yield chosen
    finally:
        with suppress(OSError):  # not empty: the run has begun
            chosen.rmdir()
            chosen.parent.rmdir()


def _finish(outcome: RunOutcome, args: argparse.Namespace) -> int:
    """Table, figures, and what to do next."""
    from evoplastic.cli import analyze

    report = None
    if outcome.status == "done" and not args.no_analysis:
        from analysis.report import analyze as draw

        report = draw(outcome.run_dir)
    if args.json:
        analyze.print_outcome(outcome, report)
    elif report is not None:
        analyze.print_report(report)
    if outcome.status != "done":
        print(
            f"{outcome.status} at generation {outcome.generation} of {outcome.generations}; "
            f"go on with: {command('resume', outcome.run_dir, *as_typed(args))}",
            file=sys.stderr,
        )
    elif not args.json:
        center = outcome.run_dir / "genomes" / "center.safetensors"
        print(f"wrote {center}, digest {outcome.center_digest[:16]}")
        print(f"try: {command('evaluate', outcome.run_dir, '--lifetimes', 256)}")
        if outcome.tracking_uri is not None:
            print(f"or:  {command('ui', *store_options(outcome.tracking_uri))}")
    assert outcome.exit_code in (exits.DONE, exits.PREEMPTED, exits.INTERRUPTED)
    return outcome.exit_code
