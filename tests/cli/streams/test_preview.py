"""`tasks preview --suite`: the parts of a stream."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Command


def test_the_command_draws_a_stream_of_a_suite(command: Command, tmp_path: Path) -> None:
    out = tmp_path / "parts.svg"
    told = command("tasks", "preview", "or-falling-or", "--suite", "streams", "--out", str(out))
    assert told.code == 0
    assert "drew its 530 trials" in told.out
    assert out.stat().st_size > 1000
    refused = command("tasks", "preview", "x", "--suite", "streams", "--out", str(out), "--graph")
    assert refused.code == 2
    assert "leave --graph out" in refused.err
