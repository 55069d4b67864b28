"""What of the data that a user's code has read is kept with a run, and travels with a task.

The files themselves, up to `MOST_DATA_MIB` and `MOST_DATA_FILES` in all; what is left out is said.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from evoplastic.trust import vouch
from evoplastic.user_code.code_files import CodeFile

MOST_DATA_MIB, MOST_DATA_FILES = 64, 1000

logger = logging.getLogger(__name__)

_said: set[object] = set()  # of what was left out, once in a process


def contents_of(paths: Iterable[Path]) -> tuple[CodeFile, ...]:
    """Paths and contents of files; what is not taken, because of its size, is said once."""
    found: list[CodeFile] = []
    left, uncounted = MOST_DATA_MIB * 2**20, 0
    for path in paths:
        try:
            size = path.stat().st_size
            if size > left:
                _say_once(
                    path,
                    "%s (%.1f MiB) is read by a task, but not kept with the run, which keeps up to "
                    "%d MiB of data: to go on or to evaluate elsewhere, and on the nodes of a "
                    "cluster, have it at the same path",
                    path,
                    size / 2**20,
                    MOST_DATA_MIB,
                )
            elif len(found) == MOST_DATA_FILES:
                uncounted += 1
            elif path.is_file():
                content = path.read_bytes()
                vouch(path, content)
                found.append(CodeFile(str(path), content))
                left -= len(content)
        except OSError:  # gone since, or never there: a task may try several places
            continue
    if uncounted:
        _say_once(
            uncounted,
            "%d more files are read by tasks than the %d that are kept with the run: to go on or "
            "to evaluate elsewhere, and on the nodes of a cluster, have them at the same paths, or "
            "read one file instead",
            uncounted,
            MOST_DATA_FILES,
        )
    return tuple(found)


def _say_once(what: object, message: str, *values: object) -> None:
    if what not in _said:
        _said.add(what)
        logger.warning(message, *values)
