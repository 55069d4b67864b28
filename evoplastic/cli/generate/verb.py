"""tasks generate: a world of random meta-tasks that ask for learning."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from evoplastic.checks import require
from evoplastic.cli import exits
from evoplastic.cli.verbs import add_json, add_verb, positive, print_json, print_table, seed
from evoplastic.commands import command
from evoplastic.watching import at, watched

if TYPE_CHECKING:
    from evoplastic.cli.verbs import Subparsers
    from tasks.machines.generated.generating import Generated

SUFFIXES = (".yaml", ".yml")


def add_generate(family: Subparsers) -> None:
    """Declare `tasks generate`."""
    parser = add_verb(
        family,
        "generate",
        "draw random meta-tasks, and keep those in which learning pays",
        "evoplastic tasks generate --count 200 --seed 0 --out my_world.yaml\n"
        "evoplastic tasks generate --count 20 --gap 0.3 --trial-steps 3 --out harder.yaml",
        run_generate,
    )
    parser.add_argument("--count", type=positive, required=True, help="meta-tasks to keep")
    parser.add_argument("--seed", type=seed, default=0, help="root of what is drawn (default 0)")
    parser.add_argument("--out", required=True, metavar="FILE", help="file to write (.yaml)")
    parser.add_argument(
        "--gap",
        type=float,
        default=0.1,
        help="reward of a trial that the best adaptive policy has above the best fixed one "
        "(default 0.1; a step pays 1 at most)",
    )
    parser.add_argument(
        "--trial-steps", type=positive, default=4, help="actions of a trial (default 4)"
    )
    parser.add_argument(
        "--instance-trials", type=positive, default=20, help="trials of an instance (default 20)"
    )
    parser.add_argument(
        "--tries", type=positive, help="meta-tasks to draw at most (default 100 times --count)"
    )
    add_json(parser)


def run_generate(args: argparse.Namespace) -> int:
    """Draw, filter, and write what passed."""
    from tasks.machines.generated.file import summary, write_generated
    from tasks.machines.generated.generating import Request, generate

    out = Path(args.out)
    require(
        out.suffix in SUFFIXES, f"--out is {args.out}, expected a name that ends in .yaml or .yml"
    )
    request = Request(
        args.count, args.seed, args.gap, args.trial_steps, args.instance_trials, args.tries
    )
    with _progress(args.count) as said:
        found = generate(request, said)
    write_generated(found, out)
    if args.json:
        print_json({"file": str(out), **summary(found)})
        return exits.DONE
    _print(found, out)
    return exits.DONE


def _print(found: Generated, out: Path) -> None:
    from tasks.machines.generated.filters import REASONS

    print(f"kept {len(found.kept)} of {found.drawn} meta-tasks drawn, in {out}")
    rows = sorted(found.fell.items(), key=lambda item: -item[1])
    if rows:
        print_table(("fell", "why"), [(str(count), REASONS[reason]) for reason, count in rows])
    levels = [each.levels for each in found.kept]
    difficulties = sorted(each.difficulty for each in levels)
    middle = difficulties[len(difficulties) // 2]
    exact = sum(each.how == "exact" for each in levels)
    print(
        f"Difficulty {difficulties[0]:.2f} to {difficulties[-1]:.2f}, median {middle:.2f}: the "
        "share of the best adaptive reward that no fixed policy has. The best adaptive level is "
        f"exact in {exact}, a lower bound in {len(levels) - exact}."
    )
    one = f"{out}:{found.kept[0].task.name}"
    print(f"One of them: {command('tasks', 'show', one)}")


@contextmanager
def _progress(count: int) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal; elsewhere a line now and then."""
    if not sys.stderr.isatty():
        with watched("generating meta-tasks"):
            yield lambda drawn, kept: at(f"{kept} of {count} kept, {drawn} drawn")
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Remaining())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("generating meta-tasks", total=count)

        def say(drawn: int, kept: int) -> None:
            bar.update(task, completed=kept, description=f"{drawn} drawn, kept")

        yield say
