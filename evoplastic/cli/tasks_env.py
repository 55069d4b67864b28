"""tasks show | check | preview TASK: any NeuroGym task, registered, installed or in a file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evoplastic.checks import UsageError, require
from evoplastic.cli import exits
from evoplastic.cli.verbs import add_json, add_verb, positive, print_json, print_table, seed
from evoplastic.commands import command
from evoplastic.reading import parse_yaml

if TYPE_CHECKING:
    from evoplastic.cli.verbs import Subparsers
    from tasks.neurogym.environments import EnvSource

DEFAULT_DT_MS = 20
DRAWN_TRIALS = 3
DRAWN_MACHINE_TRIALS = 16  # of a state machine, which last a step or two
SOME_GAIN = 0.05
PATHS = {
    "bank": "bank: what it shows and pays depends on trial, step and action alone",
    "machine": "state machine: its states and draws are known beforehand",
}


def add_preview(family: Subparsers) -> None:
    """Declare `tasks preview`."""
    parser = add_verb(
        family,
        "preview",
        "draw a few trials of a task: inputs, periods, ground truth, rewards",
        "evoplastic tasks preview yang19.dms --out dms.png\n"
        "evoplastic tasks preview DawTwoStep --out two_step.png\n"
        "evoplastic tasks preview my_task.py:MyTask --out mine.png --trials 4",
        run_preview,
    )
    parser.add_argument("task", metavar="TASK", help="a NeuroGym id, or my_task.py:MyTask")
    parser.add_argument(
        "--out", required=True, metavar="FILE", help="picture to write (.png, .svg)"
    )
    parser.add_argument(
        "--trials",
        type=positive,
        help=f"trials to draw (default {DRAWN_TRIALS}; {DRAWN_MACHINE_TRIALS} of a state machine)",
    )
    add_source_arguments(parser)
    parser.add_argument("--seed", type=seed, default=0, help="seed of the trials (default 0)")
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
    parser.add_argument(
        "--dt-ms",
        type=positive,
        default=DEFAULT_DT_MS,
        help=f"time step in ms (default {DEFAULT_DT_MS})",
    )


def run_preview(args: argparse.Namespace) -> int:
    """Draw trials into a file."""
    from analysis.previews.machine import machine_preview
    from analysis.previews.picture import Words, write_picture
    from analysis.previews.task import preview
    from evoplastic.trials.table import TrialTable
    from tasks.neurogym.examination import build_bank
    from tasks.suites.catalogue import describe_source, line_names

    source = source_of(args)
    bank = build_bank(source, args.trials or DRAWN_MACHINE_TRIALS, args.seed)
    words = Words(describe_source(source), *line_names(source))
    if isinstance(bank, TrialTable):
        trials = args.trials or min(DRAWN_MACHINE_TRIALS, len(bank.first_M))
        figure = machine_preview(bank, trials, words)
    else:
        trials = args.trials or DRAWN_TRIALS
        figure = preview(bank, trials, words)
    path = write_picture(figure, Path(args.out))
    if args.json:
        print_json({"task": bank.task, "file": str(path), "digest": bank.digest})
        return exits.DONE
    print(f"drew {trials} trials of {bank.task} into {path}")
    return exits.DONE


def run_show_task(args: argparse.Namespace) -> int:
    """What a task asks, in its author's words and in numbers."""
    from tasks.suites.catalogue import show_source

    shown = show_source(source_of(args))
    if args.json:
        print_json(shown)
        return exits.DONE
    print(f"{shown['task']}: {shown['description'] or 'nobody described it'}")
    if shown["documentation"]:
        print(f"\n{shown['documentation']}")
    print()
    settings = ", ".join(f"{key}={value}" for key, value in shown["settings"].items())
    roles = ", ".join(f"{suite} ({role.replace('_', '-')})" for suite, role in shown["suites"])
    print_table(
        ("", ""),
        [
            ("inputs", _counted(shown["inputs"])),
            ("actions", _counted(shown["actions"])),
            ("settings", settings or "none"),
            ("suites", roles or "none"),
        ],
    )
    check = command("tasks", "check", *_words(args))
    preview = command("tasks", "preview", *_words(args), "--out", _picture(args.task))
    print(f"\n`{check}` says what it can be used for, `{preview}` draws trials.")
    return exits.DONE


