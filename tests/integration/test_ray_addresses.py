"""Addresses of real clusters: with and without the token, of a dead one, and of a machine's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.lan import Lan, Node, lan

pytestmark = pytest.mark.cluster

REACH = """
import sys
from cluster.workers.address import reach
from evoplastic.checks import UsageError
try:
    print(reach(sys.argv[1]))
except UsageError as error:
    print(error)
"""


@pytest.fixture(scope="module")
def net() -> Iterator[Lan]:
    with lan() as net:
        yield net


@pytest.fixture(scope="module")
def head(net: Lan, tmp_path_factory: pytest.TempPathFactory) -> Node:
    """A cluster of one node that wants a token."""
    return net.start_head(tmp_path_factory.mktemp("head"))


def reached(net: Lan, address: str, folder: Path, **environment: str) -> str:
    """What is said of an address; a home without a token file."""
    done = net.python(["-c", REACH, address], folder, {"HOME": str(folder), **environment})
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_token_is_found_missing_wrong_or_switched_off(
    net: Lan, head: Node, tmp_path: Path
) -> None:
    here = head.address
    assert reached(net, here, tmp_path) == f"Reached(address='{here}', token=True)"
    unset = reached(net, here, tmp_path, RAY_AUTH_MODE="token", RAY_AUTH_TOKEN="")
    assert "wants a token, and none is at hand" in unset
    wrong = reached(net, here, tmp_path, RAY_AUTH_TOKEN="cd" * 32)
    assert "refuses the token that is at hand (from RAY_AUTH_TOKEN)" in wrong
    off = reached(net, here, tmp_path, RAY_AUTH_MODE="disabled")
    assert "RAY_AUTH_MODE=disabled is set here" in off
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray" / "auth_token").write_text("ab" * 32)
    assert reached(net, here, tmp_path, RAY_AUTH_TOKEN="") == (
        f"Reached(address='{here}', token=True)"
    )


def test_a_cluster_that_is_gone_is_named_where_the_last_one_was_meant(tmp_path: Path) -> None:
    (tmp_path / "ray").mkdir()
    (tmp_path / "ray" / "ray_current_cluster").write_text("127.0.0.1:6999")
    with lan() as empty:
        for how, variable in ((["--address", "auto"], ""), ([], "auto")):
            done = empty.run(
                ["evolve", "smoke", "--run-dir", "run", *how],
                tmp_path,
                {"RAY_TMPDIR": str(tmp_path), "RAY_ADDRESS": variable},
                timeout_s=60,
            )
            assert done.returncode == 2, done.stderr
            assert "last on this machine, at 127.0.0.1:6999, and it is gone" in done.stderr
            assert not (tmp_path / "run").exists()
