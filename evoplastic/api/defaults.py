"""What holds where nobody says otherwise: settings, seed, where runs lie. Imports nothing heavy."""

from __future__ import annotations

from itertools import count
from pathlib import Path

from evoplastic.checks import refused

DEFAULT_CONFIG = "miconi2023"
EVALUATION_SEED = 1_000_003  # far from the small numbers that runs are seeded with
RUNS = Path("runs")


def new_run_dir(stem: str) -> Path:
    """Make the first directory runs/STEM-NNN that nobody has; two processes never get the same.

    Raises:
        UsageError: it may not be made here.
        EnvironmentFault: the disk is full.
    """
    try:
        RUNS.mkdir(exist_ok=True)
        for number in count(1):
            path = RUNS / f"{stem}-{number:03d}"
            try:
                path.mkdir()
            except FileExistsError:
                continue
            return path
    except OSError as error:
        raise refused(
            error,
            f"cannot make a run directory in {RUNS.absolute()}: {error.strerror}; choose another "
            "place with --run-dir",
        ) from error
    raise AssertionError("counting does not end")
