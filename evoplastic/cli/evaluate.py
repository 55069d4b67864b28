"""evaluate: what one genome learns within its lifetimes, plasticity on beside plasticity off."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from evoplastic.api.defaults import DEFAULT_CONFIG, EVALUATION_SEED
from evoplastic.api.streams.controls import STREAM_CONTROLS
from evoplastic.checks import EnvironmentFault
from evoplastic.cli import exits
from evoplastic.cli.evaluation_report import by_group, print_evaluation, unlearnt
from evoplastic.cli.genome import REFERENCE
from evoplastic.cli.inside.recorded import OWN_STORE, record_evaluation, store_uri
from evoplastic.cli.verbs import add_json, add_trust, add_verb, positive, print_json, seed

if TYPE_CHECKING:
    from evoplastic.cli.verbs import Subparsers
    from evoplastic.lifetime.shards import ReplicateResult
    from tasks.suites.measured import MeasuredTask


def add_verbs(verbs: Subparsers) -> None:
    """Declare `evaluate`."""
    parser = add_verb(
        verbs,
        "evaluate",
        "run many lifetimes of one genome and say what it learns",
        """
        evoplastic evaluate runs/laptop-seed1-001
        evoplastic evaluate runs/laptop-seed1-001@40 --task dnms
        evoplastic evaluate g.safetensors --task dms --lifetimes 256 --json
        evoplastic evaluate g.safetensors --task dms lifetime.num_trials=200
        evoplastic evaluate runs/laptop-seed1-001 --lifetimes 256 --to-mlflow
        """,
        run_evaluate,
    )
    parser.add_argument("genome", metavar="GENOME", help=REFERENCE)
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
    parser.add_argument(
        "--control",
        action="append",
        default=[],
        choices=STREAM_CONTROLS,
        help="of streams, also: trials of all parts shuffled, plasticity that stops after the "
        "first part, or no gating of activity; may be repeated",
    )
    parser.add_argument("--no-plasticity", action="store_true", help="run with plasticity off only")
    parser.add_argument(
        "--store", metavar="URI", help="MLflow store to look the genome up in (default: as `ui`)"
    )
    parser.add_argument(
        "--to-mlflow",
        nargs="?",
        type=store_uri,
        const=OWN_STORE,
        metavar="STORE",
        help="record the evaluation, once, as a run below the run that evolved the genome, its "
        "scores linked to the genome's model and to the suite (default: --store, else the store "
        "of the genome's run)",
    )
    add_trust(parser)
    add_json(parser)


def run_evaluate(args: argparse.Namespace) -> int:
    """Lifetimes of each chosen task under each condition, summarised."""
    from evoplastic.api.evaluating import PLASTIC, PLASTICITY_OFF, measure
    from evoplastic.api.setting import setting_of

    setting = setting_of(
        args.genome,
        args.task,
        config=args.config,
        overrides=args.overrides,
        seed=args.seed,
        engine=args.engine,
        store=args.store,
    )
    conditions = [PLASTICITY_OFF] if args.no_plasticity else [PLASTIC, PLASTICITY_OFF]
    conditions += dict.fromkeys(args.control)
    lifetime = setting.problem.lifetime
    report: dict[str, Any] = {
        "genome": setting.genome.digest,
        "config": setting.source,
        "engine": setting.problem.engine,
        "seed": args.seed,
        "lifetimes": args.lifetimes,
        "num_trials": lifetime.num_trials,
        "scored_trials": lifetime.scored_trials,
        "tasks": [],
    }
    for task, results in measure(setting, args.lifetimes, conditions):
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
        if levels.reward_adaptive is not None:  # other reports keep their digest
            entry["reward_adaptive"] = levels.reward_adaptive
        for condition, result in results.items():
            entry[condition] = _summary(result, levels.fixed_policy)
        if streams := _streams(task, results):
            entry["stream"] = streams
        if task.group is not None:
            entry["group"] = task.group
        entry["warnings"] = [] if args.no_plasticity else unlearnt(entry, args.lifetimes)
        report["tasks"].append(entry)
    groups = by_group(report["tasks"], conditions)
    if groups:
        report["groups"] = groups
    if args.to_mlflow is None:
        _print(report, conditions, args.json)
        return exits.DONE
    try:
        recorded = record_evaluation(
            setting, report, conditions, args.overrides, args.to_mlflow or args.store
        )
    except EnvironmentFault:  # what was measured is not lost with the store
        _print(report | {"recorded": None}, conditions, args.json)
        raise
    _print(report | {"recorded": recorded._asdict()}, conditions, args.json)
    return exits.DONE


def _streams(task: MeasuredTask, results: Mapping[str, ReplicateResult]) -> dict[str, Any]:
    """Of a stream: what its lifetimes knew of each task after each part, by condition."""
    from evoplastic.lifetime.streams.record import stream_record
    from evoplastic.lifetime.streams.scoring import courses_of

    (course,) = courses_of([task.trials])
    if course is None:
        return {}
    kept = {name: stream_record(course, result.correct_LK) for name, result in results.items()}
    return {name: asdict(record) for name, record in kept.items() if record is not None}


def _print(report: dict[str, Any], conditions: list[str], as_json: bool) -> None:
    if as_json:
        print_json(report)
        return
    print_evaluation(report, conditions)
    recorded = report.get("recorded")
    if recorded:
        below = f"below run {recorded['parent']}" if recorded["parent"] else "as a run of its own"
        model = f", linked to {recorded['model']}" if recorded["model"] else ""
        there = "is there already" if recorded["before"] else "recorded"
        print(f"\n{there} in {recorded['uri']}, {below}{model}: {recorded['run_id']}")


def _summary(result: ReplicateResult, fixed_policy_level: float | None) -> dict[str, Any]:
    """Spread over lifetimes; the accuracies of a task without answers are null."""
    import numpy as np

    accuracy_L, reward_L = result.accuracy_L, result.reward_L
    curve_K, reward_K = result.correct_LK.mean(axis=0), result.reward_LK.mean(axis=0)
    found: dict[str, Any] = {}
    for name, values in (("accuracy", accuracy_L), ("reward", reward_L)):
        known = not np.isnan(values).any()
        found[f"{name}_std"] = float(values.std()) if known else None
        q25, median, q75 = np.quantile(values, [0.25, 0.5, 0.75])
        for key, value in (("mean", values.mean()), ("q25", q25), ("median", median), ("q75", q75)):
            found[f"{name}_{key}"] = float(value) if known else None
    above: float | None = None
    if fixed_policy_level is not None and found["accuracy_mean"] is not None:
        above = float((accuracy_L > fixed_policy_level).mean())
    return {
        **found,
        "above_fixed_policy": above,
        "learning_curve": [round(float(share), 4) for share in curve_K],
        "reward_curve": [round(float(value), 4) for value in reward_K],
    }
