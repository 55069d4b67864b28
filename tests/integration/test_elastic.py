"""Real clusters whose nodes come and go, whose CPUs others hold, and whose GPUs are pretended."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cluster.loop import evolve
from tests.integration import recorded
from tests.integration.lan import Lan, digest_of, lan
from tests.integration.recorded import SHARD_S, traces

pytestmark = pytest.mark.cluster

PATIENCE_S = 120.0
RUN_S = 300.0
OCCUPY = """
import sys, time, ray
ray.init(address=sys.argv[1], logging_level=50, log_to_driver=False)
holder = ray.remote(num_cpus=1)(type("Holder", (), {"here": lambda self: True})).remote()
ray.get(holder.here.remote())
print("occupied", flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="module")
def network() -> Iterator[Lan]:
    with lan() as network:
        yield network


@pytest.fixture
def net(network: Lan) -> Iterator[Lan]:
    """A network in which no node is left behind."""
    yield network
    for node in network.nodes:
        node.kill()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The digest of the run without workers."""
    run_dir = tmp_path_factory.mktemp("undisturbed") / "run"
    return evolve(recorded.config(), run_dir).center_digest


@contextmanager
def started(net: Lan, words: list[str], cwd: Path, **more: str) -> Iterator[subprocess.Popen[str]]:
    """A process of Python in the network that does not outlive the context."""
    with (cwd / "said").open("w") as said:
        process = subprocess.Popen(
            [*net.prefix, sys.executable, *words],
            cwd=cwd,
            env=net.environment(more),
            stdout=said,
            stderr=said,
            text=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def until(done: Callable[[], bool], process: subprocess.Popen[str], cwd: Path, what: str) -> None:
    """Wait for something that a process is to bring about."""
    end = time.monotonic() + PATIENCE_S
    while not done():
        said = (cwd / "said").read_text()[-3000:]
        assert process.poll() is None, f"ended before {what}: {said}"
        assert time.monotonic() < end, f"{what} did not happen: {said}"
        time.sleep(0.1)


def nodes_at_work(folder: Path) -> dict[str, int]:
    """The nodes that have done something, with the first generation of each."""
    first: dict[str, int] = {}
    for trace in traces(folder):
        first.setdefault(trace.node, trace.generation)
    return first


def generation(folder: Path) -> int:
    """The last that somebody has worked on."""
    return max((trace.generation for trace in traces(folder)), default=-1)


def test_nodes_come_late_join_leave_and_return(net: Lan, undisturbed: str, tmp_path: Path) -> None:
    """A head without CPUs, nodes that are added and lost, and the last one too."""
    head = net.start_head(tmp_path, cpus=0)
    words = ["-m", "tests.integration.recorded", head.address, str(tmp_path), "max"]
    with started(net, words, tmp_path, **{SHARD_S: "1.0"}) as driver:

        def wait(what: str, done: Callable[[], bool]) -> None:
            until(done, driver, tmp_path, what)

        wait("the start", (tmp_path / "traces").is_dir)
        first = net.start_node(head, tmp_path, cpus=1)
        wait("work on a node that came late", lambda: generation(tmp_path) >= 1)
        second = net.start_node(head, tmp_path, cpus=1)
        added = generation(tmp_path)
        wait("work on an added node", lambda: len(nodes_at_work(tmp_path)) == 2)
        came = max(nodes_at_work(tmp_path).values())
        assert came <= added + 2, f"added in generation {added}, used in {came}"
        first.kill()
        left = generation(tmp_path)
        wait("work after a loss", lambda: generation(tmp_path) >= left + 2)
        second.kill()
        time.sleep(3.0)
        alone = generation(tmp_path)
        assert driver.poll() is None
        net.start_node(head, tmp_path, cpus=1)
        wait("work on a third node", lambda: len(nodes_at_work(tmp_path)) == 3)
        assert generation(tmp_path) <= alone + 1, "nobody could work meanwhile"
        assert driver.wait(PATIENCE_S) == 0
    assert digest_of((tmp_path / "said").read_text()) == undisturbed


def test_a_full_cluster_is_waited_for_and_then_75(net: Lan, tmp_path: Path) -> None:
    head = net.start_head(tmp_path, cpus=1)
    (tmp_path / "other").mkdir()
    run = ["-m", "evoplastic", "evolve", "smoke", "--address", head.address, "--run-dir", "run"]
    with started(net, ["-c", OCCUPY, head.address], tmp_path / "other") as other:
        said = tmp_path / "other" / "said"
        until(lambda: "occupied" in said.read_text(), other, tmp_path / "other", "the occupation")
        words = [*run, "--workers", "2", "--wait-for-workers", "3"]
        full = net.python(words, tmp_path, timeout_s=PATIENCE_S)
        assert full.returncode == 75, full.stderr
        assert (
            "no workers within 3 s: asked for 2, each with 1 CPU; there: 0 of them" in full.stderr
        )
        assert "1 node with 1 CPU and 0 GPUs, of which 0 CPUs and 0 GPUs are free" in full.stderr
        assert not (tmp_path / "run").exists()
        with started(net, run, tmp_path) as driver:
            time.sleep(20.0)
            driver.send_signal(signal.SIGTERM)
            assert driver.wait(10.0) == 75, (tmp_path / "said").read_text()


def test_a_run_that_lost_its_last_worker_for_too_long_is_pre_empted(
    net: Lan, tmp_path: Path
) -> None:
    head = net.start_head(tmp_path, cpus=0)
    node = net.start_node(head, tmp_path, cpus=1)
    words = ["-m", "evoplastic", "evolve", "smoke", "evolution.generations=100000"]
    words += ["tracking.enabled=false", "--run-dir", "run", "--address", head.address]
    words += ["--wait-for-workers", "5"]
    with started(net, words, tmp_path) as driver:
        journal = tmp_path / "run" / "journal.ndjson"
        until(
            lambda: journal.is_file() and '"event":"generation"' in journal.read_text(),
            driver,
            tmp_path,
            "a generation",
        )
        node.kill()
        assert driver.wait(PATIENCE_S) == 75
    said = (tmp_path / "said").read_text()
    assert "no workers within 5 s: asked for max, each with 1 CPU; there: 0 of them" in said
    assert f"resume run --address {head.address} --wait-for-workers 5" in said
    assert (tmp_path / "run" / "STATUS").read_text() == "preempted\n"


def test_pretended_gpus_are_shared_out(net: Lan, undisturbed: str, tmp_path: Path) -> None:
    """Each worker sees what is its own; without a real GPU behind it, the CPU engine runs."""
    head = net.start_head(tmp_path, cpus=0)
    net.start_node(head, tmp_path, cpus=3, gpus=2)
    seen = {}
    for name, workers, more in (
        ("default", "max", {}),
        ("named", "num_gpus", {}),
        ("halves", "2", {"GPUS": "0.5"}),
        ("none", "2", {"GPUS": "0"}),
    ):
        folder = tmp_path / name
        folder.mkdir()
        words = ["-m", "tests.integration.recorded", head.address, str(folder), workers]
        done = net.python(words, tmp_path, {SHARD_S: "0.05", **more}, timeout_s=RUN_S)
        assert done.returncode == 0, done.stderr
        assert digest_of(done.stdout) == undisturbed
        seen[name] = sorted({(trace.gpus, trace.pid) for trace in traces(folder)})
    assert [gpus for gpus, _ in seen["default"]] == ["0", "1"]
    assert [gpus for gpus, _ in seen["named"]] == ["0", "1"]
    assert {gpus for gpus, _ in seen["halves"]} <= {"0", "1"}
    assert {gpus for gpus, _ in seen["none"]} == {"none"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--gpus-per-worker", "4"], "--gpus-per-worker is 4, and no node has so many"),
        (["--cpus-per-worker", "9"], "--cpus-per-worker is 9, and no node has so many"),
    ],
)
def test_what_no_node_has_is_refused_before_anything_is_made(
    net: Lan, tmp_path: Path, words: list[str], message: str
) -> None:
    head = net.start_head(tmp_path, cpus=1, gpus=2)
    run = ["evolve", "smoke", "--address", head.address, "--run-dir", "run", *words]
    refused = net.run(run, tmp_path)
    assert refused.returncode == 2, refused.stderr
    assert message in refused.stderr
    assert not (tmp_path / "run").exists()
