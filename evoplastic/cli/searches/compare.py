"""searches compare: each search on a known optimum, and in a run of a recipe."""

from __future__ import annotations

import argparse
import logging
from typing import TYPE_CHECKING, Any

from evoplastic.cli import exits
from evoplastic.cli.verbs import (
    add_json,
    add_verb,
    positive,
    print_json,
    print_table,
    seed,
)

if TYPE_CHECKING:
    from evoplastic.cli.verbs import Subparsers

DEFAULT_RECIPE = "smoke"
EVALUATIONS, LIFETIMES = 8000, 4096
OF_RUN = ("lifetimes", "generations", "loss_first", "loss_last", "held_out", "seconds")

logger = logging.getLogger(__name__)


def add_compare(family: Subparsers) -> None:
    """Declare `searches compare`."""
    parser = add_verb(
        family,
        "compare",
        "run searches on a known optimum and on a recipe, and show how far they come",
        """
        evoplastic searches compare
        evoplastic searches compare snes cmaes --recipe laptop --lifetimes 20000
        evoplastic searches compare --json num_neurons=24
        """,
        run_compare,
    )
    parser.add_argument(
        "overrides",
        nargs="*",
        metavar="NAME | key=value",
        help="searches (default all), and settings of the recipe",
    )
    parser.add_argument(
        "--recipe",
        default=DEFAULT_RECIPE,
        metavar="RECIPE",
        help=f"recipe or file of the runs (default {DEFAULT_RECIPE})",
    )
    parser.add_argument(
        "--evaluations",
        type=positive,
        default=EVALUATIONS,
        metavar="N",
        help=f"of the loss with the known optimum (default {EVALUATIONS})",
    )
    parser.add_argument(
        "--lifetimes",
        type=positive,
        default=LIFETIMES,
        metavar="N",
        help=f"that evolution simulates in each run (default {LIFETIMES})",
    )
    parser.add_argument(
        "--seed", type=seed, default=1, metavar="N", help="root of all random numbers (default 1)"
    )
    add_json(parser)


def run_compare(args: argparse.Namespace) -> int:
    """One line a search."""
    from cluster.config.run import load_config
    from evoplastic.checks import require_known
    from evoplastic.search.catalogue import SEARCHES

    overrides = [word for word in args.overrides if "=" in word]
    names = [word for word in args.overrides if "=" not in word]
    for name in names:
        require_known("search", name, SEARCHES)
    load_config(args.recipe, [])  # a name that none has is wrong with every search
    found = [compare(name, args, overrides) for name in names or SEARCHES]
    if args.json:
        print_json(found)
        return exits.DONE
    print_table(
        ("search", "distance left", "ms", "generations", "loss", "held-out", "s"),
        [
            (
                each["search"],
                f"{each['share_left']:.2g}",
                f"{each['generation_ms']:.2f}",
                *_columns_of_run(each),
            )
            for each in found
        ],
    )
    print(
        "distance left: share of the squared distance from a known optimum after "
        f"{args.evaluations:,}\nevaluations of 24 numbers, and ms of a generation of 40 there; "
        f"then a run of {args.recipe} with\n{args.lifetimes:,} lifetimes: loss of its first and "
        "last generation"
    )
    return exits.DONE


def _columns_of_run(found: dict[str, Any]) -> tuple[str, ...]:
    if found["generations"] is None:
        return ("-",) * 4
    return (
        str(found["generations"]),
        f"{found['loss_first']:.3f} -> {found['loss_last']:.3f}",
        "-" if found["held_out"] is None else f"{found['held_out']:.3f}",
        f"{found['seconds']:.1f}",
    )


def compare(name: str, args: argparse.Namespace, overrides: list[str]) -> dict[str, Any]:
    """What one search does with both."""
    import time
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from cluster.config.run import load_config
    from cluster.experiment import build_experiment
    from cluster.journal import read_journal
    from cluster.loop import evolve
    from evoplastic.benchmark.optimum import POPSIZE, find
    from evoplastic.checks import UsageError
    from evoplastic.records.events import GenerationEvent
    from evoplastic.records.names import JOURNAL_NAME, loss_metric

    near = find(name, args.evaluations, args.seed)
    alone = {
        "search": name,
        "share_left": near.share,
        "generation_ms": 1000 * near.seconds / -(-args.evaluations // POPSIZE),
    }
    settings = [
        f"search={name}",
        *overrides,
        f"seed={args.seed}",
        "tracking.enabled=false",
        "evaluation.controls=false",
    ]
    try:
        popsize = build_experiment(load_config(args.recipe, settings)).search.popsize
    except UsageError as error:  # as of a gradient through a rule that has none
        logger.warning("%s is not run with search %s: %s", args.recipe, name, error)
        return {**alone, **dict.fromkeys(OF_RUN)}
    generations = -(-args.lifetimes // popsize)
    settings += [f"evolution.generations={generations}", f"evaluation.every={generations}"]
    with TemporaryDirectory() as folder:
        began = time.perf_counter()
        outcome = evolve(load_config(args.recipe, settings), Path(folder) / "run")
        seconds = time.perf_counter() - began
        events = read_journal(outcome.run_dir / JOURNAL_NAME)[0]
    losses = [
        event.metrics[loss_metric("mean")] for event in events if isinstance(event, GenerationEvent)
    ]
    last = outcome.last_evaluation
    return {
        **alone,
        "lifetimes": generations * popsize,
        "generations": generations,
        "loss_first": losses[0],
        "loss_last": losses[-1],
        "held_out": None if last is None else last.held_out_accuracy,
        "seconds": seconds,
    }
