"""Nodes that lack the package or have another version: left out, and named with what to install."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import evoplastic
from tests.integration.lan import ROOT, Lan, bare_python, digest_of, lan

pytestmark = pytest.mark.cluster

SMOKE = "c0f68b1c9bb34738"
NOT_HERE = f"it has no evoplastic {evoplastic.__version__}; install evoplastic"


@pytest.fixture
def net() -> Iterator[Lan]:
    with lan() as net:
        yield net


def older(folder: Path) -> Path:
    """An installation of an earlier version."""
    folder.mkdir()
    shutil.copytree(ROOT / "evoplastic", folder / "evoplastic")
    for name in ("analysis", "cluster", "tasks"):
        (folder / name).symlink_to(ROOT / name)
    file = folder / "evoplastic" / "__init__.py"
    version = f'__version__ = "{evoplastic.__version__}"'
    assert version in file.read_text()
    file.write_text(file.read_text().replace(version, '__version__ = "0.0.9"'))
    return folder


def evolved(net: Lan, address: str, folder: Path, workers: int) -> tuple[int, str, str]:
    words = ["evolve", "smoke", "tracking.enabled=false", "--no-analysis", "--run-dir", "run"]
    done = net.run([*words, "--workers", str(workers), "--address", address], folder)
    return done.returncode, done.stdout, done.stderr


def test_a_run_goes_on_with_the_nodes_that_can_work(net: Lan, tmp_path: Path) -> None:
    python, bare = bare_python()
    head = net.start_head(tmp_path, cpus=1)
    net.start_node(head, tmp_path, bare, cpus=1, python=python)
    old = {"PYTHONPATH": str(older(tmp_path / "old"))}
    net.start_node(head, tmp_path, old, cpus=1)
    folder = tmp_path / "driver"
    folder.mkdir()
    code, out, said = evolved(net, head.address, folder, workers=3)
    assert code == 0, said
    assert digest_of(out) == SMOKE
    assert said.count("is left out") == 2, said
    assert f"is left out: {NOT_HERE}" in said
    assert f"evoplastic is 0.0.9 there and {evoplastic.__version__} here" in said


def test_a_run_that_no_node_can_work_for_ends_with_the_reason(net: Lan, tmp_path: Path) -> None:
    python, bare = bare_python()
    head = net.start_head(tmp_path, cpus=0)
    net.start_node(head, tmp_path, bare, cpus=2, python=python)
    folder = tmp_path / "driver"
    folder.mkdir()
    code, _, said = evolved(net, head.address, folder, workers=2)
    assert code == 3, said
    assert "no node of the cluster can do the work" in said
    assert NOT_HERE in said
