"""A run directory: where everything of one run lies, and whose turn it is to write there."""

from __future__ import annotations

import fcntl
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from evoplastic.checks import UsageError, refused, require
from evoplastic.records import CONFIG_NAME, JOURNAL_NAME
from evoplastic.storage import write_atomically

ENVIRONMENT_NAME = "environment.json"
LOCK_NAME = ".lock"
FOLDERS = ("checkpoints", "genomes", "figures")
RECORDED_PACKAGES = (
    "evoplastic",
    "torch",
    "numpy",
    "numba",
    "evotorch",
    "ray",
    "mlflow",
    "neurogym",
)


@dataclass
class RunDirectory:
    """An opened and locked run directory; `close` releases the lock (so does death)."""

    path: Path
    run_id: str
    _lock: int

    @classmethod
    def create(cls, path: Path, run_id: str, config_yaml: str, engine: str) -> RunDirectory:
        """Make the directory of a new run; one that cannot be made whole leaves nothing behind.

        Raises:
            UsageError: the directory holds another run or other files, or may not be written.
            EnvironmentFault: the disk is full.
        """
        with _allowed(path), ExitStack() as undo:
            _require_free(path)
            is_new = not path.exists()
            path.mkdir(parents=True, exist_ok=True)
            if is_new:
                undo.callback(_remove_empty, path)
            lock_is_new = not (path / LOCK_NAME).exists()
            lock = _lock(path)
            undo.callback(os.close, lock)
            directory = cls(path, run_id, lock)
            # Another driver may have come first between the look above and the lock.
            require(not directory.config.exists(), f"{path} holds another run since a moment ago")
            if lock_is_new:
                undo.callback((path / LOCK_NAME).unlink)
            for folder in FOLDERS:
                (path / folder).mkdir(exist_ok=True)
                undo.callback(_remove_empty, path / folder)
            environment = {"run_id": run_id, "engine": engine, **describe_environment()}
            undo.callback((path / ENVIRONMENT_NAME).unlink, missing_ok=True)
            write_atomically(
                path / ENVIRONMENT_NAME,
                json.dumps(environment, indent=2, sort_keys=True).encode(),
            )
            write_atomically(directory.config, config_yaml.encode())
            undo.pop_all()
        return directory

    @classmethod
    def open(cls, path: Path) -> RunDirectory:
        """Lock the directory of an existing run, to continue it.

        Raises:
            UsageError: no run there, one that may not be written, or another driver is at work.
        """
        with _allowed(path):
            for name in (CONFIG_NAME, ENVIRONMENT_NAME):
                require(
                    (path / name).is_file(),
                    f"{path} is not a run directory: {name} is missing; give the directory that "
                    "`evoplastic evolve` made",
                )
        return cls(path, read_run_id(path), _lock(path))

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

    def set_status(self, status: str) -> None:
        """Write the one-word STATUS file: running, done, preempted, interrupted or failed."""
        write_atomically(self.path / "STATUS", f"{status}\n".encode())

    def close(self) -> None:
        """Let another driver have the directory."""
        os.close(self._lock)


def read_run_id(path: Path) -> str:
    """The id of the run in a directory.

    Raises:
        UsageError: environment.json is missing or damaged.
    """
    file = path / ENVIRONMENT_NAME
    try:
        return str(json.loads(file.read_text())["run_id"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{file} is missing or corrupt ({error}); give the directory of a run"
        ) from error


def describe_environment() -> dict[str, Any]:
    """Versions, platform and source commit: what reproducing a run needs besides its config."""
    packages = {}
    for package in RECORDED_PACKAGES:
        try:
            packages[package] = version(package)
        except PackageNotFoundError:
            packages[package] = "absent"
    commit, dirty = git_commit()
    return {
        "python": platform.python_version(),
        "packages": packages,
        "platform": platform.platform(),
        "cores": os.cpu_count(),
        "git_commit": commit,
        "git_dirty": dirty,
        "command": sys.argv,
    }


def git_commit() -> tuple[str, bool]:
    """Commit of the source tree and whether it was changed since; ("", False) outside git."""
    source = Path(__file__).resolve().parent.parent
    if not (source / ".git").exists():
        return "", False
    try:
        commit, changes = (
            subprocess.run(
                ["git", "-C", str(source), *command],
                capture_output=True,
                text=True,
                timeout=10,
                check=True,
            ).stdout.strip()
            for command in (["rev-parse", "HEAD"], ["status", "--porcelain", "-uno"])
        )
    except (OSError, subprocess.SubprocessError):
        return "", False
    return commit, bool(changes)


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
    require(
        not (path / CONFIG_NAME).exists() and not (path / JOURNAL_NAME).exists(),
        f"{path} holds another run; continue it with `evoplastic resume {path}` or choose "
        "another --run-dir",
    )
    require(
        not path.exists() or path.is_dir(),
        f"{path} is a file; choose a directory with --run-dir",
    )
    occupied = path.is_dir() and any(entry.name != LOCK_NAME for entry in path.iterdir())
    require(not occupied, f"{path} is not empty; choose an empty or new --run-dir")


def _remove_empty(path: Path) -> None:
    with suppress(OSError):  # not empty: somebody else put something there
        path.rmdir()


def _lock(path: Path) -> int:
    """Take the directory's lock; the kernel releases it when the process dies, however it dies."""
    with _allowed(path):
        descriptor = os.open(path / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.read(descriptor, 32).decode(errors="replace").strip()
        os.close(descriptor)
        raise UsageError(
            f"another driver (process {holder or 'unknown'}) is at work on {path}; wait for it or "
            "stop it first"
        ) from error
    os.ftruncate(descriptor, 0)
    os.write(descriptor, str(os.getpid()).encode())
    return descriptor
