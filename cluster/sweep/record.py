"""What a sweep is, in a file beside its runs: who goes on with it, or reads it, finds it there.

Jobs of an array write it at once, on several machines: one after the other, and the later ones add
what the earlier ones lack.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evoplastic.checks import EnvironmentFault, UsageError, refused, require
from evoplastic.inside import open_plain
from evoplastic.reading import parse_object, read_text
from evoplastic.records.names import SWEEP_NAME
from evoplastic.storage import write_atomically

if TYPE_CHECKING:
    from cluster.sweep.plan import Plan

logger = logging.getLogger(__name__)

SCHEMA = "evoplastic/sweep/1"
LOCK_NAME = ".sweep-lock"
MOST_BYTES = 1 << 22
LOCK_TIMEOUT_S = 120.0
LOOK_S = 0.05


@dataclass(kw_only=True)
class SweepRecord:
    """A sweep as its file tells it."""

    sweep_id: str
    name: str  # of the recipe
    recipe: str  # as it was typed
    keys: list[str]  # the swept ones, in the order of the names
    base: dict[str, Any]  # settings that all runs share
    runs: dict[str, list[str]] = field(default_factory=dict)  # name -> value of each key
    schema: str = SCHEMA


def read_record(root: Path) -> SweepRecord | None:
    """The sweep in a directory; None where there is none.

    Raises:
        UsageError: the file is damaged, or of another version.
    """
    file = root / SWEEP_NAME
    if not file.exists():
        return None
    values = parse_object(read_text(file, "sweep file", MOST_BYTES), f"sweep file {file}")
    require(
        values.get("schema") == SCHEMA,
        f"{file} is of schema {values.get('schema')!r}, expected {SCHEMA!r}; was it written by "
        "another version?",
    )
    try:
        record = SweepRecord(**values)
    except TypeError as error:
        raise UsageError(f"{file} is damaged ({error}); restore it from a copy") from error
    sound = (
        all(isinstance(word, str) for word in (record.sweep_id, record.name, record.recipe))
        and _is_words(record.keys)
        and isinstance(record.base, dict)
        and isinstance(record.runs, dict)
        and all(_is_words(texts) for texts in record.runs.values())
    )
    require(sound, f"{file} is damaged; restore it from a copy")
    return record


def keep_record(root: Path, plan: Plan, *, may_go_on: bool) -> SweepRecord:
    """Write down what the sweep is, or add to what is there the values that it lacks.

    Args:
        root: the directory of the sweep; made where it is not there.
        plan: the sweep as it was typed now.
        may_go_on: whether there may be a sweep already.

    Raises:
        UsageError: another sweep, or something else, is in the directory; or it may not be written.
        EnvironmentFault: the disk is full.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise refused(
            error, f"cannot make {root}: {error.strerror or error}; choose another --run-dir"
        ) from error
    with locked(root):
        before = read_record(root)
        if before is None:
            _require_free(root)
            record = _record(plan)
        else:
            require(
                may_go_on,
                f"{root} holds a sweep of {len(before.runs)} runs already; go on with it by "
                "--continue, or choose another --run-dir",
            )
            record = extended(before, plan, root)
        if record != before:
            content = json.dumps(asdict(record), indent=1)
            require(
                len(content) <= MOST_BYTES,
                f"the sweep in {root} has become too large to be written down; begin another one",
            )
            write_atomically(root / SWEEP_NAME, content.encode())
    return record


def extended(before: SweepRecord, plan: Plan, root: Path) -> SweepRecord:
    """The sweep with the runs of a plan; what it had stays.

    Raises:
        UsageError: other keys are swept, or other settings are shared.
    """
    require(
        list(plan.keys) == before.keys,
        f"the sweep in {root} is over {', '.join(before.keys)}, this command is over "
        f"{', '.join(plan.keys)}; values may be added to a sweep, keys may not: name the same keys "
        "in the same order, or begin another sweep with another --run-dir",
    )
    after = plan.base
    shared = {key: value for key, value in before.base.items() if key in after}
    differing = [
        f"{key}: {value!r} -> {after[key]!r}"
        for key, value in shared.items()
        if after[key] != value
    ]
    require(
        not differing,
        f"the sweep in {root} has other settings: {'; '.join(differing)}; begin another sweep with "
        "another --run-dir, or give what this one began with",
    )
    return SweepRecord(
        sweep_id=before.sweep_id,
        name=before.name,
        recipe=before.recipe,
        keys=before.keys,
        base=shared,
        runs=before.runs | _runs(plan),
    )


def membership(run_dir: Path) -> tuple[SweepRecord, str] | None:
    """The sweep that a run directory belongs to, and the run's name in it."""
    absolute = run_dir.absolute()
    try:
        record = read_record(absolute.parent)
    except UsageError as error:
        logger.warning("%s; the run is delivered as one of its own", error)
        return None
    if record is None or absolute.name not in record.runs:
        return None
    return record, absolute.name


@contextmanager
def locked(root: Path, timeout_s: float = LOCK_TIMEOUT_S) -> Iterator[None]:
    """One process at a time is in the block, on every machine that sees the directory.

    Raises:
        UsageError: the directory may not be written.
        EnvironmentFault: another process keeps the lock for too long.
    """
    try:
        descriptor = open_plain(root / LOCK_NAME, os.O_RDWR | os.O_CREAT)
    except OSError as error:
        raise refused(
            error, f"cannot write in {root}: {error.strerror or error}; choose another --run-dir"
        ) from error
    try:
        deadline = time.monotonic() + timeout_s
        while not _take(descriptor):
            if time.monotonic() > deadline:
                raise EnvironmentFault(
                    f"another process has kept {root / LOCK_NAME} locked for {timeout_s:.0f} s; "
                    "is one stopped, or the file system without locks?"
                )
            time.sleep(LOOK_S)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def _record(plan: Plan) -> SweepRecord:
    return SweepRecord(
        sweep_id=f"{plan.name}-{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(4)}",
        name=plan.name,
        recipe=plan.source,
        keys=list(plan.keys),
        base=plan.base,
        runs=_runs(plan),
    )


def _runs(plan: Plan) -> dict[str, list[str]]:
    return {run.name: list(run.texts) for run in plan.runs}


def _require_free(root: Path) -> None:
    others = [entry.name for entry in root.iterdir() if not entry.name.startswith(".")]
    require(
        not others,
        f"{root} is not empty ({', '.join(sorted(others)[:3])}) and holds no sweep; choose an "
        "empty or new --run-dir",
    )


def _is_words(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(word, str) for word in value)
