"""The journal: an append-only file of what happened, and the truth that every sink is fed from.

An event is on disk, whole, before `append` returns. A generation done twice (a driver was killed
between journal and checkpoint) is recorded once, with its first timestamp: recomputing gives the
same numbers, and a tracking store that has seen a point recognises it by its timestamp.
"""

from __future__ import annotations

import logging
import os
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from evoplastic.chain import Chain
from evoplastic.checks import EnvironmentFault, require
from evoplastic.inside import open_plain
from evoplastic.records.events import EvaluationEvent, Event, GenerationEvent, from_line, to_line

logger = logging.getLogger(__name__)


def now_ms() -> int:
    """Milliseconds since the epoch, the journal's unit of time."""
    return time.time_ns() // 1_000_000


def read_journal(path: Path, offset: int = 0, most: int | None = None) -> tuple[list[Event], int]:
    """Events from a byte offset on, and the offset after the last one.

    A last line without a line feed is still being written, or was torn by a crash; it is left.

    Args:
        path: the journal.
        offset: byte at which a line begins; from 0 on, the running digest is checked too.
        most: number of events to stop after; none means all.

    Raises:
        UsageError: no journal, or a whole line that holds no event, or that is not the one that was
            written there (naming file and line).
    """
    events, offset, _ = _read(path, offset, most)
    return events, offset


def _read(path: Path, offset: int, most: int | None) -> tuple[list[Event], int, Chain]:
    require(path.is_file(), f"no journal at {path}; give the directory of a run")
    with path.open("rb") as file:
        file.seek(offset)
        content = file.read()
    lines = content[: content.rfind(b"\n") + 1].split(b"\n")[:-1][:most]
    events, chain = [], Chain()
    for number, line in enumerate(lines, start=1):
        where = f"{path}, line {number} from byte {offset}"
        events.append(from_line(line.decode(errors="replace"), where))
        if offset == 0:
            chain.follow(line, where)
    return events, offset + sum(len(line) + 1 for line in lines), chain


class Journal:
    """An open journal; one writer at a time (the run directory's lock sees to it)."""

    def __init__(self, path: Path, events: list[Event], chain: Chain, file_descriptor: int) -> None:
        self.path = path
        self._chain = chain
        self._file = file_descriptor
        self._recorded = {_identity(event) for event in events} - {None}
        self.events_at_opening = events

    @classmethod
    def open(cls, path: Path) -> Journal:
        """Open or create a journal; a last line torn by a crash is cut off.

        Raises:
            UsageError: a whole line holds no event, or the journal is a link.
            EnvironmentFault: the file cannot be opened for writing.
        """
        events: list[Event] = []
        chain = Chain()
        try:
            if path.is_file() and not path.is_symlink():
                events, length, chain = _read(path, 0, None)
                torn = path.stat().st_size - length
                if torn:
                    logger.warning("%s ended in a torn line of %d bytes; cut off", path, torn)
                    os.truncate(path, length)
            descriptor = open_plain(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        except OSError as error:
            raise _fault(path, error) from error
        return cls(path, events, chain, descriptor)

    def append(self, event: Event) -> bool:
        """Put an event on disk; False when this generation's event is there already.

        Raises:
            EnvironmentFault: no space or no permission; the journal is then as before.
        """
        identity = _identity(event)
        if identity is not None and identity in self._recorded:
            return False
        line = self._chain.seal(to_line(event).encode())
        content = line + b"\n"
        length = os.fstat(self._file).st_size
        try:
            while content:
                content = content[os.write(self._file, content) :]
            os.fsync(self._file)
        except OSError as error:
            with suppress(OSError):
                os.ftruncate(self._file, length)
            raise _fault(self.path, error) from error
        self._chain.follow(line, str(self.path))
        if identity is not None:
            self._recorded.add(identity)
        return True

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _identity(event: Event) -> tuple[str, int] | None:
    if isinstance(event, GenerationEvent | EvaluationEvent):
        return event.event, event.generation
    return None


def _fault(path: Path, error: OSError) -> EnvironmentFault:
    return EnvironmentFault(
        f"cannot write the journal {path}: {error.strerror or error}; make room or check the "
        "permissions, then resume the run"
    )
