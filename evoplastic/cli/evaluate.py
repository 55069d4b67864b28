"""evaluate: what one genome learns within its lifetimes, plasticity on beside plasticity off."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from evoplastic.cli import exits
from evoplastic.cli.genome import genome_path, load_genome
from evoplastic.cli.verbs import add_json, add_verb, positive, print_json, print_table, seed

if TYPE_CHECKING:
    import numpy as np

    from cluster.config import RunConfig
    from evoplastic.cli.verbs import Subparsers
    from evoplastic.evolution.problem import LifetimeProblem
    from evoplastic.genome import Genome
    from evoplastic.types import TrialBank

DEFAULT_CONFIG = "miconi2023"
LIFETIMES_PER_SHARD = 64
BINS = 8  # of the learning curve, when it is printed as text
EVALUATION_SEED = 1_000_003  # far from the small numbers that runs are seeded with


class Level(NamedTuple):
    """A task with the levels that its scores are read against; None where no suite tells."""

    bank: TrialBank
    role: str | None
    chance: float
    fixed_policy_level: float | None


def add_verbs(verbs: Subparsers) -> None:
    """Declare `evaluate`."""
    parser = add_verb(
        verbs,
        "evaluate",
        "live many lifetimes of one genome and say what it learns",
        """
        evoplastic evaluate runs/laptop-seed1-001
        evoplastic evaluate g.safetensors --task dms --lifetimes 256 --json
        evoplastic evaluate g.safetensors --task dms lifetime.num_trials=200
        """,
        run_evaluate,
    )
    parser.add_argument("genome", type=Path, metavar="GENOME", help="a genome or a run directory")
    parser.add_argument(
        "overrides", nargs="*", metavar="key=value", help="lifetime settings to change"
    )
    parser.add_argument(
        "--task",
        action="append",
        metavar="T",
        help="task to live, may be repeated (default: the held-out tasks of the suite)",
    )
    parser.add_argument(
        "--lifetimes", type=positive, default=64, metavar="N", help="of each task (default 64)"
    )
    parser.add_argument(
        "--seed",
        type=seed,
        default=EVALUATION_SEED,
        metavar="K",
        help=f"root of trials and perturbations (default {EVALUATION_SEED})",
    )
    parser.add_argument("--engine", metavar="E", help="lifetime engine (default: auto)")
    parser.add_argument(
        "--config",
        metavar="RECIPE|FILE",
        help="lifetime and suite (default: those of the genome's run, "
        f"else the recipe {DEFAULT_CONFIG})",
    )
    parser.add_argument(
        "--no-plasticity", action="store_true", help="live with plasticity off only"
    )
    add_json(parser)


def run_evaluate(args: argparse.Namespace) -> int:
    """Lifetimes of each asked task under each condition, summarised."""
    from evoplastic.kernels.lifetime import choose_engine

    genome = load_genome(args.genome)
    config, source = _config(args)
    engine = choose_engine(args.engine or config.engine)
    levels = _levels(config, args.task)
    problem = _problem(genome, config, [level.bank for level in levels], args.seed, engine)
    conditions = ["plasticity_off"] if args.no_plasticity else ["plastic", "plasticity_off"]
    report: dict[str, Any] = {
        "genome": genome.digest,
        "config": source,
        "engine": engine,
        "seed": args.seed,
        "lifetimes": args.lifetimes,
        "num_trials": config.lifetime.num_trials,
        "scored_trials": config.lifetime.scored_trials,
        "tasks": [],
    }
    for index, level in enumerate(levels):
        entry: dict[str, Any] = {
            "task": level.bank.task,
            "role": level.role,
            "chance": level.chance,
            "fixed_policy_level": level.fixed_policy_level,
        }
        for condition in conditions:
            accuracy_L, correct_LK = _live(
                problem, genome, index, args.lifetimes, condition == "plastic"
            )
            entry[condition] = _summary(accuracy_L, correct_LK, level.fixed_policy_level)
        report["tasks"].append(entry)
    if args.json:
        print_json(report)
    else:
        _print_report(report, conditions)
    return exits.DONE


def _config(args: argparse.Namespace) -> tuple[RunConfig, str]:
    """The configuration to live under, and where it came from."""
    from cluster.config import load_config

    beside = genome_path(args.genome).parent.parent / "config.resolved.yaml"
    source = args.config or (str(beside) if beside.is_file() else DEFAULT_CONFIG)
    return load_config(source, args.overrides), source


def _levels(config: RunConfig, names: list[str] | None) -> list[Level]:
    """The tasks to live; a task outside the suite has no best fixed policy to be compared with."""
    from tasks.suite import find_task, load_paced_suite

    suite = load_paced_suite(config.suite, config.task_table)
    levels = []
    for name in names or [task.name for task in suite.held_out]:
        if name in suite.task_names:
            task, role = suite.task(name), suite.role(name)
            chance, fixed = suite.chance(name), suite.fixed_policy_level(name)
            levels.append(Level(task.bank(config.seed), role, chance, fixed))
        else:
            bank = find_task(name, config.task_table).bank(config.seed)
            levels.append(Level(bank, None, 1.0 / bank.interface.num_outputs, None))
    return levels


def _problem(
    genome: Genome, config: RunConfig, banks: list[TrialBank], seed: int, engine: str
) -> LifetimeProblem:
    from evoplastic.evolution.config import EvolutionConfig
    from evoplastic.evolution.problem import LifetimeProblem

    return LifetimeProblem(
        groups=genome.groups,
        lifetime=config.lifetime,
        evolution=EvolutionConfig(alternate_halves=False),
        train=(),
        half_of_train=(),
        held_out=tuple(banks),
        seed=seed,
        engine=engine,
        threads=config.threads,
    )


def _live(
    problem: LifetimeProblem, genome: Genome, task: int, lifetimes: int, plastic: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Accuracy [L] and correctness [L, K] of all lifetimes of one task."""
    import numpy as np

    from evoplastic.evolution.problem import ReplicateShard, live_replicates

    results = [
        live_replicates(
            problem,
            genome.center_G,
            ReplicateShard(0, task, first, min(LIFETIMES_PER_SHARD, lifetimes - first), plastic),
        )
        for first in range(0, lifetimes, LIFETIMES_PER_SHARD)
    ]
    return (
        np.concatenate([result.accuracy_L for result in results]),
        np.concatenate([result.correct_LK for result in results]),
    )


