"""evolve, fork, resume: start a run or go on with one, then tabulate and draw it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from evoplastic import trust
from evoplastic.api.defaults import RUNS, new_run_dir
from evoplastic.checks import require
from evoplastic.cli.driving.leaving import finish, leaving
from evoplastic.cli.driving.watching import uses_ray, write_down
from evoplastic.cli.driving.workers import add_workers, address_of, request_of
from evoplastic.cli.genome import REFERENCE
from evoplastic.cli.verbs import add_json, add_trust, add_verb, seed
from evoplastic.commands import command

if TYPE_CHECKING:
    from cluster.config.run import RunConfig
    from cluster.sources import Sources
    from evoplastic.cli.verbs import Subparsers


def add_verbs(verbs: Subparsers) -> None:
    """Declare `evolve`, `fork` and `resume`."""
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
        evoplastic evolve laptop --seed 7 --run-dir 'runs/{name}-s{seed}' --continue
        evoplastic evolve laptop --from runs/laptop-seed1-001@120 search.sigma=0.02
        """,
        run_evolve,
    )
    evolve.add_argument("recipe", metavar="RECIPE|FILE", help="see `evoplastic config show`")
    evolve.add_argument(
        "--from",
        dest="start_from",
        metavar="GENOME",
        help=f"begin with this genome in place of a random one: {REFERENCE}",
    )
    fork = add_verb(
        verbs,
        "fork",
        "start a new run from a genome of another one, with that run's settings",
        """
        evoplastic fork runs/laptop-seed1-001@120 search.sigma=0.02
        evoplastic fork runs/laptop-seed1-001 suite=mine.yaml --adapt --dry-run
        """,
        run_fork,
    )
    fork.add_argument("start_from", metavar="GENOME", help=f"to begin with, of a run: {REFERENCE}")
    for new in (evolve, fork):
        _add_settings(new)

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
    for parser in (evolve, fork, resume):
        add_workers(parser)
        parser.add_argument(
            "--no-analysis", action="store_true", help="end without table and figures"
        )
        add_trust(parser)
        add_json(parser)
        parser.set_defaults(
            printing_is_extra=True,  # the run goes on without a reader
            watched=uses_ray,
            lost=write_down,
        )


def _add_settings(evolve: argparse.ArgumentParser) -> None:
    """What a new run may be told, whatever it begins with."""
    evolve.add_argument(
        "overrides", nargs="*", metavar="key=value", help="settings to change, by dotted name"
    )
    evolve.add_argument(
        "--adapt",
        action="store_true",
        help="let the genome to begin with have other fields, neurons or lines than the recipe: "
        "what it lacks begins as in a run of its own, what the recipe lacks is dropped",
    )
    evolve.add_argument(
        "--run-dir",
        type=Path,
        metavar="D",
        help=f"new or empty directory (default {RUNS}/NAME-seedK-NNN); settings are filled in, "
        "as in 'runs/{name}-s{seed}-{search.sigma}'",
    )
    evolve.add_argument(
        "--continue",
        dest="go_on",
        action="store_true",
        help="go on if --run-dir holds this run already, and do nothing if it is done: a command "
        "that can be run again",
    )
    evolve.add_argument("--seed", type=seed, metavar="K", help="short for seed=K")
    evolve.add_argument(
        "--dry-run",
        action="store_true",
        help="print settings, genome size, memory and cost, and do nothing",
    )


def run_evolve(args: argparse.Namespace) -> int:
    """A new run, from settings to figures."""
    return _evolve(args, args.recipe)


def run_fork(args: argparse.Namespace) -> int:
    """A new run from a genome of another one, with its settings."""
    trust.set_from_run()
    config = _config_of(args)
    return _evolve(args, config, forked=config.parent)


def _config_of(args: argparse.Namespace) -> Path:
    """The settings of the run that is forked; once this has been done, they lie in the new run."""
    from evoplastic.api.references import find_genome
    from evoplastic.records.names import CONFIG_NAME

    there = None if args.run_dir is None else args.run_dir / CONFIG_NAME
    if args.go_on and there is not None and there.is_file():
        return Path(there)
    config = find_genome(args.start_from).config
    require(
        config is not None,
        f"genome {args.start_from} lies in no run, so there are no settings to take over; name "
        f"them: `{command('evolve', 'RECIPE', '--from', args.start_from)}`",
    )
    assert config is not None
    return config


def _evolve(args: argparse.Namespace, recipe: str | Path, *, forked: Path | None = None) -> int:
    from cluster.config.naming import filled_in
    from cluster.config.run import load_config
    from evoplastic.api.starting import warm_started

    overrides = args.overrides + ([] if args.seed is None else [f"seed={args.seed}"])
    config = load_config(recipe, overrides)
    require(
        args.run_dir is not None or not args.go_on or args.dry_run,
        "--continue needs the directory of the run: give --run-dir, for example "
        "--run-dir 'runs/{name}-s{seed}'",
    )
    given = None if args.run_dir is None else filled_in(args.run_dir, config)
    config, start = warm_started(
        config,
        args.start_from,
        adapt=args.adapt,
        there=given if args.go_on and not args.dry_run else None,
    )
    require(
        not args.adapt or config.warm_start.genome is not None,
        "--adapt says something of a genome to begin with, and none is named; add --from GENOME",
    )
    sources = None if forked is None else _kept_sources(forked, config)
    if args.dry_run:
        from evoplastic.cli.dry_run import show

        trust.never_ask()
        return show(config, request_of(args), as_json=args.json, start=start, sources=sources)
    from cluster.continuing import evolve_or_resume
    from cluster.loop import evolve
    from cluster.progress import make_progress

    request = request_of(args)
    with _run_dir(given, config) as run_dir, leaving(run_dir, args):
        if not args.json:
            print(f"run directory {run_dir}", flush=True)
        outcome = (evolve_or_resume if args.go_on else evolve)(
            config,
            run_dir,
            workers=request,
            address=address_of(args),
            progress=make_progress(as_json=args.json),
            start=start,
            sources=sources,
        )
    return finish(outcome, args)


def _kept_sources(forked: Path, config: RunConfig) -> Sources | None:
    """What the run that is forked kept of its tasks, if they are wanted and gone."""
    from cluster.config.run import load_config
    from cluster.sources import kept_for
    from evoplastic.records.names import CONFIG_NAME

    same = load_config(forked / CONFIG_NAME).suite == config.suite
    return kept_for(forked, config.suite) if same else None


def run_resume(args: argparse.Namespace) -> int:
    """The rest of a run, and its figures."""
    from cluster.loop import resume
    from cluster.progress import make_progress

    trust.set_from_run()
    with leaving(args.run_dir, args):
        outcome = resume(
            args.run_dir,
            args.overrides,
            workers=request_of(args),
            address=address_of(args),
            progress=make_progress(as_json=args.json),
        )
    return finish(outcome, args)


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
