"""Data files that a user's code reads: noticed as they are opened, and laid out again elsewhere.

A run keeps what its tasks read, to go on where the originals are gone or have changed. Python
tells of each file that it opens (`sys.addaudithook`, PEP 578); one opened by a module of the
user's, or on its behalf as by `numpy.load`, counts as read by his project. Libraries that open
files in C, as HDF5 does, are not seen.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

CODE_SUFFIXES = (".py", ".pyc", ".pyd", ".so")
MOST_NOTICED = 10_000  # files of one project, so that a task that opens ever new ones ends
LAID_OUT = "evoplastic-data-"  # folders of data that was laid out
YOUNG_S = 60.0  # such a folder may not be locked yet by who made it
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT

# Who is told of a file, by the name of the module that reads it; none, if that is not a user's.
_reader: Callable[[str], Any] | None = None

_held: list[int] = []  # locks of folders of this process


def is_data(path: Path) -> bool:
    """Whether a file is none that Python runs."""
    return path.suffix not in CODE_SUFFIXES


def notice_reading(reader: Callable[[str], Any]) -> None:
    """Tell the reader that a module belongs to of each file that is opened in it; for good.

    Args:
        reader: from the name of a module to a project with `note(path)`, or to None.
    """
    global _reader
    if _reader is None:
        _reader = reader
        sys.addaudithook(_listen)


def _listen(event: str, args: tuple[Any, ...]) -> None:
    if event != "open" or _reader is None or not _is_reading(*args):
        return
    frame = sys._getframe(1)
    while frame is not None:
        project = _reader(str(frame.f_globals.get("__name__")))
        if project is not None:
            project.note(Path(os.path.abspath(os.fsdecode(args[0]))))
            return
        frame = frame.f_back  # type: ignore[assignment]


def _is_reading(path: Any, mode: Any, flags: Any) -> bool:
    if not isinstance(path, str | bytes | os.PathLike):
        return False  # a descriptor
    if isinstance(mode, str):
        return not set(mode) & set("wax+")
    return not (isinstance(flags, int) and flags & WRITING)


def differ(kept: Mapping[Path, bytes]) -> bool:
    """Whether some kept data is missing at its path, or is something else by now."""
    return any(_content(path) != content for path, content in kept.items() if is_data(path))


def laid_out(kept: Mapping[Path, bytes]) -> Callable[[Path], Path]:
    """Write kept data into a folder of this process, as it lay among the files around it.

    Returns:
        where a kept file would lie in there: what its `__file__` has to say for the data beside it
        to be found.
    """
    top = Path(os.path.commonpath([path.parent for path in kept]))
    folder = _folder(frozenset(kept.items()))
    for path, content in kept.items():
        place = folder / path.relative_to(top)
        place.parent.mkdir(parents=True, exist_ok=True)
        if is_data(path):
            place.write_bytes(content)
    return lambda path: folder / path.relative_to(top) if path in kept else path


@cache
def _folder(kept: Iterable[tuple[Path, bytes]]) -> Path:
    """A folder that goes with this process; those of processes that were killed go now."""
    for left in Path(tempfile.gettempdir()).glob(f"{LAID_OUT}*"):
        with suppress(OSError):  # somebody else's
            if time.time() - left.stat().st_mtime < YOUNG_S:
                continue
            owner = _locked(left)
            shutil.rmtree(left, ignore_errors=True)
            os.close(owner)
    folder = Path(tempfile.mkdtemp(prefix=LAID_OUT))
    _held.append(_locked(folder))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _locked(folder: Path) -> int:
    """The folder, open and locked for as long as this process lives, however it ends.

    Raises:
        OSError: it is not ours, or a process that lives has it.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        if os.fstat(descriptor).st_uid != os.getuid():
            raise PermissionError
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
