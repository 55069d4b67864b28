from __future__ import annotations

import logging
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from cluster import checkpoint as checkpoints
from cluster.checkpoint import Checkpoint, CheckpointMeta, load_checkpoint
from evoplastic.checks import EnvironmentFault, UsageError


def state(number: int, size: int = 12) -> dict[str, torch.Tensor]:
    """A search state that differs from generation to generation in every entry."""
    generator = torch.Generator().manual_seed(number)
    center_G, m_G, v_G = torch.randn((3, size), generator=generator)
    return {"center_G": center_G, "m_G": m_G, "v_G": v_G, "t": torch.tensor(float(number))}


def meta(number: int) -> CheckpointMeta:
    return CheckpointMeta(run_id="run", config_digest="c0ffee", next_generation=number)


def save_checkpoint(
    directory: Path, tensors: dict[str, torch.Tensor], told: CheckpointMeta
) -> Path:
    checkpoint = Checkpoint(search="es", tensors=tensors, meta=told)
    return checkpoints.save_checkpoint(directory, checkpoint)


def assert_same(left: Checkpoint, right: dict[str, torch.Tensor]) -> None:
    assert set(left.tensors) == set(right)
    for name, ours in left.tensors.items():
        assert ours.dtype == right[name].dtype
        assert torch.equal(ours, right[name]), name


def test_a_checkpoint_comes_back_bit_for_bit(tmp_path: Path) -> None:
    saved = state(3)
    saved["center_G"][:3] = torch.tensor([-0.0, 1e-45, torch.finfo(torch.float32).max])
    path = save_checkpoint(tmp_path, saved, meta(3))
    assert path.suffix == ".safetensors"
    loaded = load_checkpoint(tmp_path)
    assert_same(loaded, saved)
    assert (loaded.search, loaded.meta) == ("es", meta(3))
    assert torch.equal(torch.signbit(loaded.tensors["center_G"]), torch.signbit(saved["center_G"]))


def test_the_newest_two_are_kept(tmp_path: Path) -> None:
    for number in (8, 9, 10, 11):
        save_checkpoint(tmp_path, state(number), meta(number))
        assert load_checkpoint(tmp_path).meta.next_generation == number
    assert [int(path.stem.partition("_")[2]) for path in sorted(tmp_path.iterdir())] == [10, 11]


def test_a_generation_told_again_replaces_its_checkpoint(tmp_path: Path) -> None:
    for number in (1, 2, 2):
        save_checkpoint(tmp_path, state(number), meta(number))
    assert len(list(tmp_path.iterdir())) == 2


def test_every_flipped_bit_is_noticed(tmp_path: Path) -> None:
    """One bit of each byte of the newest file; the one before is used every time."""
    save_checkpoint(tmp_path, state(1, size=3), meta(1))
    path = save_checkpoint(tmp_path, state(2, size=3), meta(2))
    whole = path.read_bytes()
    for place in range(len(whole)):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << (place % 8)
        path.write_bytes(flipped)
        loaded = load_checkpoint(tmp_path)
        assert loaded.meta == meta(1), f"byte {place} of {path}"
        assert_same(loaded, state(1, size=3))


@pytest.mark.parametrize("kept", [0.0, 0.01, 0.5, 0.99])
def test_a_truncated_newest_is_named_and_passed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, kept: float
) -> None:
    save_checkpoint(tmp_path, state(1), meta(1))
    path = save_checkpoint(tmp_path, state(2), meta(2))
    path.write_bytes(path.read_bytes()[: int(kept * path.stat().st_size)])
    assert load_checkpoint(tmp_path).meta == meta(1)
    warnings = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert str(path) in warnings[0]


def test_a_newest_full_of_zeros_is_passed_over(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, state(1), meta(1))
    path = save_checkpoint(tmp_path, state(2), meta(2))
    path.write_bytes(b"\0" * path.stat().st_size)
    assert load_checkpoint(tmp_path).meta == meta(1)


