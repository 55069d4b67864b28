"""Commands that are printed to be pasted: as this program is started here, quoted for a shell."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path

PROGRAM = "evoplastic"
ROOT = Path(__file__).resolve().parents[1]  # the folder that holds the package


def command(*words: object, anywhere: bool = False) -> str:
    """A command of this program, as a line for a shell.

    Args:
        words: verb, arguments and options; a path that begins with a dash is written `./-path`.
        anywhere: whether it will be pasted in other folders than this one; paths are made absolute.
    """
    written = [_path(word, anywhere) if isinstance(word, Path) else str(word) for word in words]
    return " ".join([_program(anywhere), *map(quoted, written)])


def own_program() -> list[str]:
    """The words that start this program as another process, whatever the current folder holds."""
    start = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); import evoplastic; del sys.path[0]; "
        f"sys.argv[0] = {PROGRAM!r}; from evoplastic.__main__ import run; run()"
    )
    return [sys.executable, "-P", "-c", start]


def quoted(word: str) -> str:
    """A word as a shell reads it back, whatever is in it.

    >>> quoted("plain-1.yaml"), quoted("a b"), quoted("lights[v=2]")
    ('plain-1.yaml', "'a b'", "'lights[v=2]'")

    What cannot be shown on this terminal is written as its bytes, the way of ksh and bash:

    >>> print(quoted("two\\nlines"))
    $'two\\012lines'
    """
    if word.isprintable() and _can_be_shown(word):
        return shlex.quote(word)
    return f"$'{''.join(map(_byte, os.fsencode(word)))}'"


def _byte(byte: int) -> str:
    return chr(byte) if 32 <= byte < 127 and byte not in b"'\\" else f"\\{byte:03o}"


def _can_be_shown(word: str) -> bool:
    try:
        word.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _path(path: Path, anywhere: bool) -> str:
    if anywhere:
        return str(path.absolute())
    return f"./{path}" if str(path).startswith("-") else str(path)


def _program(anywhere: bool) -> str:
    """The name where it is on the PATH, else the script beside Python, else the module."""
    script = Path(sys.executable).parent / PROGRAM
    found = shutil.which(PROGRAM)
    if found is not None and (not script.exists() or os.path.samefile(found, script)):
        return PROGRAM
    if not script.exists():
        return f"{quoted(sys.executable)} -m {PROGRAM}"
    here = Path.cwd()
    near = not anywhere and script.is_relative_to(here)
    return quoted(str(script.relative_to(here) if near else script))
