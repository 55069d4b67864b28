"""One combination of factors: its trials in words and numbers, or as a picture."""

from __future__ import annotations

import argparse
from pathlib import Path

from evoplastic.checks import require
from evoplastic.cli import exits
from evoplastic.cli.verbs import print_json, print_table


def is_combination(word: str) -> bool:
    """Whether a word on the command line names a combination."""
    from tasks.two_stimulus.combinations.factors import levels_of

    return levels_of(word) is not None


def run_combination(args: argparse.Namespace) -> int:
    """What a combination asks, the levels of simple policies, and its role in our suites."""
    from tasks.suites.describe import describe_combination

    require(
        args.table in (None, "intended"),
        f"--table is {args.table}, but combinations have the intended truth tables; leave it out",
    )
    _require_as_it_is(args)
    found = describe_combination(args.task)
    if args.json:
        print_json(found)
        return exits.DONE
    print(f"{found['name']}: {found['description']}\n")
    roles = [
        f"{suite} ({role['role'].replace('_', '-')}"
        + (f", {role['group']})" if role["group"] else ")")
        for suite, role in found["suites"].items()
    ]
    levels = found["levels"]
    print_table(
        ("", ""),
        [
            *((factor, level) for factor, level in found["factors"].items()),
            ("right answer", "  ".join(f"{k}: {a}" for k, a in found["answers"].items())),
            ("trials", f"{found['trials']} of {found['trial_ms']:g} ms, equally likely"),
            ("interface", f"{found['num_inputs']} inputs, {found['num_actions']} actions"),
            (
                "periods",
                ", ".join(f"{n} {a:g}-{b:g} ms" for n, (a, b) in found["periods_ms"].items()),
            ),
            ("chance", f"{levels['chance']:.1%}"),
            ("best single answer", f"{levels['fixed']:.1%}"),
            ("suites", ", ".join(roles) or "none"),
        ],
    )
    return exits.DONE


def preview_combination(args: argparse.Namespace) -> int:
    """Draw some of its trials, by seed, into a file."""
    from analysis.previews.fixed_timing import as_steps
    from analysis.previews.picture import Words, write_picture
    from analysis.previews.task import preview
    from evoplastic.random.counters import Purpose, words
    from tasks.two_stimulus.combinations.task import LINES, combination

    require(
        not args.graph, f"--graph draws states of a meta-task, {args.task} is none; leave it out"
    )
    _require_as_it_is(args)
    task = combination(args.task)
    table = task.trials()
    M = len(table.first_M)
    number = args.trials or min(3, M)
    require(number <= M, f"--trials is {number}, but {args.task} has {M} different trials")
    luck = [words(args.seed, Purpose.BANK, 0, trial, 0, 1).tolist() for trial in range(M)]
    chosen = sorted(range(M), key=lambda trial: luck[trial])[:number]
    bank = as_steps(table, chosen, task.periods())
    path = write_picture(preview(bank, number, Words(task.description, LINES)), Path(args.out))
    if args.json:
        print_json({"task": task.name, "file": str(path), "digest": table.digest})
        return exits.DONE
    print(f"drew {number} trials of {task.name} into {path}")
    return exits.DONE


def _require_as_it_is(args: argparse.Namespace) -> None:
    from tasks.neurogym.task import DEFAULT_DT_MS

    require(
        not args.set and args.dt_ms == DEFAULT_DT_MS,
        f"{args.task} is a combination, which takes no --set and has steps of {DEFAULT_DT_MS} ms; "
        "its name says all",
    )
