"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import torch

from evoplastic.checks import EnvironmentFault, UsageError
from evoplastic.storage import read_tensors, write_atomically, write_tensors


def test_tensors_and_header_come_back(tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    tensors = {"m": torch.tensor([1.5, -0.0]), "t": torch.tensor(3.0)}
    write_tensors(
        path, tensors, {"schema": "a/1", "note": "\u03b1 \u2265 0", "deep": {"x": [1, 2]}}
    )
    loaded, header = read_tensors(path, ("a/1",), "checkpoint")
    assert header == {"schema": "a/1", "note": "\u03b1 \u2265 0", "deep": {"x": [1, 2]}}
    assert set(loaded) == {"m", "t"}
    for name, tensor in tensors.items():
        assert loaded[name].numpy().tobytes() == tensor.numpy().tobytes()
        assert loaded[name].shape == tensor.shape


def test_another_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    write_tensors(path, {"m": torch.zeros(1)}, {"schema": "a/2"})
    with pytest.raises(UsageError, match="schema 'a/2', expected 'a/1'"):
        read_tensors(path, ("a/1",), "checkpoint")


def test_writing_replaces_the_old_content_and_leaves_no_scraps(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"
    write_atomically(path, b"old")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert os.listdir(path.parent) == ["file"]
    assert path.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("stage", ["fsync", "replace"])
def test_a_write_that_fails_keeps_the_old_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, stage, full)
        with pytest.raises(EnvironmentFault, match=r"cannot write .*file: No space left on device"):
            write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_an_interrupt_leaves_the_old_content_and_no_scraps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", interrupted)
        with pytest.raises(KeyboardInterrupt):
            write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_file_in_the_place_of_a_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EnvironmentFault, match="file is a file, not a directory"):
        write_atomically(tmp_path / "file" / "pages" / "page.html", b"new")
