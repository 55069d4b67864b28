"""A run directory may come from somebody else: nothing in it leads out of it.

What is read, written, deleted or sent by its name in a run directory is that file, and not what a
symbolic link makes of the name. Pipes, sockets and devices are no part of a run either: to open one
is to wait, or worse.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from evoplastic.checks import UsageError, require

MOST_ENTRIES = 100_000  # of a run directory


def require_inside(directory: Path) -> None:
    """Raise unless all that lies in a directory is a file or folder of its own.

    A link to another place in the directory is as good as that place. The directory itself may be
    reached by a link: its user named it.

    Raises:
        UsageError: naming what leads out, or is neither file nor folder.
    """
    root = Path(os.path.realpath(directory))
    for number, entry in enumerate(_entries(root)):
        require(
            number < MOST_ENTRIES,
            f"{directory} holds more than {MOST_ENTRIES} files; give the directory of one run",
        )
        if entry.is_symlink():
            target = Path(os.path.realpath(entry.path))
            require(
                target.is_relative_to(root),
                f"{entry.path} is a link to {target}, out of the run directory; put what it means "
                "in its place, or remove it",
            )
            continue
        mode = entry.stat(follow_symlinks=False).st_mode
        require(
            stat.S_ISREG(mode) or stat.S_ISDIR(mode),
            f"{entry.path} is neither a file nor a folder; remove it",
        )


def is_inside(file: Path, directory: Path) -> bool:
    """Whether a name in a directory means a plain file in that directory."""
    target = Path(os.path.realpath(file))
    return target.is_relative_to(os.path.realpath(directory)) and target.is_file()


def sweep(folder: Path) -> list[Path]:
    """Remove what a writer that was killed left half-written (`.*.tmp`); the files removed.

    To be called by whoever alone may write there.
    """
    leftovers = [path for path in sorted(folder.glob(".*.tmp")) if not path.is_dir()]
    for path in leftovers:
        path.unlink(missing_ok=True)
    return leftovers


def open_plain(path: Path, flags: int) -> int:
    """Open a file of a run directory, made with the user's umask where it is new.

    Raises:
        UsageError: the name is a link.
        OSError: as `os.open`.
    """
    if path.is_symlink():
        raise UsageError(f"{path} is a link; put what it means in its place, or remove it")
    return os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Everything below a folder; links are not entered."""
    with os.scandir(folder) as entries:
        for entry in entries:
            yield entry
            if entry.is_dir(follow_symlinks=False):
                yield from _entries(Path(entry.path))
