"""One driver at a time for a run directory: the lock is the directory itself, not a name in it.

The kernel holds the lock for as long as the driver lives, and gives it back however the driver
dies. Who removes or replaces the file `.lock` in the meantime changes nothing, and a directory that
was moved stays locked. `.lock` says who holds it; it is locked too, for the file systems (NFS) on
which a directory cannot be.
"""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from evoplastic.checks import UsageError
from evoplastic.inside import open_plain

LOCK_NAME = ".lock"
CANNOT_LOCK = (errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.EOPNOTSUPP)


class Occupied(UsageError):
    """Another driver is at work on a run."""


@dataclass
class DirectoryLock:
    """A lock that is held until `release`, or until the process dies."""

    _descriptors: list[int]

    @classmethod
    def take(cls, path: Path) -> DirectoryLock:
        """Lock a directory.

        Raises:
            Occupied: another process has it.
            UsageError: `.lock` is a link.
            OSError: the directory cannot be opened or written.
        """
        directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        lock = cls([directory])
        try:
            file = open_plain(path / LOCK_NAME, os.O_RDWR | os.O_CREAT)
            lock._descriptors.append(file)
            for descriptor in (directory, file):
                _lock(descriptor, path, file)
            os.ftruncate(file, 0)
            os.write(file, str(os.getpid()).encode())
        except BaseException:
            lock.release()
            raise
        return lock

    def release(self) -> None:
        """Let another driver have the directory."""
        while self._descriptors:
            os.close(self._descriptors.pop())


def _lock(descriptor: int, path: Path, file: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = ""
        with suppress(OSError):
            holder = os.pread(file, 32, 0).decode(errors="replace").strip()
        raise Occupied(
            f"another driver (process {holder or 'unknown'}) is at work on {path}; wait for it or "
            "stop it first"
        ) from error
    except OSError as error:
        if descriptor == file or error.errno not in CANNOT_LOCK:
            raise