def test_no_whole_checkpoint_names_all_files(tmp_path: Path) -> None:
    paths = [save_checkpoint(tmp_path, state(number), meta(number)) for number in (1, 2)]
    for path in paths:
        path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(UsageError) as caught:
        load_checkpoint(tmp_path)
    assert all(str(path) in str(caught.value) for path in paths)


def test_no_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no checkpoint in"):
        load_checkpoint(tmp_path)


def test_a_foreign_file_is_refused(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file({"center_G": torch.zeros(3)}, tmp_path / "gen_00000001.safetensors")
    with pytest.raises(UsageError, match="is not a checkpoint"):
        load_checkpoint(tmp_path)


def test_leftovers_of_a_killed_writer_are_ignored_and_removed(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, state(1), meta(1))
    leftover = tmp_path / ".gen_00000002.safetensors.x7.tmp"
    leftover.write_bytes(b"half")
    assert load_checkpoint(tmp_path).meta == meta(1)
    assert not leftover.exists()


def test_a_full_disk_leaves_the_older_ones_and_no_ruin(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, state(1), meta(1))
    before = sorted(tmp_path.iterdir())
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, hard))
    try:
        with pytest.raises(EnvironmentFault, match=r"cannot write .*gen_00000002.* make room"):
            save_checkpoint(tmp_path, state(2), meta(2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert sorted(tmp_path.iterdir()) == before
    assert load_checkpoint(tmp_path).meta == meta(1)


def test_a_folder_that_cannot_be_written_is_named() -> None:
    with pytest.raises(EnvironmentFault, match="cannot write /proc/checkpoints"):
        save_checkpoint(Path("/proc/checkpoints"), state(1), meta(1))


def test_kill_in_the_middle_of_writing_leaves_a_whole_checkpoint(tmp_path: Path) -> None:
    """kill -9 while checkpoints are written without a pause; what is found is whole."""
    code = (
        "import sys; from pathlib import Path\n"
        "from tests.cluster.test_checkpoint import meta, save_checkpoint, state\n"
        "saved = state(0, 10_000); number = 0\n"
        "while True:\n"
        "    number += 1\n"
        "    save_checkpoint(Path(sys.argv[1]), saved, meta(number))\n"
        "    if number == 2: print('writing', flush=True)\n"
    )
    for attempt in range(2):
        writer = subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        assert writer.stdout.readline() == "writing\n"
        try:
            writer.wait(0.05 + 0.037 * attempt)
        except subprocess.TimeoutExpired:
            writer.kill()
        assert writer.wait(20) == -9
        writer.stdout.close()
        loaded = load_checkpoint(tmp_path)
        assert loaded.meta.next_generation >= 1
        assert_same(loaded, state(0, 10_000))
        assert len(list(tmp_path.iterdir())) <= 3
        for path in tmp_path.iterdir():
            path.unlink()


@pytest.mark.parametrize(
    "header",
    [
        *("null", "[]", "5", '"text"', "true", "[" * 100_000, "9" * 5000, "{", ""),
        '{"schema": "evoplastic/checkpoint/1"}',
        '{"schema": "evoplastic/checkpoint/1", "meta": null}',
        '{"schema": "evoplastic/checkpoint/1", "meta": [1, 2, 3]}',
        '{"schema": "evoplastic/checkpoint/1", "meta": {"next_generation": "2"}}',
        '{"schema": {"a": 1}}',
    ],
    ids=lambda header: header[:50],
)
def test_a_header_that_is_none_counts_as_damage(tmp_path: Path, header: str) -> None:
    from safetensors.torch import save_file

    save_checkpoint(tmp_path, state(1), meta(1))
    save_file(state(2), tmp_path / "gen_00000002.safetensors", {"evoplastic": header})
    assert load_checkpoint(tmp_path).meta == meta(1)
