"""Several nodes of a Ray cluster on one machine, in a network of their own that ends at loopback.

    with lan() as net:
        head = net.start_head(folder)
        net.start_node(head, other_folder, environment)
        done = net.run(["evolve", ...], folder)

Ray listens on all interfaces whatever it is told, so everything runs in a network namespace that
has none but loopback (`ip netns` of iproute2), each node under a loopback address of its own.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

import evoplastic

ROOT = Path(evoplastic.__file__).parents[1]
TOKEN = "ab" * 32
START = ("-m", "ray.scripts.scripts", "start", "--block", "--disable-usage-stats")
ANY_PORT = (
    "--node-manager-port=0",
    "--object-manager-port=0",
    "--min-worker-port=0",
    "--max-worker-port=0",
)
HIDE = 'mount -t tmpfs none "$0" && exec "$@"'
UP_WITHIN_S = 120.0  # on a machine that tests other things too


@dataclass
class Node:
    """One node: the process that started it is the parent of all others."""

    process: subprocess.Popen[bytes]
    address: str  # of the cluster
    log: Path

    def kill(self) -> None:
        """End all of it at once, as a machine that loses power."""
        with suppress(psutil.NoSuchProcess):
            for process in psutil.Process(self.process.pid).children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    process.kill()
        self.process.kill()
        self.process.wait()


@dataclass
class Lan:
    """A network namespace, and what runs in it."""

    prefix: Sequence[str]
    folder: Path  # for sockets and logs; short, since a socket's path may have 107 characters
    nodes: list[Node] = field(default_factory=list)

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Of nodes and drivers: the project is found, everyone has the token."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("RAY_")}
        given = {
            "PYTHONPATH": str(ROOT),
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": TOKEN,
            "RAY_TMPDIR": str(self.folder),
            "XDG_STATE_HOME": str(self.folder / "state"),
        }
        return {**inherited, **given, **(more or {})}

    def start_head(
        self,
        cwd: Path,
        more: Mapping[str, str] | None = None,
        *,
        cpus: int = 1,
        gpus: int = 0,
    ) -> Node:
        """The first node of a cluster, at work in a folder, with what it is said to have."""
        port = 6400 + len(self.nodes)
        words = ["--head", f"--port={port}", "--include-dashboard=false"]
        return self._start(f"127.0.0.1:{port}", words, cwd, (cpus, gpus), sys.executable, more)

    def start_node(
        self,
        head: Node,
        cwd: Path,
        more: Mapping[str, str] | None = None,
        *,
        cpus: int = 1,
        gpus: int = 0,
        python: str = sys.executable,
        hidden: Path | None = None,
    ) -> Node:
        """A further node, with an environment of its own on top of the common one.

        Args:
            head: of the cluster.
            cwd: where it is started.
            more: environment variables of its own.
            cpus: that it lends.
            gpus: that it says it has.
            python: its interpreter.
            hidden: a folder that is empty for this node, as on a machine that does not have it.
        """
        words = [f"--address={head.address}"]
        return self._start(head.address, words, cwd, (cpus, gpus), python, more, hidden)

    def run(
        self,
        words: Sequence[str],
        cwd: Path,
        more: Mapping[str, str] | None = None,
        *,
        timeout_s: float = 600.0,
    ) -> subprocess.CompletedProcess[str]:
        """The command line, in a folder."""
        return self.python(["-m", "evoplastic", *words], cwd, more, timeout_s=timeout_s)

    def python(
        self,
        words: Sequence[str],
        cwd: Path,
        more: Mapping[str, str] | None = None,
        *,
        timeout_s: float = 60.0,
    ) -> subprocess.CompletedProcess[str]:
        """A process of Python in the network, which ends by itself."""
        return subprocess.run(
            [*self.prefix, sys.executable, *words],
            cwd=cwd,
            env=self.environment(more),
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def _start(
        self,
        address: str,
        words: list[str],
        cwd: Path,
        has: tuple[int, int],
        python: str,
        more: Mapping[str, str] | None,
        hidden: Path | None = None,
    ) -> Node:
        number = len(self.nodes) + 1
        log = self.folder / f"{number}.log"
        common = (
            f"--num-cpus={has[0]}",
            f"--num-gpus={has[1]}",
            f"--node-ip-address=127.0.0.{number}",
            *ANY_PORT,
        )
        hiding = () if hidden is None else ("unshare", "--mount", "sh", "-c", HIDE, str(hidden))
        temporary = [f"--temp-dir={self.folder / str(number)}"] if "--head" in words else []
        with log.open("wb") as file:
            process = subprocess.Popen(
                [*self.prefix, *hiding, python, *START, *words, *common, *temporary],
                cwd=cwd,
                env=self.environment(more),
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        node = Node(process, address, log)
        self.nodes.append(node)
        end = time.monotonic() + UP_WITHIN_S
        while b"Ray runtime started" not in log.read_bytes():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.1)
        return node


@contextmanager
def lan() -> Iterator[Lan]:
    """A network of its own; whatever was started in it ends with it.

    Skips the test where namespaces cannot be made, as by a user without the right to.
    """
    holder = (
        subprocess.Popen(
            ["unshare", "--net", "sh", "-c", "ip link set lo up && echo up && exec sleep infinity"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if shutil.which("unshare") and shutil.which("nsenter") and shutil.which("ip")
        else None
    )
    if holder is None:
        pytest.skip("unshare, nsenter and ip are needed for a network without an outside")
    assert holder.stdout is not None
    said = holder.stdout.readline()
    if said != "up\n":
        holder.kill()
        holder.wait()
        pytest.skip(f"no network namespace can be made here: {said.strip()}")
    folder = Path(tempfile.mkdtemp(prefix="lan-", dir="/tmp"))
    net = Lan(("nsenter", "--net", f"--target={holder.pid}", "--"), folder)
    try:
        yield net
    finally:
        for node in net.nodes:
            node.kill()
        for pid in _inside(holder.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        holder.wait()
        holder.stdout.close()
        shutil.rmtree(folder, ignore_errors=True)


def _inside(holder: int) -> list[int]:
    """Processes in the namespace: raylets and workers leave the group of their node."""
    own = Path(f"/proc/{holder}/ns/net").readlink()
    assert own != Path("/proc/self/ns/net").readlink()
    found = []
    for process in Path("/proc").iterdir():
        with suppress(OSError):
            if process.name.isdigit() and (process / "ns/net").readlink() == own:
                found.append(int(process.name))
    return found


def bare_python() -> tuple[str, dict[str, str]]:
    """An interpreter and the environment in which it has Ray and torch, but not this package.

    Skips the test where the package is not installed as a link, so that it cannot be left out.
    """
    places = [place for place in sys.path if Path(place, "ray").is_dir()]
    if not places or Path(places[0], "evoplastic").is_dir():
        pytest.skip("the package lies among all others")
    return sys._base_executable, {"PYTHONPATH": places[0]}  # type: ignore[attr-defined]


def digest_of(output: str) -> str:
    """The digest of the center that a finished run prints."""
    found = re.search(r"digest (\w+)", output)
    assert found is not None, output
    return found[1]
