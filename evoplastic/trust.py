"""Code runs only where its user named it: who may run a file that some other file refers to.

Suites and the configurations of runs name tasks as `my_task.py:MyTask`, and to use such a task is
to run the file; a plasticity rule `my_rule.py:RULE` is taken from the command line alone. The
command line puts a gate before that. A file passes if

- it was typed on the command line itself, or code that was typed imports it,
- it lies in the current project, and what refers to it is not the directory of a run,
- its content (SHA-256) was trusted before: by one of these rules, or by a yes,
- the user says so now: with `--trust`, or with a yes on a terminal.

Whatever passes is remembered by its content, in `trusted` below the user's state folder, so that a
run of one's own can be resumed for as long as its code stays as it was. A program that calls
this project's functions has no gate, and neither have Ray workers, whose driver had one.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from evoplastic.checks import UsageError

RUN_FILES = ("config.resolved.yaml", "journal.ndjson")  # a folder that holds one is a run's
CODE = re.compile(r"(.+\.py):\w+")


class Untrusted(UsageError):
    """Code that the user neither named nor trusts; nothing of it was run."""


class Gate:
    """What one command may run.

    Args:
        project: the folder of the current project.
        named: files typed on the command line.
        everything: whether --trust was given.
    """

    def __init__(self, project: Path, named: set[Path], *, everything: bool) -> None:
        self.project, self.named, self.everything = project, named, everything
        self.from_run = False  # whether what refers to code came with the directory of a run
        self.may_ask = True

    def admit(self, path: Path, content: bytes, importer: Path | None = None) -> None:
        """Return if the file may run, and remember it.

        Args:
            path: the file.
            content: what would run.
            importer: the file that was asked for and now imports this one, if any.

        Raises:
            Untrusted: it may not.
        """
        digest = _digest(content)
        real = Path(os.path.realpath(path))
        if digest in _remembered():
            return
        own = not self.from_run or _is_on_disk(path, content)  # else a run brought the text
        by_named = importer is not None and Path(os.path.realpath(importer)) in self.named
        passes = own and (real in self.named or by_named)
        passes = passes or (not self.from_run and self._is_ours(real))
        if not passes and self.everything:
            print(
                f"using the {_kind(path)} of {path} (SHA-256 {digest}), trusted now",
                file=sys.stderr,
            )
            passes = True
        if not passes and not self._asked(path, digest):
            raise Untrusted(
                f"{path} is {_kind(path)} (SHA-256 {digest}) that a file refers to and that you "
                "did not name; read it, then give --trust to use it from now on for as long as it "
                "stays as it is"
            )
        _remember(digest, real)

    def _is_ours(self, path: Path) -> bool:
        """Whether a file lies in the project; the directory of a run in it is none of it."""
        home = Path(os.path.realpath(Path.home()))
        if home.is_relative_to(self.project):  # a home is no project: downloads lie in it
            return path.parent == Path.cwd()
        return path.is_relative_to(self.project) and not any(
            (folder / name).exists()
            for folder in path.parents
            if folder.is_relative_to(self.project)
            for name in RUN_FILES
        )

    def _asked(self, path: Path, digest: str) -> bool:
        if not (self.may_ask and sys.stdin and sys.stdin.isatty() and sys.stderr.isatty()):
            return False
        print(f"A file refers to the {_kind(path)} of {path} (SHA-256 {digest}).", file=sys.stderr)
        print("Run it now, and whenever it is the same? [y/N] ", end="", file=sys.stderr)
        sys.stderr.flush()
        return sys.stdin.readline().strip().lower() in ("y", "yes")


def _digest(content: bytes) -> str:
    import hashlib  # here, so that `--help` need not wait for it

    return hashlib.sha256(content).hexdigest()


def _kind(path: Path) -> str:
    return "code" if path.suffix == ".py" else "data"


def _is_on_disk(path: Path, content: bytes) -> bool:
    """Whether a text is what lies at its path, not what a run kept of it."""
    try:
        return path.read_bytes() == content
    except OSError:
        return False


_gate: Gate | None = None


def admit(path: Path, content: bytes, importer: Path | None = None) -> None:
    """Return if the content of a file may run; without a gate, everything may.

    Args:
        path: the file.
        content: what would run.
        importer: the file that was asked for and now imports this one, if any.

    Raises:
        Untrusted: it may not.
    """
    if _gate is not None:
        _gate.admit(path, content, importer)


def vouch(path: Path, content: bytes) -> None:
    """Remember data that admitted code has read from its own place: it may stand in for it later.

    What a run kept of it is data that somebody else may have put there, a pickle for instance.
    """
    if _gate is not None:
        _remember(_digest(content), Path(os.path.realpath(path)))


def gate() -> Gate | None:
    """The gate of the command that runs, if any."""
    return _gate


def set_from_run() -> None:
    """From here on, what refers to code comes from the directory of a run."""
    if _gate is not None:
        _gate.from_run = True


def never_ask() -> None:
    """From here on, code that is not trusted is not offered either."""
    if _gate is not None:
        _gate.may_ask = False


@contextmanager
def gate_of(args: dict[str, Any]) -> Iterator[None]:
    """Put the gate of a command before all code inside the block.

    Args:
        args: the parsed command line, by the names of its arguments.
    """
    global _gate
    words = [
        word.partition("=")[2] if name == "overrides" else word
        for name, value in args.items()
        for word in (value if isinstance(value, list) else [value])
        if isinstance(word, str)
    ]
    named = {Path(os.path.realpath(found[1])) for word in words if (found := CODE.fullmatch(word))}
    before = _gate
    _gate = Gate(project_folder(), named, everything=bool(args.get("trust")))
    try:
        yield
    finally:
        _gate = before


def project_folder() -> Path:
    """The work tree of Git or the Python project that one works in, else the working directory."""
    here = Path(os.path.realpath(Path.cwd()))
    for folder in (here, *here.parents):
        if (folder / ".git").exists() or (folder / "pyproject.toml").exists():
            return folder
    return here


def trusted_file() -> Path:
    """Where digests are remembered, one in a line with the path it had."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "evoplastic" / "trusted"


def _remembered() -> set[str]:
    try:
        lines = trusted_file().read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return set()
    return {line.split(" ", 1)[0] for line in lines}


def _remember(digest: str, path: Path) -> None:
    file = trusted_file()
    line = f"{digest} {str(path)!r}\n".encode()
    with suppress(OSError):  # a home that may not be written: the question comes again
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)
