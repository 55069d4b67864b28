"""lineage: which genome came from which, within a run and across runs."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from evoplastic.api.defaults import RUNS
from evoplastic.cli import exits
from evoplastic.cli.genome import REFERENCE
from evoplastic.cli.verbs import add_json, add_verb, console, print_json

if TYPE_CHECKING:
    from rich.tree import Tree

    from analysis.lineage.graph import Key, Node
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
        "--out", type=Path, metavar="FILE", help="write it to lineage.html, .svg or .json"
    )
    add_json(parser)


def run_lineage(args: argparse.Namespace) -> int:
    """Collect, then print a tree."""
    from analysis.lineage import view
    from analysis.lineage.folders import nodes_of, runs_near
    from analysis.lineage.graph import Graph

    run_dir, asked = _asked(args)
    places = [RUNS, *args.near, *([] if run_dir is None else [run_dir.parent, run_dir])]
    found = [*asked, *(node for near in runs_near(places) for node in nodes_of(near))]
    keys = {node.key for node in asked}
    if args.store is not None:
        from analysis.lineage.store import nodes_in_store

        runs = {key.run_id for key in _known(found, keys)}
        found += nodes_in_store(runs, {key.digest for key in keys}, args.store)
    graph = Graph(found).family(keys)
    if args.out is not None:
        view.write(graph, keys, args.out)
    if args.json:
        print_json(view.as_json(graph, keys))
        return exits.DONE
    for line in view.as_lines(graph, keys):
        console().print(_tree(line))
    if args.out is not None:
        print(f"wrote {args.out}")
    return exits.DONE


def _asked(args: argparse.Namespace) -> tuple[Path | None, list[Node]]:
    """The run directory that was named, if one was, and the genomes that were asked for."""
    from analysis.lineage.folders import node_of, nodes_of
    from evoplastic.api.references import find_genome
    from evoplastic.checks import UsageError
    from evoplastic.records import CONFIG_NAME, START_NAME

    for place in (Path(args.genome), RUNS / args.genome):
        if os.path.isdir(place) and (place / CONFIG_NAME).is_file():
            run_dir = place.resolve()
            own = [node for node in nodes_of(run_dir) if node.where == str(run_dir)]
            if own:
                return run_dir, own
    found = find_genome(args.genome, args.store)
    node = node_of(found.path)
    if node is None:
        raise UsageError(f"{found.path} does not say where it comes from; restore it from a copy")
    run = found.path.absolute().parent.parent
    is_kept = found.config is not None and found.path.name != START_NAME
    return (run if is_kept else None), [node]


def _known(found: Iterable[Node], keys: set[Key]) -> set[Key]:
    """The genomes asked for and all of their family that lie near."""
    from analysis.lineage.graph import Graph

    return set(Graph(found).family(keys).nodes)


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
