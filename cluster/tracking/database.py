"""MLflow's SQLite database comes into being whole or not at all.

MLflow makes some thirty tables one after the other, for a second or two, in the place where they
stay. A process that is killed meanwhile, or a disk that is full, leaves a database that MLflow
itself can neither use nor mend. Here it is made under another name and then moved into its place;
one that somebody else left half-made holds no experiment and no run, and is put aside.
"""

from __future__ import annotations

import fcntl
import logging
import os
import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

logger = logging.getLogger(__name__)

SETTLED_S = 3.0  # nobody writes tables into a database that was not touched for so long
LOCK_TIMEOUT_S = 5.0
COMPANIONS = ("", "-journal", "-wal", "-shm")


@contextmanager
def whole_database(file: Path, artifacts: str) -> Iterator[None]:
    """See to it that the database is there and whole; one process at a time is in the block.

    Args:
        file: the database.
        artifacts: URI of the folder in which MLflow keeps the files of its default experiment.

    Raises:
        OSError: the folder is missing, or may not be written.
        Exception: whatever MLflow raises, on a full disk for example; nothing is left behind then.
    """
    folder = os.open(file.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        for leftover in file.parent.glob(f".{file.name}.*.tmp*"):
            leftover.unlink(missing_ok=True)
        if is_half_made(file):
            _put_aside(file)
        if not file.exists():
            _make(file, artifacts)
        yield
    finally:
        os.close(folder)


def is_half_made(file: Path) -> bool:
    """Whether a database was begun by MLflow and never finished.

    While its last change is recent, somebody may be at it: that is waited for.
    """
    while _looks_half_made(file):
        age_s = time.time() - file.stat().st_mtime
        if not 0 <= age_s < SETTLED_S:
            return True
        time.sleep(min(0.2, SETTLED_S - age_s) + 0.01)
    return False


def _looks_half_made(file: Path) -> bool:
    """No table yet, or tables of MLflow without the experiment that it makes last."""
    if not file.is_file():
        return False
    try:
        with closing(sqlite3.connect(file, timeout=LOCK_TIMEOUT_S)) as connection:
            rows = connection.execute("select name from sqlite_master where type = 'table'")
            tables = {name for (name,) in rows}
            return not tables or (
                bool(tables & {"alembic_version", "experiments", "runs", "metrics"})
                and _is_empty(connection, tables, "experiments")
                and _is_empty(connection, tables, "runs")
            )
    except sqlite3.Error:  # another process is at it, or it is no database: MLflow will say
        return False


def _is_empty(connection: sqlite3.Connection, tables: set[str], table: str) -> bool:
    return table not in tables or not connection.execute(f"select 1 from {table}").fetchone()


def _put_aside(file: Path) -> None:
    aside = file.with_name(f"{file.name}.half-made-{secrets.token_hex(4)}")
    for companion in COMPANIONS:
        with suppress(FileNotFoundError):
            os.rename(f"{file}{companion}", f"{aside}{companion}")
    logger.warning(
        "the tracking store %s was left half-made and holds no run; it was moved to %s, and a new "
        "one takes its place",
        file,
        aside,
    )


def _make(file: Path, artifacts: str) -> None:
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    temporary = file.with_name(f".{file.name}.{secrets.token_hex(8)}.tmp")
    try:
        store = SqlAlchemyStore(f"sqlite:///{temporary}", artifacts)
        for engine in {store.engine, getattr(store, "read_engine", None)} - {None}:
            engine.dispose()
        _sync(temporary)
        with suppress(FileExistsError):  # a server that looks at no lock was quicker
            os.link(temporary, file)
        _sync(file.parent)
    finally:
        for companion in COMPANIONS:
            Path(f"{temporary}{companion}").unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
