"""A guide's files, commands and shown output, read from its fenced blocks.

    ```yaml my_suite.yaml    a file: a language, and its name
    ```diff catalogue.py     a change of a file: lines to find, to drop (-) and to put there (+)
    ```console               commands after "$ ", lines of what they print, "…" for those left out
    ```python                a program; the text block after it is what it prints

Run as a program in a folder with the files, it runs the commands of a JSON list, in one process,
and writes what came of them as another JSON list; with folders as further words, in each of them.
"""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import sys
from contextlib import redirect_stderr, redirect_stdout
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

FENCE = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LEFT_OUT = "…"


class Block(NamedTuple):
    """One fenced block."""

    language: str
    file: str  # "" where it is none
    text: str


class Command(NamedTuple):
    """One command as the guide shows it."""

    words: list[str]
    shown: list[str]
    code: int


def blocks(guide: Path) -> list[Block]:
    """All fenced blocks in their order."""
    return [Block(*found) for found in FENCE.findall(guide.read_text(encoding="utf-8"))]


def files(found: list[Block]) -> dict[str, str]:
    """The files that the guide has its reader write."""
    return {block.file: block.text for block in found if block.file and block.language != "diff"}


def changes(found: list[Block]) -> list[Block]:
    """The changes that the guide makes in files that are there."""
    return [block for block in found if block.language == "diff"]


def changed(text: str, change: str) -> str:
    """A text after a change; "@@" stands between places, each of which must be there once."""
    for place in re.split(r"^@@\n", change, flags=re.MULTILINE):
        lines = place.splitlines(keepends=True)
        before = "".join(line[1:] for line in lines if not line.startswith("+"))
        after = "".join(line[1:] for line in lines if not line.startswith("-"))
        assert text.count(before) == 1, f"{text.count(before)} times in the file:\n{before}"
        text = text.replace(before, after)
    return text


def commands(found: list[Block]) -> list[Command]:
    """The commands of all consoles; `echo $?` says the exit code of the one before."""
    listed: list[Command] = []
    for block in found:
        if block.language != "console":
            continue
        for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
            line, *shown = part.splitlines()
            if line == "echo $?":
                listed[-1] = listed[-1]._replace(code=int(shown[0]))
            else:
                kept = [each for each in shown if each.strip() not in ("", LEFT_OUT)]
                listed.append(Command(shlex.split(line), kept, 0))
    return listed


def programs(found: list[Block]) -> list[tuple[str, str]]:
    """Each program, and what the guide says that it prints."""
    return [
        (block.text, after.text)
        for block, after in pairwise(found)
        if block.language == "python" and not block.file
    ]


def without_numbers(line: str) -> str:
    """A line but for what differs between machines and versions: numbers, digests, engine, gaps."""
    plain = re.sub(r"\b[0-9a-f]{16}\b|-?\d+(\.\d+)?", "#", " ".join(line.split()))
    return re.sub(r"engine \w+", "engine #", plain)


def run_all(listed: list[list[str]]) -> list[tuple[int, str]]:
    """Exit code and everything printed, of each command."""
    from evoplastic.__main__ import main

    told = []
    for words in listed:
        out = io.StringIO()
        with redirect_stdout(out), redirect_stderr(out):
            code = main(words)
        told.append((code, out.getvalue()))
    return told


if __name__ == "__main__":
    for folder in sys.argv[3:] or ["."]:
        os.chdir(folder)
        answers = run_all(json.loads(Path(sys.argv[1]).read_text()))
        Path(sys.argv[2]).write_text(json.dumps(answers))
