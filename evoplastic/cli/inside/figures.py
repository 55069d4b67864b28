"""analyze --figures: figures of what happens inside a network, beside those of its run."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from evoplastic.api.defaults import DEFAULT_CONFIG, EVALUATION_SEED
from evoplastic.checks import EnvironmentFault, UsageError, require
from evoplastic.cli import exits
from evoplastic.cli.verbs import add_trust, positive, print_json, seed

if TYPE_CHECKING:
    from analysis.store import RunRecords
    from evoplastic.api.drawing import FigurePlan

logger = logging.getLogger(__name__)

ALL = "all"
OPTIONS = (
    "task",
    "lifetimes",
    "activity",
    "seed",
    "engine",
    "config",
)  # without --figures they mean nothing


def add_figure_options(parser: argparse.ArgumentParser) -> None:
    """Which figures, and the lifetimes that they are drawn from."""
    group = parser.add_argument_group(
        "figures of the inside", "of one run, or of any genome; lifetimes are run for them"
    )
    group.add_argument(
        "--figures",
        nargs="?",
        const=ALL,
        metavar="NAME,...",
        help="also draw what happens inside the network; give it after RUN (default: all that "
        "need no file of yours)",
    )
    group.add_argument("--task", metavar="T", help="default: the held-out tasks")
    group.add_argument("--lifetimes", type=positive, metavar="N", help="of each task (default 64)")
    group.add_argument(
        "--activity",
        type=Path,
        metavar="FILE.csv",
        help="recorded activity, a line for each condition, a column for each unit: figure "
        "`similarity`",
    )
    group.add_argument(
        "--seed", type=seed, metavar="K", help=f"root of trials (default {EVALUATION_SEED})"
    )
    group.add_argument("--engine", metavar="E", help="cpu or reference (default: auto)")
    group.add_argument(
        "--config",
        metavar="RECIPE|FILE",
        help="lifetime and suite (default: those of the genome's run, "
        f"else the recipe {DEFAULT_CONFIG})",
    )
    add_trust(parser)


def require_used(args: argparse.Namespace) -> None:
    """Refuse options of figures without --figures.

    Raises:
        UsageError: naming them.
    """
    given = [f"--{name}" for name in OPTIONS if getattr(args, name) is not None]
    require(
        args.figures is not None or not given,
        f"{', '.join(given)} is for figures of the inside; add --figures",
    )


def require_one(args: argparse.Namespace) -> None:
    """Refuse figures of the inside of several runs.

    Raises:
        UsageError: saying so.
    """
    require(
        args.figures is None,
        f"--figures draws the inside of one network, {' '.join(args.run_refs)} means several runs; "
        "draw them one by one",
    )


def is_genome(ref: str) -> bool:
    """Whether a reference means a genome and no run: a file, RUN@GENERATION, a model, a digest."""
    from analysis.store import RUNS, open_run

    if Path(ref).is_dir() or (RUNS / ref).is_dir():
        return False
    if Path(ref).is_file() or "@" in ref or ref.startswith("m-"):
        return True
    try:
        open_run(ref)
    except (UsageError, EnvironmentFault):
        return True
    return False


def planned(args: argparse.Namespace, ref: str) -> FigurePlan:
    """What will be drawn, checked before anything is run."""
    from evoplastic.api.drawing import LIFETIMES, planned_figures

    return planned_figures(
        ref,
        None if args.figures == ALL else args.figures,
        task=args.task,
        lifetimes=LIFETIMES if args.lifetimes is None else args.lifetimes,
        activity=args.activity,
        seed=EVALUATION_SEED if args.seed is None else args.seed,
        config=args.config,
        engine=args.engine,
        store=args.store,
    )


def draw_of_run(
    plan: FigurePlan, out: Path, records: RunRecords, uri: str | None, to_mlflow: bool
) -> list[Path]:
    """Draw into the folder of the run's other figures, and add the files to its MLflow run."""
    files = plan.carry_out(out)
    tracking = records.config.get("tracking") or {}
    if to_mlflow and tracking.get("enabled", True):
        from analysis.mlflow_store import find_uri, log_figures

        found = find_uri() if records.from_mlflow else find_uri(records.config, records.directory)
        try:
            log_figures(records.run_id, files, uri or found)
        except (UsageError, EnvironmentFault) as error:
            logger.warning("the figures of the inside were not added to MLflow: %s", error)
    return files


def run_of_genome(args: argparse.Namespace) -> int:
    """Figures of a genome alone, which has no records."""
    plan = planned(args, args.run_refs[0])
    out = args.out or Path(f"figures-{plan.making.genome.digest[:16]}")
    files = plan.carry_out(out)
    if args.json:
        print_json({"genome": plan.making.genome.digest, "inside": [str(file) for file in files]})
    else:
        for file in files:
            print(f"wrote {file}")
    return exits.DONE
