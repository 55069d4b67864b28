"""A run directory: where everything of one run lies, and whose turn it is to write there."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cluster.environment import describe_environment
from cluster.lock import LOCK_NAME, DirectoryLock
from evoplastic.checks import UsageError, refused, require
from evoplastic.commands import command, quoted
from evoplastic.inside import require_inside, sweep
from evoplastic.reading import parse_object, read_text
from evoplastic.records.names import CONFIG_NAME, JOURNAL_NAME, SOURCES, START_NAME
from evoplastic.storage import write_atomically
from evoplastic.supervision import report

if TYPE_CHECKING:
    from evoplastic.genome.genome import Genome

logger = logging.getLogger(__name__)

ENVIRONMENT_NAME = "environment.json"
STATUS_NAME = "STATUS"
LONGEST_ID = 200
FOLDERS = ("checkpoints", "genomes", "figures")


class Taken(UsageError):
    """A directory that was to hold a new run holds one already."""


@dataclass
class RunDirectory:
    """An opened and locked run directory; `close` releases the lock (so does death)."""

    path: Path
    run_id: str
    _lock: DirectoryLock

    @classmethod
    def create(
        cls, path: Path, run_id: str, config_yaml: str, engine: str, start: Genome | None = None
    ) -> RunDirectory:
        """Make the directory of a new run; one that cannot be made whole leaves nothing behind.

        What a driver left behind that was killed before its configuration was written is taken
        over: no generation was run there. The genome of another run that this one begins with,
        `start`, is kept beside the configuration.

        Raises:
            Taken: the directory holds another run.
            UsageError: it holds other files, or may not be written.
            EnvironmentFault: the disk is full.
        """
        with _allowed(path), ExitStack() as undo:
            _require_free(path)
            is_new = not path.exists()
            path.mkdir(parents=True, exist_ok=True)
            if is_new:
                undo.callback(_remove_empty, path)
            lock_is_new = not (path / LOCK_NAME).exists()
            lock = DirectoryLock.take(path)
            undo.callback(lock.release)
            directory = cls(path, run_id, lock)
            _require_free(path)  # another driver may have come first before the lock was taken
            if lock_is_new:
                undo.callback((path / LOCK_NAME).unlink)
            directory._sweep()
            for folder in FOLDERS:
                (path / folder).mkdir(exist_ok=True)
                undo.callback(_remove_empty, path / folder)
            environment = {"run_id": run_id, "engine": engine, **describe_environment()}
            undo.callback((path / ENVIRONMENT_NAME).unlink, missing_ok=True)
            write_atomically(
                path / ENVIRONMENT_NAME,
                json.dumps(environment, indent=2, sort_keys=True).encode(),
            )
            if start is not None:
                undo.callback(directory.start.unlink, missing_ok=True)
                start.save(directory.start)
            write_atomically(directory.config, config_yaml.encode())
            undo.pop_all()
        report("directory", str(path))
        return directory

    @classmethod
    def open(cls, path: Path) -> RunDirectory:
        """Lock the directory of an existing run, to continue it.

        Raises:
            UsageError: no run there, one that may not be written or that leads out of its
                directory, or another driver is at work.
        """
        with _allowed(path), ExitStack() as undo:
            for name in (CONFIG_NAME, ENVIRONMENT_NAME):
                require(
                    (path / name).is_file(),
                    f"{path} is not a run directory: {name} is missing; give the directory that "
                    f"`evoplastic evolve` made{_if_dead(path)}",
                )
            require_inside(path)
            lock = DirectoryLock.take(path)
            undo.callback(lock.release)
            directory = cls(path, read_run_id(path), lock)
            directory._sweep()
            undo.pop_all()
        report("directory", str(path))
        return directory

    @property
    def journal(self) -> Path:
        """The journal file."""
        return self.path / JOURNAL_NAME

    @property
    def checkpoints(self) -> Path:
        """The folder of checkpoints."""
        return self.path / "checkpoints"

    @property
    def genomes(self) -> Path:
        """The folder of genomes."""
        return self.path / "genomes"

    @property
    def start(self) -> Path:
        """The genome of another run that this one began with, if it did."""
        return self.path / START_NAME

    @property
    def config(self) -> Path:
        """The resolved configuration."""
        return self.path / CONFIG_NAME

    def keep_config(self, config_yaml: str) -> None:
        """Write the resolved configuration where it differs from the one that lies there.

        Raises:
            EnvironmentFault: no space or no permission; the old one is untouched.
        """
        if self.config.read_text(encoding="utf-8") != config_yaml:
            write_atomically(self.config, config_yaml.encode())

    @property
    def status(self) -> str:
        """The word in STATUS; "" where there is none."""
        try:
            return (self.path / STATUS_NAME).read_text(errors="replace").strip()
        except OSError:
            return ""

    def set_status(self, status: str) -> None:
        """Write the one-word STATUS file: running, done, preempted, interrupted or failed."""
        write_atomically(self.path / STATUS_NAME, f"{status}\n".encode())

    def close(self) -> None:
        """Let another driver have the directory."""
        self._lock.release()

    def _sweep(self) -> None:
        """Remove half-written files of a driver that was killed."""
        for folder in (self.path, self.checkpoints, self.genomes, self.path / SOURCES):
            for leftover in sweep(folder):
                logger.info("removed %s, which a killed driver left half-written", leftover)


def holds_run(path: Path) -> bool:
    """Whether a run has begun in a directory."""
    return (path / CONFIG_NAME).exists() or (path / JOURNAL_NAME).exists()


def read_run_id(path: Path) -> str:
    """The id of the run in a directory.

    Raises:
        UsageError: environment.json is missing or damaged.
    """
    file = path / ENVIRONMENT_NAME
    try:
        run_id = parse_object(read_text(file, "file"), str(file))["run_id"]
    except (UsageError, KeyError) as error:
        raise UsageError(
            f"{file} is missing or corrupt ({error}); give the directory of a run"
        ) from error
    require(
        isinstance(run_id, str) and 0 < len(run_id) <= LONGEST_ID and run_id.isprintable(),
        f"{file} is missing or corrupt (run_id is {run_id!r:.80}); give the directory of a run",
    )
    return str(run_id)


@contextmanager
def _allowed(path: Path) -> Iterator[None]:
    """Say in our words what the file system refuses."""
    try:
        yield
    except OSError as error:
        raise refused(
            error,
            f"cannot use the run directory {path}: {error.strerror or error}; choose a --run-dir "
            "you may write to",
        ) from error


def _require_free(path: Path) -> None:
    if holds_run(path):
        raise Taken(
            f"{path} holds another run; continue it with `{command('resume', path)}` or choose "
            "another --run-dir"
        )
    require(
        not path.exists() or path.is_dir(),
        f"{path} is a file; choose a directory with --run-dir",
    )
    if path.is_dir():
        require_inside(path)
        require(_untouched(path), f"{path} is not empty; choose an empty or new --run-dir")


def _untouched(path: Path) -> bool:
    """Whether nothing is there but what a run makes before its configuration is written."""
    known = (LOCK_NAME, ENVIRONMENT_NAME, START_NAME, *FOLDERS)
    return all(entry.name in known or _is_leftover(entry) for entry in path.iterdir()) and not any(
        not _is_leftover(entry)
        for folder in FOLDERS
        if (path / folder).is_dir()
        for entry in (path / folder).iterdir()
    )


def _is_leftover(path: Path) -> bool:
    return path.name.startswith(".") and path.name.endswith(".tmp")


def _if_dead(path: Path) -> str:
    """What to do about a directory whose driver died first; "" for any other."""
    if not (path / LOCK_NAME).exists() or not _untouched(path):
        return ""
    return (
        "; its driver died before any generation was run: evolve anew with --run-dir "
        f"{quoted(str(path))}"
    )


def _remove_empty(path: Path) -> None:
    with suppress(OSError):  # not empty: somebody else put something there
        path.rmdir()
