"""bench: how long a generation takes on this machine."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from evoplastic.cli import exits
from evoplastic.cli.verbs import (
    add_json,
    add_verb,
    count_from_zero,
    positive,
    print_json,
    print_table,
)

if TYPE_CHECKING:
    from evoplastic.cli.verbs import Subparsers

SUITE = "miconi2023"
LONG_REPEATS = 5


def add_verbs(verbs: Subparsers) -> None:
    """Declare `bench`."""
    parser = add_verb(
        verbs,
        "bench",
        "measure the lifetimes of one generation, by engine, population, neurons, trials, threads",
        "evoplastic bench\n"
        "evoplastic bench --engine cpu reference --population 64 --trials 50\n"
        "evoplastic bench --modulation external internal --threads 1 2 --json",
        run_bench,
    )
    parser.add_argument(
        "--engine", nargs="+", default=["auto"], metavar="NAME", help="engines (default auto)"
    )
    for name, default, what in (
        ("population", 500, "individuals of a generation"),
        ("neurons", 70, "neurons of a network"),
        ("trials", 400, "trials of a lifetime"),
    ):
        parser.add_argument(
            f"--{name}",
            nargs="+",
            type=positive,
            default=[default],
            metavar="N",
            help=f"{what} (default {default})",
        )
    parser.add_argument(
        "--threads",
        nargs="+",
        type=count_from_zero,
        default=[0],
        metavar="N",
        help="threads, 0 for one per core (default 0)",
    )
    parser.add_argument(
        "--modulation",
        nargs="+",
        choices=("external", "internal"),
        default=["external"],
        help="who gates plasticity (default external)",
    )
    parser.add_argument(
        "--repeats",
        type=positive,
        default=LONG_REPEATS,
        metavar="N",
        help=f"measured generations of each (default {LONG_REPEATS})",
    )
    add_json(parser)


def run_bench(args: argparse.Namespace) -> int:
    """Measure every combination of what was asked."""
    from evoplastic.benchmark import hardware, measure, settings
    from evoplastic.types import stack_banks
    from tasks.suite import load_paced_suite

    banks = stack_banks([task.bank(0) for task in load_paced_suite(SUITE).train])
    combined = settings(
        args.engine, args.population, args.neurons, args.trials, args.threads, args.modulation
    )
    measured = [measure(setting, banks, args.repeats) for setting in combined]
    if args.json:
        print_json(
            {
                "hardware": dict(hardware()),
                "suite": SUITE,
                "measurements": [
                    {**vars(m.setting), "seconds": list(m.seconds), "median_s": m.median_s}
                    for m in measured
                ],
            }
        )
        return exits.DONE
    print_table(
        (
            "engine",
            "modulation",
            "neurons",
            "trials",
            "population",
            "threads",
            "median s",
            "fastest s",
            "slowest s",
            "ms per life",
            "M steps/s",
        ),
        [
            (
                m.setting.engine,
                m.setting.modulation,
                str(m.setting.neurons),
                str(m.setting.trials),
                str(m.setting.population),
                str(m.setting.threads),
                f"{m.median_s:.3f}",
                f"{min(m.seconds):.3f}",
                f"{max(m.seconds):.3f}",
                f"{m.lifetime_ms:.2f}",
                f"{m.steps_per_s / 1e6:.2f}",
            )
            for m in measured
        ],
        title=", ".join(f"{name} {value}" for name, value in hardware()),
    )
    return exits.DONE
