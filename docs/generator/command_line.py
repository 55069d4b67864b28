"""The command line, verb by verb, as its own `--help` says it."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator

from evoplastic.cli.parser import build_parser

WIDTH = "88"  # columns that fit the page
INTRODUCTION = """\
# Command line

Read off the program when this site is built: what `evoplastic VERB --help` prints. After `make
setup` the program is `.venv/bin/evoplastic`. Where a verb takes `key=value`, the keys are those
of the [configuration](configuration.md).
"""


def command_line_page() -> str:
    """The page in Markdown."""
    before, os.environ["COLUMNS"] = os.environ.get("COLUMNS"), WIDTH  # which argparse asks for
    try:
        return "\n".join([INTRODUCTION, *_sections(build_parser(), 0)])
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before


def _sections(parser: argparse.ArgumentParser, depth: int) -> Iterator[str]:
    heading = "#" * min(2 + max(depth - 1, 0), 3)
    yield f"{heading} {parser.prog}\n\n```text\n{parser.format_help()}```\n"
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for verb in action.choices.values():
                yield from _sections(verb, depth + 1)
