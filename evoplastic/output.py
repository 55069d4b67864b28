"""What a command prints: shown as it is, never obeyed by a terminal, and never the end of a run.

Words from files (a suite's name, where a genome came from) may hold control sequences. Everything
printed goes through a stream that writes them out, as in `\\x1b`; only what Rich itself draws goes
past it. A reader that goes away, a full disk or a closed stream loses the printing from there on,
and nothing else.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO, cast

# All of C0 but tab and line feed, DEL, all of C1, and what turns the direction of writing.
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def shown(text: str) -> str:
    r"""The text with its control characters written out.

    >>> shown("a\x1b[31mb\tc\n")
    'a\\x1b[31mb\tc\n'
    """
    return CONTROL.sub(lambda found: repr(found.group())[1:-1], text)


class Output:
    """A text stream that never raises.

    Args:
        stream: where the text goes.
        literal: whether control characters are written out.
    """

    def __init__(self, stream: TextIO, *, literal: bool = True) -> None:
        self._stream, self._literal = stream, literal
        self._errors: list[BaseException] = []

    @property
    def lost(self) -> BaseException | None:
        """Why nothing is written any more; None as long as all is well."""
        return self._errors[0] if self._errors else None

    @property
    def styled(self) -> Output:
        """The same stream for what is drawn by us, colours included."""
        other = Output(self._stream, literal=False)
        other._errors = self._errors
        return other

    def write(self, text: str) -> int:
        """Write the text, as far as somebody takes it; the number of its characters."""
        content = shown(text) if self._literal else text
        if self.lost is None:
            try:
                self._stream.write(_encodable(content, self._stream))
            except (OSError, ValueError) as error:
                self._give_up(error)
        return len(text)

    def flush(self) -> None:
        """Pass on what is still here."""
        if self.lost is None:
            try:
                self._stream.flush()
            except (OSError, ValueError) as error:
                self._give_up(error)

    def __getattr__(self, name: str) -> Any:
        """Everything else is the stream's own: `isatty`, `encoding`, `fileno`."""
        return getattr(self._stream, name)

    def _give_up(self, error: BaseException) -> None:
        """Send what the buffers still hold nowhere: at exit, nothing must fail on it."""
        self._errors.append(error)
        with suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)


@contextmanager
def guarded() -> Iterator[Output]:
    """Print through `Output` inside the block; it is stdout."""
    _open_missing()
    before = sys.stdout, sys.stderr
    out, err = (Output(stream or _nowhere()) for stream in before)
    sys.stdout, sys.stderr = cast(TextIO, out), cast(TextIO, err)
    try:
        yield out
    finally:
        out.flush()
        err.flush()
        sys.stdout, sys.stderr = before


def styled(stream: TextIO) -> TextIO:
    """The way past the guard for what we draw ourselves; a plain stream is its own."""
    return cast(TextIO, stream.styled) if isinstance(stream, Output) else stream


def _open_missing() -> None:
    """Give the three standard descriptors a place, lest a run's files get their numbers."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def _nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")  # lives as long as the process


def _encodable(text: str, stream: TextIO) -> str:
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)