def _summary(
    accuracy_L: np.ndarray, correct_LK: np.ndarray, fixed_policy_level: float | None
) -> dict[str, Any]:
    import numpy as np

    q25, median, q75 = (float(value) for value in np.quantile(accuracy_L, [0.25, 0.5, 0.75]))
    above = None if fixed_policy_level is None else float((accuracy_L > fixed_policy_level).mean())
    return {
        "accuracy_mean": float(accuracy_L.mean()),
        "accuracy_q25": q25,
        "accuracy_median": median,
        "accuracy_q75": q75,
        "above_fixed_policy": above,
        "learning_curve": [round(float(share), 4) for share in correct_LK.mean(axis=0)],
    }


def _print_report(report: dict[str, Any], conditions: list[str]) -> None:
    import numpy as np

    print(
        f"genome {report['genome'][:16]}, {report['lifetimes']} lifetimes of each task, "
        f"{report['num_trials']} trials each, seed {report['seed']}, engine {report['engine']}, "
        f"settings of {report['config']}\n"
    )
    rows, curves = [], []
    first_trials = np.array_split(np.arange(report["num_trials"]), BINS)
    for entry in report["tasks"]:
        for condition in conditions:
            summary = entry[condition]
            name = (entry["task"], condition.replace("_", " "))
            rows.append(
                (
                    *name,
                    *(f"{summary[f'accuracy_{key}']:.1%}" for key in ("mean", "q25")),
                    *(f"{summary[f'accuracy_{key}']:.1%}" for key in ("median", "q75")),
                    _percent(summary["above_fixed_policy"]),
                    _percent(entry["chance"]),
                    _percent(entry["fixed_policy_level"]),
                )
            )
            curve = np.array(summary["learning_curve"])
            curves.append((*name, *(_percent(curve[b].mean()) for b in first_trials if len(b))))
    print_table(
        ("task", "condition", "mean", "q25", "median", "q75", "above", "chance", "fixed policy"),
        rows,
        title=f"Correct answers over the last {report['scored_trials']} trials",
    )
    print_table(
        ("task", "condition", *(f"{b[0] + 1}-{b[-1] + 1}" for b in first_trials if len(b))),
        curves,
        title="\nCorrect answers by trial of the lifetime",
    )
    print(
        "\nabove: share of lifetimes better than the best fixed policy, the most that a network "
        "can\nreach that does not learn the task within its lifetime."
    )


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"
