"""tasks show | check | preview TASK: any NeuroGym task, registered, installed or in a file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from evoplastic.checks import UsageError, require
from evoplastic.cli import exits
from evoplastic.cli.verbs import (
    add_json,
    add_verb,
    positive,
    print_json,
    print_table,
    seed,
    settings_of,
)
from evoplastic.commands import command

if TYPE_CHECKING:
    from evoplastic.cli.verbs import Subparsers
    from tasks.neurogym.environments import EnvSource

DEFAULT_DT_MS = 20
DRAWN_TRIALS = 3
DRAWN_MACHINE_TRIALS = 16  # of a state machine, which last a step or two


def add_preview(family: Subparsers) -> None:
    """Declare `tasks preview`."""
    parser = add_verb(
        family,
        "preview",
        "draw a few trials of a task: inputs, periods, ground truth, rewards",
        "evoplastic tasks preview yang19.dms --out dms.png\n"
        "evoplastic tasks preview DawTwoStep --out two_step.png\n"
        "evoplastic tasks preview meta/two-step --out states.png --graph\n"
        "evoplastic tasks preview my_task.py:MyTask --out mine.png --trials 4\n"
        "evoplastic tasks preview and-first-and --suite streams --out parts.png",
        run_preview,
    )
    parser.add_argument(
        "task",
        metavar="TASK",
        help="a NeuroGym id, meta/NAME, my_task.py:MyTask, my_world.yaml, a combination of "
        "factors such as same-long-anti-b, or class-stream",
    )
    parser.add_argument(
        "--out", required=True, metavar="FILE", help="picture to write (.png, .svg)"
    )
    parser.add_argument(
        "--trials",
        type=positive,
        help=f"trials to draw (default {DRAWN_TRIALS}; {DRAWN_MACHINE_TRIALS} of a state machine)",
    )
    parser.add_argument(
        "--graph",
        action="store_true",
        help="of a meta-task: its states and transitions in place of trials",
    )
    parser.add_argument(
        "--suite", metavar="NAME|FILE", help="of a stream in this suite: its parts and probes"
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
    from evoplastic.cli.combinations.verbs import is_combination, preview_combination
    from evoplastic.cli.streams.classes import is_class_stream, preview_class_stream
    from evoplastic.cli.streams.preview import preview_stream

    if args.suite is not None:
        return preview_stream(args)
    if is_class_stream(args.task):
        return preview_class_stream(args)
    if is_combination(args.task):
        return preview_combination(args)
    from analysis.previews.machine import machine_preview
    from analysis.previews.picture import Words, write_picture
    from analysis.previews.task import preview
    from evoplastic.trials.table import TrialTable
    from tasks.neurogym.examination import build_bank
    from tasks.suites.catalogue import describe_source, line_names

    source = source_of(args)
    if args.graph:
        return _preview_graph(args, source)
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


def _preview_graph(args: argparse.Namespace, source: EnvSource) -> int:
    from analysis.previews.picture import write_picture
    from analysis.previews.state_graph import state_graph

    require(
        source.meta is not None,
        f"--graph draws the states of a meta-task, and {args.task} is none; leave it out, or name "
        "meta/NAME or a file such as my_world.yaml",
    )
    require(args.trials is None, "--graph draws no trials; leave --trials out")
    assert source.meta is not None
    path = write_picture(state_graph(source.meta), Path(args.out))
    if args.json:
        print_json({"task": source.name, "file": str(path), "states": len(source.meta.states)})
        return exits.DONE
    print(f"drew {len(source.meta.states)} states of {source.name} into {path}")
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


def _counted(names: list[str]) -> str:
    return f"{len(names)}: {', '.join(names)}"


def percent(accuracy: float | None) -> str:
    """An accuracy in a table; "-" where there is none."""
    return "-" if accuracy is None else f"{accuracy:.1%}"


def source_of(args: argparse.Namespace) -> EnvSource:
    """The task that the arguments mean.

    Raises:
        UsageError: there is none, a setting that cannot be read, or a stream of one of our suites,
            which other commands describe.
    """
    from evoplastic.cli.streams.preview import suite_of_stream
    from tasks.neurogym.environments import find_source

    try:
        return find_source(args.task, settings_of(args.set), args.dt_ms)
    except UsageError as error:
        suite = suite_of_stream(args.task)
        if suite is None:
            raise
        listing = command("tasks", "list", "--suite", suite)
        drawing = command("tasks", "preview", args.task, "--suite", suite, "--out", "parts.png")
        raise UsageError(
            f"{args.task!r} is a stream of suite {suite}, no task by itself; `{listing}` has its "
            f"parts, `{drawing}` draws them"
        ) from error


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
