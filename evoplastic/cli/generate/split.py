"""tasks split: a suite that trains on some meta-tasks of a generated world and holds out others."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from evoplastic.checks import require
from evoplastic.cli import exits
from evoplastic.cli.generate.verb import SUFFIXES
from evoplastic.cli.verbs import add_json, add_verb, count_from_zero, positive, print_json, seed
from evoplastic.commands import command

if TYPE_CHECKING:
    from evoplastic.cli.verbs import Subparsers


def add_split(family: Subparsers) -> None:
    """Declare `tasks split`."""
    parser = add_verb(
        family,
        "split",
        "make a suite of a generated world: some meta-tasks to train on, others and whole known "
        "families held out",
        "evoplastic tasks split my_world.yaml --train 150 --hold-out 50 --hold-out-family bandit "
        "--hold-out-family harlow --out metaworld.yaml",
        run_split,
    )
    parser.add_argument("world", metavar="FILE", help="file of evoplastic tasks generate")
    parser.add_argument("--train", type=positive, required=True, help="meta-tasks to train on")
    parser.add_argument(
        "--hold-out", type=count_from_zero, default=0, help="meta-tasks to hold out (default 0)"
    )
    parser.add_argument(
        "--hold-out-family",
        action="append",
        default=[],
        metavar="NAME",
        help="known family to hold out: bandit, harlow, t-maze, two-step or key-door; repeatable",
    )
    parser.add_argument("--seed", type=seed, default=0, help="seed of the split (default 0)")
    parser.add_argument("--out", required=True, metavar="FILE", help="suite file to write (.yaml)")
    add_json(parser)


def run_split(args: argparse.Namespace) -> int:
    """Draw the split, and write it as a suite file."""
    from evoplastic.storage import write_atomically
    from tasks.machines.generated.splitting import split_world, suite_text

    world, out = Path(args.world), Path(args.out)
    require(
        out.suffix in SUFFIXES and out.absolute() != world.absolute(),
        f"--out is {args.out}, expected another name than the world's that ends in .yaml or .yml",
    )
    families = tuple(dict.fromkeys(args.hold_out_family))
    split = split_world(world, args.train, args.hold_out, families, args.seed)
    write_atomically(out, suite_text(split, world, out).encode())
    if args.json:
        print_json({"file": str(out), **split._asdict()})
        return exits.DONE
    print(
        f"{len(split.train)} meta-tasks to train on, {len(split.held_out)} and {len(split.known)} "
        f"known ones held out, in {out}"
    )
    if split.left_out:
        print(f"Left out, as they are known held-out ones: {', '.join(split.left_out)}")
    print(f"Check it: {command('tasks', 'check', '--suite', str(out))}")
    return exits.DONE
