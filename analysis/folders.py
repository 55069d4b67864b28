"""A folder of runs, as a sweep leaves it, in place of the runs themselves."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis.store import RUNS, RunRecords, open_run
from evoplastic.checks import UsageError, require
from evoplastic.reading import parse_object, read_text
from evoplastic.records.names import JOURNAL_NAME, SWEEP_NAME

logger = logging.getLogger(__name__)

MOST_SWEEP_BYTES = 1 << 22


@dataclass(frozen=True)
class Found:
    """Runs that references lead to."""

    runs: tuple[RunRecords, ...]  # those that have evaluated a center
    keys: tuple[str, ...]  # swept ones, of a folder that says so
    left_out: tuple[str, ...]  # a sentence for each run without a number
    folder: Path | None  # the folder, where one was given and nothing else


def is_folder_of_runs(ref: str | Path) -> bool:
    """Whether a reference is a directory of runs, and no run."""
    return _folder(ref) is not None


def open_all(refs: Sequence[str | Path], tracking_uri: str | None = None) -> Found:
    """The records of every run that the references lead to; a folder leads to all runs in it.

    Args:
        refs: folders of runs, and what `open_run` takes. Runs that have evaluated no center yet
            are left out, with a sentence each.
        tracking_uri: MLflow store of runs that are given by id.

    Raises:
        UsageError: no such run; a corrupt one; none of the runs has a number.
        EnvironmentFault: the tracking store does not answer.
    """
    runs: list[RunRecords] = []
    keys: dict[str, None] = {}
    left_out: list[str] = []
    for ref in refs:
        folder = _folder(ref)
        if folder is None:  # a name that leads nowhere is a slip, a run that has just begun is none
            named = open_run(ref, tracking_uri)
            if _has_evaluated(named, left_out):
                runs.append(named)
            continue
        keys |= dict.fromkeys(_swept_keys(folder))
        found = [_of_folder(path, left_out) for path in _run_dirs(folder)]
        runs += [run for run in found if run is not None]
    require(
        len(runs) > 0,
        f"no run of {', '.join(map(str, refs))} has evaluated a center yet"
        + (f" ({'; '.join(left_out[:3])})" if left_out else "")
        + "; wait for a first evaluation, then ask again",
    )
    alone = _folder(refs[0]) if len(refs) == 1 else None
    return Found(tuple(runs), tuple(keys), tuple(left_out), alone)


def _of_folder(path: Path, left_out: list[str]) -> RunRecords | None:
    """The records of one of many runs; one that has just begun holds up nobody."""
    try:
        run = open_run(path)
    except UsageError as error:
        left_out.append(str(error))
        return None
    return run if _has_evaluated(run, left_out) else None


def _has_evaluated(run: RunRecords, left_out: list[str]) -> bool:
    if not run.evaluations:
        left_out.append(f"{run.directory} has evaluated no center yet")
    return len(run.evaluations) > 0


def _folder(ref: str | Path) -> Path | None:
    for place in (Path(ref), RUNS / ref):
        if place.is_dir():
            holds_runs = (place / SWEEP_NAME).is_file() or _run_dirs(place)
            return place if holds_runs and not (place / JOURNAL_NAME).exists() else None
    return None


def _run_dirs(folder: Path) -> list[Path]:
    return sorted(path.parent for path in folder.glob(f"*/{JOURNAL_NAME}"))


def _swept_keys(folder: Path) -> list[str]:
    """The keys of a sweep, in the order in which its runs are named by them."""
    file = folder / SWEEP_NAME
    if not file.is_file():
        return []
    try:
        keys = parse_object(read_text(file, "sweep file", MOST_SWEEP_BYTES), str(file))["keys"]
        require(isinstance(keys, list), f"{file}: keys is no list")
    except (UsageError, KeyError) as error:
        logger.warning("%s is damaged (%s); settings are named by what differs", file, error)
        return []
    return [str(key) for key in keys]