def run_check_task(args: argparse.Namespace) -> int:
    """All about one task, or the reason why it cannot be used."""
    from tasks.neurogym.examination import report
    from tasks.suites.catalogue import closest_registered

    source = source_of(args)
    found = report(source, seed=args.seed)
    refusal = found["refusal"]
    if found["path"] == "none":
        raise UsageError(
            f"task {found['task']!r} cannot be used ({refusal['reason']}): {refusal['detail']}"
        )
    found["evolvable"] = True  # a task that must be stepped too, slowly
    if refusal is None:
        close = closest_registered(source)
        found["closest"] = None if close is None else close._asdict()
    else:
        found |= _stepped(args)
    if args.json:
        print_json(found)
        return exits.DONE
    if refusal is not None:
        interface = found["interface"]
        print(
            f"{found['task']} has to be stepped in its own environment ({refusal['reason']}): "
            f"{refusal['detail']}\n{interface['num_inputs']} inputs, {interface['num_outputs']} "
            f"actions, trials of up to {found['max_trial_steps']} steps, "
            f"{found['steps_per_s']:.0f} steps per second; it repeats from its seed. Suites take "
            "it (without rule_cue), but each step of each life is taken in Python, on the slow "
            "reference engine."
        )
    else:
        _print_report(found)
    return exits.DONE


def _stepped(args: argparse.Namespace) -> dict[str, Any]:
    """What trying a task step by step shows.

    Raises:
        UsageError: it cannot even be stepped.
    """
    from dataclasses import asdict

    from tasks.neurogym.stepped_task import stepped_task

    tried = stepped_task(args.task, _settings(args.set), args.dt_ms)
    return {
        "interface": asdict(tried.interface),
        "max_trial_steps": tried.max_trial_steps,
        "has_answers": tried.has_answers,
        "steps_per_s": round(tried.steps_per_s, 1),
        "deterministic": True,  # else it had been refused
    }


def _print_report(found: dict[str, Any]) -> None:
    steps, interface = found["trial_steps"], found["interface"]
    compared = found["equals_environment"]
    same = "another seed draws other trials" if found["varies_with_seed"] else "any seed draws them"
    environment = "none: the machine is its definition"
    if compared is not None:
        but_for = "".join(f", but for one thing: {each}" for each in compared.get("but_for", []))
        environment = (
            f"equal to its trials, bit for bit, over {compared['trials']} of them under each of "
            f"the policies {', '.join(compared['policies'])}{but_for}"
        )
    print_table(
        ("", ""),
        [
            ("path", PATHS[found["path"]]),
            ("interface", f"{interface['num_inputs']} inputs, {interface['num_outputs']} actions"),
            (
                "trials",
                f"{steps['min']} to {steps['max']} steps of {found['dt_ms']} ms, "
                f"median {steps['median']:g}",
            ),
            ("periods", ", ".join(found["periods"]) or "none"),
            ("repeats", f"one seed draws the same trials again; {same}"),
            ("environment", environment),
            ("closest", _closest(found["closest"])),
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
    constant, fixed = found["best_constant"], found["best_fixed"]
    print_table(
        ("policy", "accuracy", "reward per trial"),
        [
            (name, percent(level["accuracy"]), f"{level['reward']:.3f}")
            for name, level in (
                ("chance: any action at each step", found["chance"]),
                (f"always action {constant['action']}", constant),
                (f"answer {fixed['answer']} whenever one is due", fixed),
                ("oracle: the target actions", found["oracle"]),
            )
        ],
        title=f"Levels, over {found['trials']} trials",
    )
    if found["oracle"]["accuracy"] is None:
        print("The task has no ground truth, so it has no accuracy; reward is its only measure.")
    elif constant["accuracy"] == 1.0:
        print(
            f"note: action {constant['action']} throughout is right in every trial. A trial is "
            "judged by the action that ends it; does this one go on after its answer?"
        )


def _closest(close: dict[str, Any] | None) -> str:
    if close is None:
        return "no registered task can be compared with it"
    if close["gain"] < SOME_GAIN:
        return "no registered task's answers do better here than always the same answer"
    return (
        f"{close['task']}: what answers it is right in {close['agreement']:.0%} of trials here, "
        "answers renumbered"
    )


def _counted(names: list[str]) -> str:
    return f"{len(names)}: {', '.join(names)}"


def percent(accuracy: float | None) -> str:
    """An accuracy in a table; "-" where there is none."""
    return "-" if accuracy is None else f"{accuracy:.1%}"


def source_of(args: argparse.Namespace) -> EnvSource:
    """The task that the arguments mean.

    Raises:
        UsageError: there is none, or a setting that cannot be read.
    """
    from tasks.neurogym.environments import find_source

    return find_source(args.task, _settings(args.set), args.dt_ms)


def _words(args: argparse.Namespace) -> list[str]:
    """The task as it was typed, for another verb."""
    settings = [word for pair in args.set for word in ("--set", pair)]
    return [
        args.task,
        *settings,
        *(["--dt-ms", str(args.dt_ms)] if args.dt_ms != DEFAULT_DT_MS else []),
    ]


def _picture(task: str) -> Path:
    """A name for the picture of a task."""
    name = task.rpartition(":")[2].replace("/", "-")
    return Path(f"{name}.png")


def _settings(words: list[str]) -> dict[str, Any]:
    settings = {}
    for word in words:
        key, equals, value = word.partition("=")
        require(bool(equals and key), f"--set got {word!r}, expected KEY=VALUE")
        settings[key] = parse_yaml(value, f"the value of --set {word!r}")
    return settings
