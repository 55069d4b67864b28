"""Recordings written as files: the arrays of `ep.run`, or nothing at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import evoplastic as ep
from evoplastic.api import recording
from evoplastic.checks import UsageError
from tests.cli.conftest import Command

SHORT = (
    "lifetime.num_trials=12",
    "lifetime.scored_trials=4",
    "lifetime.perturbation.quiet_trials=2",
    "rule.first_trial=2",
)
SETTINGS: dict[str, Any] = {
    "lifetime": {"num_trials": 12, "scored_trials": 4, "perturbation": {"quiet_trials": 2}},
    "rule": {"first_trial": 2},
}


def test_a_file_holds_what_run_gives(command: Command, genome_file: Path) -> None:
    answer = command(
        *("record", genome_file, "--task", "dms", "--lifetimes", 3, "--trials", "0-2,-1"),
        *("--fields", "rate,p,mod,elig,choice", "--out", "rec.nc", "--json", *SHORT),
    )
    report = answer.json
    assert "recording 3 lifetimes of dms, 4 of 12 trials: rate 3 x 4 x 50 x 16" in answer.err
    assert (report["trials"], report["fields"]["p"]) == ([0, 1, 2, 11], [3, 4, 9, 16])
    assert report["bytes"] == Path("rec.nc").stat().st_size
    fields = ("rate", "p", "mod", "elig", "choice")
    inside = ep.run(genome_file, "dms", 3, fields, [0, 1, 2, -1], **SETTINGS)
    with xr.open_dataset("rec.nc") as kept:
        for name in (*fields, "correct", "kind", "target_group", "time_ms"):
            np.testing.assert_array_equal(kept[name].values, inside[name].values)
            assert kept[name].dims == inside[name].dims
        assert kept.attrs["genome"] == inside.attrs["genome"]
        assert (kept.attrs["task"], kept.attrs["plasticity"]) == ("dms", "on")


def test_the_function_writes_the_same(tmp_path: Path, genome_file: Path) -> None:
    out = tmp_path / "new" / "folder" / "rec.nc"
    given = ep.record(genome_file, out, "dms", 2, "mod", [3], plastic=False, **SETTINGS)
    with xr.open_dataset(out) as kept:
        np.testing.assert_array_equal(kept["mod"].values, given["mod"].values)
        assert kept.attrs["plasticity"] == "off"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--out", "rec.h5"), "recordings are NetCDF files, 'rec.h5' is named otherwise"),
        (("--out", "{genome}/rec.nc"), "is a file, so no folder can be made in it"),
        (("--trials", "5-3"), "trials '5-3' are asked for, expected numbers and ranges"),
        (("--trials", "a"), "trials 'a' are asked for, expected numbers and ranges"),
        (("--trials", "0-12"), "trials [12] are asked for, a lifetime has trials 0 to 11"),
        (("--fields", "rate,q"), "unknown recorded quantity 'q'"),
        (("--lifetimes", "100000000"), "the recording takes"),
    ],
)
def test_what_cannot_be_recorded_is_refused_and_leaves_nothing(
    words: tuple[str, ...], message: str, command: Command, genome_file: Path
) -> None:
    before = sorted(Path().iterdir())
    words = tuple(word.format(genome=genome_file) for word in words)
    answer = command("record", genome_file, "--out", "rec.nc", *words, *SHORT)
    assert answer.code == 2
    assert message in answer.err
    assert sorted(Path().iterdir()) == before


def test_a_disk_without_room_and_arrays_that_are_too_large_are_refused(
    genome_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "rec.nc"
    monkeypatch.setattr(recording, "LARGEST_ARRAY", 1000)
    with pytest.raises(UsageError, match=r"rate \(1 x 12 x 50 x 16\) takes 0.0 GiB, an array"):
        ep.record(genome_file, out, "dms", 1, "rate", **SETTINGS)
    monkeypatch.undo()
    usage = recording.shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr("shutil.disk_usage", lambda folder: usage)
    with pytest.raises(UsageError, match=r"0.0 GiB are free in"):
        ep.record(genome_file, out, "dms", 1, "rate", **SETTINGS)
    assert not out.exists()


def test_an_interrupted_write_leaves_the_old_file(
    genome_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "rec.nc"
    ep.record(genome_file, out, "dms", 1, "mod", [0], **SETTINGS)
    before = out.read_bytes()

    def full(self: xr.Dataset, path: Path, **options: object) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(xr.Dataset, "to_netcdf", full)
    with pytest.raises(RuntimeError, match=r"cannot write .*No space left"):
        ep.record(genome_file, out, "dms", 1, "mod", [1], **SETTINGS)
    assert out.read_bytes() == before
    assert not list(tmp_path.glob(".*tmp"))
