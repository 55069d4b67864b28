"""doctor on a real cluster: a node that can work, one that lacks the package, one the folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.lan import Lan, bare_python, lan

pytestmark = pytest.mark.cluster


@pytest.fixture
def net() -> Iterator[Lan]:
    with lan() as net:
        yield net


def test_each_node_is_listed_with_what_it_has_and_lacks(net: Lan, tmp_path: Path) -> None:
    python, bare = bare_python()
    run_dir = tmp_path / "shared" / "run"
    run_dir.mkdir(parents=True)
    head = net.start_head(tmp_path, cpus=0)
    net.start_node(head, tmp_path, cpus=2, hidden=tmp_path / "shared")
    net.start_node(head, tmp_path, bare, cpus=1, python=python)
    words = ["doctor", "--run-dir", str(run_dir)]
    done = net.run([*words, "--json"], tmp_path, {"RAY_ADDRESS": head.address}, timeout_s=120)
    assert done.returncode == 3, done.stderr
    answer = json.loads(done.stdout)
    states = {each["what"]: each["state"] for each in answer["findings"] if "node" in each["what"]}
    assert states == {"node 127.0.0.1": "ok", "node 127.0.0.2": "note", "node 127.0.0.3": "broken"}
    first, second, third = answer["nodes"]
    assert [node["cpus"] for node in answer["nodes"]] == [0, 2, 1]
    assert [node["facts"]["seen"] for node in answer["nodes"]] == [True, False, True]
    assert first["unfit"] == second["unfit"] == ""
    assert "it has no evoplastic" in third["unfit"]
    (cluster,) = (each for each in answer["findings"] if each["what"] == "cluster")
    assert cluster["state"] == "ok"
    assert "3 nodes, 1 can work, with 2 CPUs, 0 GPUs" in cluster["found"]
    assert not list(run_dir.iterdir())
    shown = net.run([*words, "--address", head.address], tmp_path, timeout_s=120)
    assert shown.returncode == 3
    assert "not ready: node 127.0.0.3" in shown.stderr
    assert "no worker needs it, since the driver alone writes there" in shown.stdout
