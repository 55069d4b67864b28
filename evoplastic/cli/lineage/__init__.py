"""lineage: which genome came from which, within a run and across runs, and in a population."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from evoplastic.api.defaults import RUNS
from evoplastic.cli import exits
from evoplastic.cli.genome import REFERENCE
from evoplastic.cli.verbs import add_json, add_verb, console, print_json

if TYPE_CHECKING:
    from rich.tree import Tree

    from analysis.lineage.view import Line
    from evoplastic.cli.verbs import Subparsers


def add_verbs(verbs: Subparsers) -> None:
    """Declare `lineage`."""
    parser = add_verb(
        verbs,
        "lineage",
        "show what a genome, or the genomes of a run, came from and what came from them",
        """
        evoplastic lineage runs/laptop-seed1-001
        evoplastic lineage a1b2c3d4 --store http://127.0.0.1:5000
        evoplastic lineage runs/laptop-seed2-001@120 --out lineage.html
        evoplastic lineage runs/ga-seed1-001 --population
        """,
        run_lineage,
    )
    parser.add_argument("genome", metavar="RUN|GENOME", help=f"a run, or {REFERENCE}")
    parser.add_argument(
        "--near",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help=f"a run directory, or a folder of them, to look in beside {RUNS}/ and the folder of "
        "the run; may be given again",
    )
    parser.add_argument(
        "--store",
        metavar="URI",
        help="look in this MLflow store, too: in all of its experiments, whoever's runs they are",
    )
    parser.add_argument(
        "--population",
        action="store_true",
        help="draw the pedigree of a run's population: the champion's ancestry, the share of "
        "founders by generation, the distance from the first genome by field",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE|DIR",
        help="write it to lineage.html, .svg or .json; with --population, the folder of the "
        "figures (default: figures/ of the run)",
    )
    add_json(parser)


def run_lineage(args: argparse.Namespace) -> int:
    """Collect, then print a tree."""
    if args.population:
        from evoplastic.cli.lineage.population import run_population

        return run_population(args)
    from analysis.lineage import view
    from evoplastic.api.lineage import lineage

    found = lineage(args.genome, near=args.near, store=args.store)
    graph, keys = found.graph, set(found.focus)
    if args.out is not None:
        found.write(args.out)
    if args.json:
        print_json(view.as_json(graph, keys))
        return exits.DONE
    for line in view.as_lines(graph, keys):
        console().print(_tree(line))
    if args.out is not None:
        print(f"wrote {args.out}")
    if found.has_population:
        from evoplastic.commands import command

        print(f"its population: {command('lineage', args.genome, '--population')}")
    return exits.DONE


def _tree(line: Line) -> Tree:
    """The lines as a tree; one in focus is bold."""
    from rich.text import Text
    from rich.tree import Tree

    root = Tree(Text(line.text, style="bold" if line.focus else ""))
    waiting = [(root, line)]
    while waiting:
        at, above = waiting.pop()
        for below in above.below:
            text = Text(below.text, style="bold" if below.focus else "")
            waiting.append((at.add(text), below))
    return root
