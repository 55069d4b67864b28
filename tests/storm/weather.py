"""What the storm does beside killing: a server that dies and returns, a disk that fills."""

from __future__ import annotations

import os
import random
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from tests.cluster import written_runs as runs

DISK = "16m"


class Server:
    """An MLflow server on a port of its own, killed with -9 and started again.

    Args:
        folder: where its database lies.
    """

    def __init__(self, folder: Path) -> None:
        self.port = runs.free_port()
        self.uri = f"http://127.0.0.1:{self.port}"
        self.deaths = 0
        self._folder = folder
        self._stack = ExitStack()
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, unless it runs; return once it answers."""
        if self._server is None:
            self._server = self._stack.enter_context(runs.mlflow_server(self._folder, self.port))

    def kill(self) -> None:
        """Kill it and its workers, unless it is dead."""
        if self._server is not None:
            self._stack.close()
            self._server = None
            self.deaths += 1


class Disk:
    """A small file system that can be filled to its last byte and freed.

    Args:
        place: where it is mounted; without the rights for that, it never fills.
    """

    def __init__(self, place: Path) -> None:
        place.mkdir()
        self.place = place
        self.fills = 0
        command = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(place)]
        self.is_small = subprocess.run(command, capture_output=True, check=False).returncode == 0

    def fill(self) -> None:
        """Leave no room."""
        if self.is_small:
            self.fills += 1
            with suppress(OSError), (self.place / "ballast").open("wb", buffering=0) as file:
                while True:
                    file.write(b"\0" * 65536)

    def free(self) -> None:
        """Make room again."""
        (self.place / "ballast").unlink(missing_ok=True)

    def close(self) -> None:
        """Unmount it."""
        if self.is_small:
            subprocess.run(["umount", "-l", str(self.place)], check=True)


@contextmanager
def bad_weather(server: Server, disk: Disk, dice: random.Random) -> Iterator[None]:
    """Server and disk come and go inside the block; both are well after it."""
    over = threading.Event()

    def fail_server() -> None:
        while not over.is_set():
            server.start()
            over.wait(dice.uniform(2.0, 8.0))
            if not over.is_set():
                server.kill()
                over.wait(dice.uniform(1.0, 4.0))

    def fail_disk() -> None:
        while not over.wait(dice.uniform(2.0, 6.0)):
            disk.fill()
            over.wait(dice.uniform(0.2, 1.5))
            disk.free()

    threads = [threading.Thread(target=work) for work in (fail_server, fail_disk)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()
        disk.free()
        server.start()


def workers_of(driver: int) -> list[int]:
    """Process ids of the Ray workers below a driver."""
    import psutil

    with suppress(psutil.Error):
        return [
            child.pid
            for child in psutil.Process(driver).children(recursive=True)
            if "ShardWorker" in " ".join(child.cmdline())
        ]
    return []


def kill_a_worker(driver: int, dice: random.Random) -> bool:
    """Kill one of a driver's workers; whether there was one."""
    pids = workers_of(driver)
    if not pids:
        return False
    with suppress(ProcessLookupError):
        os.kill(dice.choice(pids), 9)
        return True
    return False


def seconds_since(began: float) -> str:
    """Minutes and seconds."""
    minutes, seconds = divmod(round(time.monotonic() - began), 60)
    return f"{minutes} min {seconds} s"
