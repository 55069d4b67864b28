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
    from evoplastic.trials.stacked import StackedTables

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
        "evoplastic bench --rule node_perturbation node_perturbation_network --threads 1 2 --json\n"
        "evoplastic bench --trials-kind self_paced --inputs 33 --outputs 17 --neurons 140",
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
        "--rule",
        nargs="+",
        default=["node_perturbation"],
        metavar="NAME",
        help="plasticity rules (default node_perturbation)",
    )
    parser.add_argument(  # how two of the rules were named in earlier versions
        "--modulation", nargs="+", dest="rule", type=_rule_of_modulation, help=argparse.SUPPRESS
    )
    parser.add_argument(
        "--trials-kind",
        nargs="+",
        type=_trials_kind,
        default=["fixed_timing"],
        metavar="KIND",
        help="fixed_timing, or self_paced with noise at every step (default fixed_timing)",
    )
    for name, what in (("inputs", "stimulus lines"), ("outputs", "actions")):
        parser.add_argument(
            f"--{name}", type=positive, default=2, metavar="N", help=f"{what} (default 2)"
        )
    parser.add_argument(
        "--repeats",
        type=positive,
        default=LONG_REPEATS,
        metavar="N",
        help=f"measured generations of each, in turn (default {LONG_REPEATS})",
    )
    add_json(parser)


def run_bench(args: argparse.Namespace) -> int:
    """Measure every combination that was chosen."""
    from evoplastic.benchmark.generation import hardware, measure_in_turn, settings
    from evoplastic.types import Interface

    lines = Interface(num_inputs=args.inputs, num_outputs=args.outputs)
    combined = settings(
        args.engine,
        args.population,
        args.neurons,
        args.trials,
        args.threads,
        args.rule,
        args.trials_kind,
        lines,
    )
    banks = {kind: _trials(kind, args.inputs, args.outputs) for kind in args.trials_kind}
    measured = measure_in_turn([(s, banks[s.trials_kind]) for s in combined], args.repeats)
    if args.json:
        print_json(
            {
                "hardware": dict(hardware()),
                "suite": SUITE if _is_suite("fixed_timing", args.inputs, args.outputs) else None,
                "inputs": args.inputs,
                "outputs": args.outputs,
                "measurements": [
                    {
                        **vars(m.setting),
                        "seconds": list(m.seconds),
                        "median_s": m.median_s,
                        "steps": m.steps,
                    }
                    for m in measured
                ],
            }
        )
        return exits.DONE
    print_table(
        (
            "engine",
            "rule",
            "kind",
            "neurons",
            "trials",
            "population",
            "threads",
            "median s",
            "fastest s",
            "slowest s",
            "ms per life",
            "ns per step",
        ),
        [
            (
                m.setting.engine,
                m.setting.rule,
                m.setting.trials_kind,
                str(m.setting.neurons),
                str(m.setting.trials),
                str(m.setting.population),
                str(m.setting.threads),
                f"{m.median_s:.3f}",
                f"{min(m.seconds):.3f}",
                f"{max(m.seconds):.3f}",
                f"{m.lifetime_ms:.2f}",
                f"{m.step_ns:.0f}",
            )
            for m in measured
        ],
        title=", ".join(f"{name} {value}" for name, value in hardware()),
    )
    return exits.DONE


def _rule_of_modulation(word: str) -> str:
    names = {"external": "node_perturbation", "internal": "node_perturbation_network"}
    if word not in names:
        raise argparse.ArgumentTypeError(f"expected external or internal, got {word!r}; use --rule")
    return names[word]


def _trials_kind(word: str) -> str:
    old = {"paced": "fixed_timing", "free": "self_paced"}  # as they were named in earlier versions
    kind = old.get(word, word)
    if kind not in old.values():
        known = " or ".join(old.values())
        raise argparse.ArgumentTypeError(f"expected {known}, got {word!r}")
    return kind


def _is_suite(kind: str, inputs: int, outputs: int) -> bool:
    """Fixed timing on two and two lines is that of the published suite, else trials are random."""
    return (kind, inputs, outputs) == ("fixed_timing", 2, 2)


def _trials(kind: str, inputs: int, outputs: int) -> StackedTables:
    from evoplastic.benchmark.trials import fixed_trials, self_paced_trials
    from evoplastic.trials.stacked import stack_tables
    from evoplastic.types import Interface
    from tasks.suites.loading import load_suite

    if _is_suite(kind, inputs, outputs):
        return stack_tables(load_suite(SUITE).train_samples)
    interface = Interface(num_inputs=inputs, num_outputs=outputs)
    return fixed_trials(interface) if kind == "fixed_timing" else self_paced_trials(interface)
