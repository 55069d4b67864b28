"""tasks check TASK and tasks preview: any NeuroGym task, registered or in a file of one's own."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evoplastic.checks import UsageError, require
from evoplastic.cli import exits
from evoplastic.cli.verbs import add_json, add_verb, positive, print_json, print_table, seed

if TYPE_CHECKING:
    from evoplastic.cli.verbs import Subparsers
    from tasks.environments import EnvSource

NOT_YET = (
    "note: evolution on free-running tasks is not there yet; trials can be built, checked and "
    "drawn, and `evoplastic evolve` takes the two-stimulus tasks only"
)


def add_preview(family: Subparsers) -> None:
    """Declare `tasks preview`."""
    parser = add_verb(
        family,
        "preview",
        "draw a few trials of a task: inputs, periods, ground truth, rewards",
        "evoplastic tasks preview yang19.dms --out dms.png\n"
        "evoplastic tasks preview my_task.py:MyTask --out mine.png --trials 4",
        run_preview,
    )
    parser.add_argument("task", metavar="TASK", help="a NeuroGym id, or my_task.py:MyTask")
    parser.add_argument(
        "--out", required=True, metavar="FILE", help="picture to write (.png, .svg)"
    )
    parser.add_argument("--trials", type=positive, default=3, help="trials to draw (default 3)")
    add_source_arguments(parser)
    add_json(parser)


def add_source_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments that say how the environment is made."""
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a constructor argument of the task; may be repeated",
    )
    parser.add_argument("--dt-ms", type=positive, default=20, help="time step in ms (default 20)")
    parser.add_argument("--seed", type=seed, default=0, help="seed of the trials (default 0)")


def run_preview(args: argparse.Namespace) -> int:
    """Draw trials into a file."""
    from analysis.task_preview import write_preview
    from tasks.neurogym_bank import build_step_bank

    bank = build_step_bank(_source(args), args.trials, args.seed)
    path = write_preview(bank, Path(args.out), args.trials)
    if args.json:
        print_json({"task": bank.task, "file": str(path), "digest": bank.digest})
        return exits.DONE
    print(f"drew {args.trials} trials of {bank.task} into {path}")
    print(NOT_YET)
    return exits.DONE


def run_check_task(args: argparse.Namespace) -> int:
    """All about one task, or the reason why it cannot be used."""
    from tasks.examination import report

    found = report(_source(args), seed=args.seed)
    refusal = found["refusal"]
    if found["path"] == "none":
        raise UsageError(
            f"task {found['task']!r} cannot be used ({refusal['reason']}): {refusal['detail']}"
        )
    found["evolvable"] = False
    if args.json:
        print_json(found)
        return exits.DONE
    if refusal is not None:
        print(
            f"{found['task']} would have to be stepped in its environment "
            f"({refusal['reason']}): {refusal['detail']}"
        )
    else:
        _print_report(found)
    print(NOT_YET)
    return exits.DONE


def _print_report(found: dict[str, Any]) -> None:
    steps, interface = found["trial_steps"], found["interface"]
    compared = found["equals_environment"]
    same = "another seed draws other trials" if found["varies_with_seed"] else "any seed draws them"
    print_table(
        ("", ""),
        [
            ("path", "bank: what it shows and pays depends on trial, step and action alone"),
            ("interface", f"{interface['num_inputs']} inputs, {interface['num_outputs']} actions"),
            (
                "trials",
                f"{steps['min']} to {steps['max']} steps of {found['dt_ms']} ms, "
                f"median {steps['median']:g}",
            ),
            ("periods", ", ".join(found["periods"]) or "none"),
            ("repeats", f"one seed draws the same trials again; {same}"),
            (
                "environment",
                f"equal to the bank, bit for bit, over {compared['trials']} trials under each of "
                f"the policies {', '.join(compared['policies'])}",
            ),
            ("speed", f"{found['trials_per_s']:.0f} trials built per second of one core"),
        ],
        title=f"Task {found['task']}",
    )
    if found["periods_without_steps"]:
        print(
            f"note: no trial has a step in {', '.join(found['periods_without_steps'])}; a period "
            f"shorter than {found['dt_ms']} ms vanishes, --dt-ms takes a shorter step"
        )
    print()
    constant = found["best_constant"]
    print_table(
        ("policy", "accuracy", "reward per trial"),
        [
            (name, _percent(level["accuracy"]), f"{level['reward']:.3f}")
            for name, level in (
                ("chance", found["chance"]),
                (f"always action {constant['action']}", constant),
                ("ground truth", found["oracle"]),
            )
        ],
        title=f"Levels, over {found['trials']} trials",
    )
    if found["oracle"]["accuracy"] is None:
        print("The task has no ground truth, so it has no accuracy; reward is its only measure.")


def _percent(accuracy: float | None) -> str:
    return "-" if accuracy is None else f"{accuracy:.1%}"


def _source(args: argparse.Namespace) -> EnvSource:
    from tasks.environments import find_source

    return find_source(args.task, _settings(args.set), args.dt_ms)


def _settings(words: list[str]) -> dict[str, Any]:
    import yaml

    settings = {}
    for word in words:
        key, equals, value = word.partition("=")
        require(bool(equals and key), f"--set got {word!r}, expected KEY=VALUE")
        try:
            settings[key] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise UsageError(f"--set got {word!r}, whose value cannot be read: {error}") from error
    return settings
