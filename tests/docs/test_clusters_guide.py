"""The guide to clusters does what it says; what takes a Ray cluster is left to `cluster`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.guide import Block, blocks
from tests.docs.running import answers_of, assert_as_shown

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "clusters.md"


def blocks_for(machine: str) -> list[Block]:
    """Files, and consoles of this machine: what stands behind ```console, or nothing."""
    return [
        block._replace(file="") if block.language == "console" else block
        for block in blocks(GUIDE)
        if block.language != "console" or block.file == machine
    ]


def test_commands_that_need_no_cluster_do_what_is_shown(tmp_path: Path) -> None:
    assert_as_shown(answers_of({"plain": blocks_for("")}, tmp_path)["plain"])


@pytest.mark.cluster
def test_commands_on_ray_do_what_is_shown(tmp_path: Path) -> None:
    assert_as_shown(answers_of({"ray": blocks_for("cluster")}, tmp_path)["ray"])
