"""Recordings kept as files: labelled arrays in NetCDF, which xarray, MATLAB and R read.

Files are of the classic format with 64-bit offsets, which needs no library beside SciPy:

    import xarray as xr
    inside = xr.open_dataset("inside.nc")
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evoplastic.api.defaults import EVALUATION_SEED
from evoplastic.api.running import Planned, planned
from evoplastic.checks import refused, require

if TYPE_CHECKING:
    import xarray as xr

    from evoplastic.genome.genome import Genome

SUFFIX = ".nc"
LARGEST_ARRAY = 2**31 - 4  # bytes; the format keeps the size of an array in 32 bits


def record(
    genome: str | Path | Genome,
    out: str | Path,
    task: str | None = None,
    lifetimes: int = 32,
    fields: str | Sequence[str] = ("rate", "mod", "choice"),
    trials: Sequence[int] | slice | None = None,
    *,
    seed: int = EVALUATION_SEED,
    plastic: bool = True,
    config: str | Path | None = None,
    engine: str | None = None,
    store: str | None = None,
    **settings: Any,
) -> xr.Dataset:
    """Run lifetimes as `run` does and keep them in a file, as `evoplastic record` does.

    Args:
        genome: a genome, or a reference to one, see `load`.
        out: NetCDF file to write, replaced if it is there.
        task: its name; none means the first held-out task.
        lifetimes: how many.
        fields: any of rate, mod, choice, p, elig.
        trials: numbers from 0 on (negative: from the end), or a slice; none means all.
        seed: root of trials and perturbations.
        plastic: False runs with alpha = 0.
        config: recipe or file, see `run`.
        engine: none means that of the configuration.
        store: MLflow tracking URI to look the genome up in.
        settings: of the configuration, as in `lifetime={"num_trials": 200}`.

    Returns:
        What the file holds, see `run`.

    Raises:
        UsageError: as `run`; a file that may not be written there, or that would not fit.
        EnvironmentFault: the disk is full; nothing half-written stays.
    """
    plan = planned(
        genome,
        task,
        lifetimes,
        fields,
        trials,
        seed=seed,
        plastic=plastic,
        config=config,
        engine=engine,
        store=store,
        settings=settings,
    )
    require_file(plan, Path(out))
    inside = plan.carry_out()
    write_recording(inside, Path(out))
    return inside


def require_file(plan: Planned, out: Path) -> None:
    """Refuse a file that cannot be written or would not fit, before anything is run.

    Raises:
        UsageError: another suffix, a folder that cannot be made or may not be written, an array
            larger than the format takes, a disk with less room.
    """
    require(
        out.suffix == SUFFIX,
        f"recordings are NetCDF files, {str(out)!r} is named otherwise; use {out.stem}{SUFFIX}",
    )
    folder = out.absolute().parent
    require(not out.is_dir(), f"{out} is a folder; give a file to write")
    there = next(each for each in (folder, *folder.parents) if each.exists())
    require(there.is_dir(), f"{there} is a file, so no folder can be made in it; choose another")
    require(
        os.access(there, os.W_OK | os.X_OK),
        f"cannot write to {there}: no permission; choose another file",
    )
    for name, shape in plan.shapes.items():
        size = 4
        for length in shape:
            size *= length
        require(
            size <= LARGEST_ARRAY,
            f"{name} ({' x '.join(map(str, shape))}) takes {size / 2**30:.1f} GiB, an array of "
            "such a file holds 2 GiB; record fewer trials or lifetimes, or in several files",
        )
    room = shutil.disk_usage(there).free
    require(
        plan.num_bytes <= room,
        f"the recording takes {plan.num_bytes / 2**30:.1f} GiB, {room / 2**30:.1f} GiB are free in "
        f"{there}; record fewer trials or lifetimes, or choose another disk",
    )


def write_recording(inside: xr.Dataset, out: Path) -> None:
    """Write a recording, whole or not at all; its folder is made.

    Raises:
        UsageError: the file may not be written.
        EnvironmentFault: the disk is full.
    """
    temporary = out.with_name(f".{out.name}.{secrets.token_hex(8)}.tmp")
    try:
        out.absolute().parent.mkdir(parents=True, exist_ok=True)
        inside.to_netcdf(temporary, engine="scipy", format="NETCDF3_64BIT")
        os.replace(temporary, out)
    except OSError as error:
        raise refused(
            error, f"cannot write {out}: {error.strerror or error}; choose another file"
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink()
