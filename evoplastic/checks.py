"""One wording for every error at a boundary: what was expected, what came, what to do."""

from __future__ import annotations

import difflib
import errno
import operator
from collections.abc import Iterable

# For a dataclass that is a section of a configuration file: unknown keys are refused, docstrings
# explain the known.
SECTION: dict[str, str | bool] = {"extra": "forbid", "use_attribute_docstrings": True}


class UsageError(ValueError):
    """Something the user gave does not fit; the command line answers with exit code 2."""


class EnvironmentFault(RuntimeError):
    """The surroundings fail (no cluster, no permission, no disk); exit code 3."""


class Preempted(EnvironmentFault):
    """Room was taken away or has not come yet (a full cluster, a lost one); exit code 75.

    Nothing is wrong with what was asked for: the same command, run again later, goes on.
    """


def refused(error: OSError, message: str) -> UsageError | EnvironmentFault:
    """What to raise when a place named by the user cannot be used.

    A place that may not be written is a wrong choice (exit code 2); a full disk is a fault of the
    surroundings (exit code 3).

    >>> type(refused(PermissionError(errno.EACCES, "Permission denied"), "cannot write")).__name__
    'UsageError'
    """
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO)
    return EnvironmentFault(message) if full else UsageError(message)


def require(condition: bool, message: str) -> None:
    """Raise `UsageError(message)` unless the condition holds.

    Raises:
        UsageError: the condition is false.
    """
    if not condition:
        raise UsageError(message)


def whole_number(name: str, value: object, least: int | None = None) -> int:
    """The value as an integer: whole numbers of any library are, truth values and fractions not.

    >>> whole_number("lifetimes", 8, 1)
    8

    Raises:
        UsageError: no whole number, or one below the least.
    """
    try:
        number = None if isinstance(value, bool) else operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = None
    if number is None:
        raise UsageError(f"{name} is {value!r}, expected a whole number")
    if least is not None:
        require(number >= least, f"{name} is {number}, expected at least {least}")
    return number


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint naming the closest known word, or all of them when none is close.

    >>> nearest("dsm", ["and", "dms"])
    "did you mean 'dms'?"
    >>> nearest("zebra", ["and", "dms"])
    'known: and, dms'
    """
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(names)}"


def require_known(what: str, word: str, known: Iterable[str]) -> None:
    """Raise `UsageError` with the nearest name unless `word` is one of `known`.

    Raises:
        UsageError: `word` is unknown, or no text: files hold anything.
    """
    names = list(known)
    require(isinstance(word, str), f"{what} is {word!r}, expected one of {', '.join(names)}")
    if word not in names:  # the nearest of many takes a while to find
        raise UsageError(f"unknown {what} {word!r}; {nearest(word, names)}")
