"""evaluate: what one genome learns within its lifetimes, plasticity on beside plasticity off."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evoplastic import trust
from evoplastic.cli import exits
from evoplastic.cli.evaluation_report import print_evaluation, unlearnt
from evoplastic.cli.genome import genome_path, load_genome
from evoplastic.cli.verbs import add_json, add_trust, add_verb, positive, print_json, seed

if TYPE_CHECKING:
    from cluster.config.run import RunConfig
    from evoplastic.cli.verbs import Subparsers
    from evoplastic.genome.genome import Genome
    from evoplastic.lifetime.problem import LifetimeProblem
    from evoplastic.lifetime.shards import ReplicateResult
    from evoplastic.trials.world import Task
    from tasks.suites.suite import Suite

DEFAULT_CONFIG = "miconi2023"
LIFETIMES_PER_SHARD = 64
EVALUATION_SEED = 1_000_003  # far from the small numbers that runs are seeded with


def add_verbs(verbs: Subparsers) -> None:
    """Declare `evaluate`."""
    parser = add_verb(
        verbs,
        "evaluate",
        "run many lifetimes of one genome and say what it learns",
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
        help="task to measure, may be repeated: a task of the suite, or any other of its kind, "
        "my_task.py:MyTask too (default: the held-out tasks of the suite)",
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
    parser.add_argument("--no-plasticity", action="store_true", help="run with plasticity off only")
    add_trust(parser)
    add_json(parser)


def run_evaluate(args: argparse.Namespace) -> int:
    """Lifetimes of each chosen task under each condition, summarised."""
    from evoplastic.engines import choose_engine
    from evoplastic.engines.demand import Demand
    from tasks.suites.loading import load_suite
    from tasks.suites.measured import measured_tasks

    genome = load_genome(args.genome)
    config, source = _config(args)
    suite = load_suite(config.suite, config.task_table)
    demand = Demand(genome.groups, config.simulated, suite.self_paced)
    engine = choose_engine(args.engine or config.engine, demand)
    measured = measured_tasks(
        suite,
        args.task,
        table=config.task_table,
        trial_seed=args.seed,
        num_trials=config.banks.evaluation_trials,
    )
    problem = _problem(genome, config, suite, [task.trials for task in measured], args.seed, engine)
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
    for index, task in enumerate(measured):
        levels = task.levels
        entry: dict[str, Any] = {
            "task": task.name,
            "role": task.role,
            "chance": levels.chance,
            "fixed_policy_level": levels.fixed_policy,
            "reward_chance": levels.reward_chance,
            "reward_fixed_policy": levels.reward_fixed_policy,
            "reward_oracle": levels.reward_oracle,
        }
        for condition in conditions:
            results = _simulate(problem, genome, index, args.lifetimes, condition == "plastic")
            entry[condition] = _summary(results, levels.fixed_policy)
        entry["warnings"] = [] if args.no_plasticity else unlearnt(entry, args.lifetimes)
        report["tasks"].append(entry)
    if args.json:
        print_json(report)
    else:
        print_evaluation(report, conditions)
    return exits.DONE


def _config(args: argparse.Namespace) -> tuple[RunConfig, str]:
    """The configuration to run under, and where it came from."""
    from cluster.config.run import load_config
    from evoplastic.records import CONFIG_NAME

    beside = genome_path(args.genome).parent.parent / CONFIG_NAME
    source = args.config or (str(beside) if beside.is_file() else DEFAULT_CONFIG)
    if source == str(beside):
        trust.set_from_run()
    return load_config(source, args.overrides), source


def _problem(
    genome: Genome,
    config: RunConfig,
    suite: Suite,
    tasks: list[Task],
    seed: int,
    engine: str,
) -> LifetimeProblem:
    from evoplastic.lifetime.problem import LifetimeProblem

    return LifetimeProblem(
        layout=genome.layout,
        lifetime=config.simulated,
        train=(),
        held_out=tuple(tasks),
        seed=seed,
        wiring=suite.wiring_to(genome.groups.interface),
        engine=engine,
        threads=config.threads,
    )


def _simulate(
    problem: LifetimeProblem, genome: Genome, task: int, lifetimes: int, plastic: bool
) -> list[ReplicateResult]:
    """All lifetimes of one task."""
    from evoplastic.lifetime.shards import ReplicateShard, simulate_replicates

    return [
        simulate_replicates(
            problem,
            genome.center_G,
            ReplicateShard(0, task, first, min(LIFETIMES_PER_SHARD, lifetimes - first), plastic),
        )
        for first in range(0, lifetimes, LIFETIMES_PER_SHARD)
    ]


def _summary(results: list[ReplicateResult], fixed_policy_level: float | None) -> dict[str, Any]:
    """Spread over lifetimes; the accuracies of a task without answers are null."""
    import numpy as np

    accuracy_L = np.concatenate([result.accuracy_L for result in results])
    reward_L = np.concatenate([result.reward_L for result in results])
    curve_K = np.concatenate([result.correct_LK for result in results]).mean(axis=0)
    reward_K = np.concatenate([result.reward_LK for result in results]).mean(axis=0)
    found: dict[str, Any] = {}
    for name, values in (("accuracy", accuracy_L), ("reward", reward_L)):
        known = not np.isnan(values).any()
        found[f"{name}_std"] = float(values.std()) if known else None
        q25, median, q75 = np.quantile(values, [0.25, 0.5, 0.75])
        for key, value in (("mean", values.mean()), ("q25", q25), ("median", median), ("q75", q75)):
            found[f"{name}_{key}"] = float(value) if known else None
    judged = fixed_policy_level is not None and found["accuracy_mean"] is not None
    return {
        **found,
        "above_fixed_policy": float((accuracy_L > fixed_policy_level).mean()) if judged else None,
        "learning_curve": [round(float(share), 4) for share in curve_K],
        "reward_curve": [round(float(value), 4) for value in reward_K],
    }
