"""tasks preview NAME --suite SUITE: the parts of a stream."""

from __future__ import annotations

import argparse
from pathlib import Path

from evoplastic.checks import require
from evoplastic.cli import exits
from evoplastic.cli.verbs import print_json


def suite_of_stream(name: str) -> str | None:
    """Our suite that has a stream of this name, if one has."""
    from tasks.suites.streams.task import StreamTask
    from tasks.suites.suite_file import known_suite_files, read_suite_file

    for suite in known_suite_files():
        content = read_suite_file(suite)
        tasks = (*content.train, *content.held_out)
        if any(isinstance(task, StreamTask) and task.name == name for task in tasks):
            return suite
    return None


def preview_stream(args: argparse.Namespace) -> int:
    """Draw which task of a stream is taught when, and print its parts.

    Raises:
        UsageError: no such suite, no such task in it, or a task that is no stream.
    """
    from analysis.previews.course import course_preview
    from analysis.previews.picture import write_picture
    from tasks.suites.loading import load_suite

    for flag, value in (("--trials", args.trials), ("--graph", args.graph), ("--set", args.set)):
        require(not value, f"--suite draws the parts of a stream; leave {flag} out")
    suite = load_suite(args.suite)
    table, task = suite.lived(args.task), suite.task(args.task)
    path = write_picture(course_preview(table, task.description), Path(args.out))
    course = table.course
    assert course is not None
    if args.json:
        told = {"task": task.name, "file": str(path), "digest": table.digest}
        print_json({**told, "parts": course.parts, "num_trials": course.num_trials})
        return exits.DONE
    print(f"{task.name}: {task.description}")
    print(f"drew its {course.num_trials} trials into {path}")
    return exits.DONE
