"""What `evoplastic doctor` looks at; each check says what it found and what to do about it."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from importlib import metadata
from pathlib import Path
from typing import Literal, NamedTuple

from evoplastic.checks import UsageError
from evoplastic.cli.store import sqlite_path
from evoplastic.machine import usable_cores

ROOT = Path(__file__).resolve().parents[2]
NEEDED_BY = {
    "torch": "evoplastic",
    "numpy": "evoplastic",
    "numba": "evoplastic",
    "llvmlite": "evoplastic",
    "safetensors": "evoplastic",
    "evotorch": "evoplastic",
    "xarray": "evoplastic",
    "scipy": "evoplastic",
    "neurogym": "tasks",
    "PyYAML": "tasks",
    "pydantic": "cluster",
    "ray": "cluster",
    "mlflow": "cluster",
    "psutil": "cluster",
    "pyarrow": "cluster",
    "rich": "cluster",
    "matplotlib": "analysis",
    "pandas": "analysis",
    "jinja2": "analysis",
    "scikit-learn": "analysis",
    "threadpoolctl": "analysis",
}
FIRST_RAY_WITH_TOKENS = (2, 52)
PROBE_TIMEOUT_S = 3.0
LOCK_TIMEOUT_S = 1.0  # a run holds the lock for a fraction of that
LITTLE_MEMORY_GIB = 2.0
LITTLE_DISK_GIB = 1.0


class Finding(NamedTuple):
    """One thing looked at."""

    state: Literal["ok", "note", "broken"]
    what: str
    found: str
    advice: str = ""


def examine(store: str) -> list[Finding]:
    """Everything worth knowing before a run, cheapest first."""
    return [
        _python(),
        *_packages(),
        *_resources(),
        _folder(),
        *_engines(),
        *_ray(),
        _records(store),
    ]


def _python() -> Finding:
    found = ".".join(str(part) for part in sys.version_info[:3])
    if (3, 11) <= sys.version_info[:2] <= (3, 13):
        return Finding("ok", "python", found)
    return Finding("broken", "python", found, "use Python 3.11 to 3.13")


def _packages() -> Iterator[Finding]:
    tested = _tested_versions()
    for name, package in NEEDED_BY.items():
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            advice = f"needed by {package}/; run `make setup`"
            yield Finding("broken", name, "not installed", advice)
            continue
        expected = tested.get(name.lower())
        if expected is None or found.partition("+")[0] == expected:
            yield Finding("ok", name, found)
        else:
            yield Finding("note", name, found, f"tested with {expected}; `make setup` installs it")


def _tested_versions() -> dict[str, str]:
    """The pins of constraints.txt; none when the package was installed without its repository."""
    path = ROOT / "constraints.txt"
    if not path.is_file():
        return {}
    pins = re.findall(r"^([\w.-]+)==(\S+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {name.lower(): version for name, version in pins}


def _resources() -> Iterator[Finding]:
    yield Finding("ok", "cores", str(usable_cores()))
    try:
        import psutil
    except ImportError:
        pass  # already reported among the packages
    else:
        memory = psutil.virtual_memory()
        free_gib = memory.available / 2**30
        found = f"{free_gib:.1f} of {memory.total / 2**30:.1f} GiB free"
        if free_gib < LITTLE_MEMORY_GIB:
            yield Finding("note", "memory", found, "lower pairs_per_shard, or close other programs")
        else:
            yield Finding("ok", "memory", found)
    free_gib = shutil.disk_usage(".").free / 2**30
    if free_gib < LITTLE_DISK_GIB:
        advice = "make room: checkpoints and records go here"
        yield Finding("note", "disk", f"{free_gib:.1f} GiB free", advice)
    else:
        yield Finding("ok", "disk", f"{free_gib:.1f} GiB free")


def _folder() -> Finding:
    here = Path.cwd()
    try:
        with tempfile.TemporaryFile(dir=here):
            return Finding("ok", "folder", f"{here} is writable")
    except OSError as error:
        advice = "go to a folder of your own, or give --run-dir and tracking.uri"
        return Finding("broken", "folder", f"cannot write in {here}: {error.strerror}", advice)


def _engines() -> Iterator[Finding]:
    try:
        from evoplastic.engines import ENGINES, choose_engine
    except ImportError as error:
        yield Finding("broken", "engine", f"cannot be imported: {error}", "run `make setup`")
        return
    for name in ENGINES:
        try:
            chosen = choose_engine(name)
        except UsageError as error:
            yield Finding("note", f"engine {name}", "not available", str(error))
        else:
            found = "available" if chosen == name else f"means {chosen} here"
            yield Finding("ok", f"engine {name}", found)


def _ray() -> Iterator[Finding]:
    try:
        version = metadata.version("ray")
    except metadata.PackageNotFoundError:
        return  # already reported among the packages
    release = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    if release < FIRST_RAY_WITH_TOKENS:
        advice = "update: releases before 2.52 let any web page submit jobs (CVE-2025-62593)"
        yield Finding("broken", "ray security", version, advice)
    if os.environ.get("RAY_AUTH_MODE") == "token":
        yield Finding("ok", "ray authentication", "token")
    else:
        yield Finding(
            "note",
            "ray authentication",
            "RAY_AUTH_MODE is not set",
            "local runs make a token of their own; for a cluster set RAY_AUTH_MODE=token on every "
            "node, with one token (`ray get-auth-token --generate`)",
        )
    yield Finding(
        "note",
        "ray ports",
        "--workers listens on this machine alone; a cluster that you start listens as you say",
        "keep ports 6379, 8265 and 10001 of a cluster behind a firewall: who reaches them can run "
        "code",
    )


def _records(store: str) -> Finding:
    path = sqlite_path(store)
    if path is not None:
        return _sqlite(path)
    if not store.startswith(("http://", "https://")):
        return Finding("note", "records", store, "cannot be checked from here")
    advice = "start it, or name another with --store; a run goes on without, `sync` delivers later"
    try:
        with urllib.request.urlopen(f"{store.rstrip('/')}/health", timeout=PROBE_TIMEOUT_S):
            return Finding("ok", "records", f"{store} answers")
    except (OSError, ValueError, urllib.error.HTTPError) as error:
        return Finding("broken", "records", f"{store} does not answer: {error}", advice)


def _sqlite(path: Path) -> Finding:
    if not path.exists():
        if os.access(path.absolute().parent, os.W_OK):
            return Finding("ok", "records", f"{path} will be created by the first run")
        advice = "choose a folder that exists and is writable"
        return Finding("broken", "records", f"{path} cannot be created", advice)
    try:
        uri = f"{path.absolute().as_uri()}?mode=rw"
        with closing(sqlite3.connect(uri, uri=True, timeout=LOCK_TIMEOUT_S)) as connection:
            tables = connection.execute("select count(*) from sqlite_master").fetchone()[0]
            connection.execute("begin immediate").close()
            connection.rollback()
    except sqlite3.Error as error:
        advice = "close what locks it, mend its permissions, or name another with --store"
        return Finding("broken", "records", f"{path}: {error}", advice)
    return Finding("ok", "records", f"{path}, {tables} tables and indices")
