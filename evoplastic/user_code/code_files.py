"""Texts of files that a user's code was loaded from, and those that run in place of others."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

_stand_ins: dict[Path, bytes] = {}


class CodeFile(NamedTuple):
    """A file that a user's code was loaded from."""

    path: str  # absolute, on the machine where it was loaded
    content: bytes

    @property
    def digest(self) -> str:
        """SHA-256 of the content."""
        return hashlib.sha256(self.content).hexdigest()


def stand_in(files: Sequence[CodeFile]) -> None:
    """From here on, these texts run in this process in place of what lies at their paths.

    So code that a run kept goes on to run where its files have changed, or are missing.
    """
    _stand_ins.update(by_path(files))


@contextmanager
def standing_in(files: Sequence[CodeFile]) -> Iterator[None]:
    """As `stand_in`, within the block alone."""
    before = dict(_stand_ins)
    stand_in(files)
    try:
        yield
    finally:
        _stand_ins.clear()
        _stand_ins.update(before)


def by_path(files: Sequence[CodeFile]) -> dict[Path, bytes]:
    """Their texts."""
    return {Path(file.path): file.content for file in files}


def texts_in_place(kept: Mapping[Path, bytes] | None = None) -> dict[Path, bytes]:
    """What is read in place of files: what stands in within this process, and before it `kept`."""
    return {**_stand_ins, **(kept or {})}


def content_in_place_of(path: Path, kept: Sequence[CodeFile] = ()) -> bytes | None:
    """What is read in place of a file, if anything."""
    return texts_in_place(by_path(kept)).get(Path(os.path.abspath(path)))
