"""tasks show | check | preview class-stream: what a stream of classes is, asks, and allows."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evoplastic.checks import require
from evoplastic.cli import exits
from evoplastic.cli.verbs import print_json, print_table, settings_of

if TYPE_CHECKING:
    from tasks.suites.streams.classes.task import ClassStreamTask

MEASURED_STREAMS = 16  # for the level of whoever remembers every example


def is_class_stream(word: str | None) -> bool:
    """Whether a word on the command line means streams of classes."""
    from tasks.suites.streams.classes.task import WORD

    return word == WORD


def run_class_stream(args: argparse.Namespace, *, levels: bool) -> int:
    """What a stream of these settings is; with `levels` also what can be reached in it.

    Raises:
        UsageError: an unknown setting, one out of range, or a truth table.
    """
    from tasks.suites.catalogue import roles_in_suites

    require(args.table is None, "--table is of two-stimulus tasks; leave it out of class-stream")
    task = _task(args)
    stream = task.stream
    found: dict[str, Any] = {
        "task": task.name,
        "description": task.description,
        "settings": asdict(stream),
        "num_inputs": stream.pixels + stream.labels,
        "num_actions": stream.labels,
        "trials": stream.num_trials,
        "trial_ms": stream.trial_steps * task.dt_ms,
        "probed_after": list(stream.part_ends),
        "suites": [list(pair) for pair in roles_in_suites(task.name)],
    }
    if levels:
        found |= _levels(task, args.seed)
    if args.json:
        print_json(found)
        return exits.DONE
    print(f"{task.name}: {task.description}\n")
    settings = ", ".join(f"{name}={value}" for name, value in found["settings"].items())
    roles = ", ".join(f"{suite} ({role.replace('_', '-')})" for suite, role in found["suites"])
    print_table(
        ("", ""),
        [
            ("inputs", f"{found['num_inputs']}: {stream.pixels} pixels, {stream.labels} labels"),
            ("actions", f"{stream.labels} labels"),
            ("trials", f"{stream.num_trials} of {found['trial_ms']} ms"),
            ("probed after", f"{', '.join(map(str, stream.part_ends))} classes"),
            ("settings", settings),
            ("suites", roles or "none"),
        ],
    )
    if levels:
        print_table(
            ("classes so far", "chance", "one of the classes", "nearest mean of examples seen"),
            [
                (str(end), *(f"{found[kind][place]:.1%}" for kind in ("chance", "guess", "mean")))
                for place, end in enumerate(stream.part_ends)
            ],
            title=f"\nLevels, over {MEASURED_STREAMS} streams",
        )
    return exits.DONE


def preview_class_stream(args: argparse.Namespace) -> int:
    """Draw when classes are taught and probed.

    Raises:
        UsageError: settings that cannot be, or flags of other tasks.
    """
    from analysis.previews.course import course_preview
    from analysis.previews.picture import write_picture

    for flag, value in (("--trials", args.trials), ("--graph", args.graph)):
        require(not value, f"of class-stream its parts are drawn; leave {flag} out")
    task = _task(args)
    table = task.stream.table(task.name, 1, args.seed, task.dt_ms)
    path = write_picture(course_preview(table, task.description), Path(args.out))
    if args.json:
        print_json({"task": task.name, "file": str(path), "digest": table.digest})
        return exits.DONE
    print(f"drew the {task.stream.num_trials} trials of {task.name} into {path}")
    return exits.DONE


def _task(args: argparse.Namespace) -> ClassStreamTask:
    from tasks.suites.streams.classes.task import ClassStreamTask

    settings = settings_of(args.set)
    return ClassStreamTask(name=args.task, dt_ms=args.dt_ms, settings=settings)


def _levels(task: ClassStreamTask, seed: int) -> dict[str, Any]:
    """By part: any label, any of the classes so far, and the nearest mean of what was seen."""
    from tasks.suites.streams.classes.bounds import nearest_prototype

    stream = task.stream
    mean = nearest_prototype(stream, MEASURED_STREAMS, seed)
    return {
        "chance": [1 / stream.labels] * len(stream.part_ends),
        "guess": [1 / end for end in stream.part_ends],
        "mean": [float(level) for level in mean],
    }
