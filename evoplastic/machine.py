"""What differs between machines: calls that only some systems have, each with a way for the others.

Nothing else in the project asks for a call that Linux alone has; a test looks for that.
"""

from __future__ import annotations

import os
import platform
import signal
import stat
import tempfile
import threading
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

CPU_INFO = Path("/proc/cpuinfo")  # of Linux
CONTAINER_MEMORY = Path("/sys/fs/cgroup/memory.max")  # of Linux
PR_SET_PDEATHSIG = 1  # of Linux, too
LOOK_S = 1.0


def usable_cores() -> int:
    """Cores that this process may run on, where the system says; else those of the machine."""
    affinity = getattr(os, "sched_getaffinity", None)  # not on macOS
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def memory_bytes() -> int:
    """Memory of the machine, or what a container may take of it; 8 GiB where nobody says."""
    try:
        has = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        has = 8 << 30
    with suppress(OSError, ValueError):  # of other systems, or "max"
        has = min(has, int(CONTAINER_MEMORY.read_text(encoding="ascii")))
    return has


def die_with(parent: int, lifeline: int) -> None:
    """End this process when its parent ends, however that comes.

    Linux sends a signal; elsewhere a thread waits for the end of a pipe.

    Args:
        parent: its process id.
        lifeline: the end for reading of a pipe, whose other end the parent alone holds.
    """
    with suppress(OSError, AttributeError):
        import ctypes

        if ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL) == 0:
            if os.getppid() != parent:  # it had ended before we asked
                os.kill(os.getpid(), signal.SIGKILL)
            return
    threading.Thread(target=_die_after, args=(lifeline,), daemon=True).start()


def _die_after(lifeline: int) -> None:
    os.read(lifeline, 1)
    os.kill(os.getpid(), signal.SIGKILL)


def stop_with(parent: int) -> None:
    """Send SIGTERM to this process when its parent ends, however that comes.

    Linux does it; elsewhere a thread looks each second whose child this is.

    Args:
        parent: its process id.
    """
    with suppress(OSError, AttributeError):
        import ctypes

        if ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM) == 0:
            if os.getppid() != parent:  # it had ended before we asked
                os.kill(os.getpid(), signal.SIGTERM)
            return
    threading.Thread(target=_stop_after, args=(parent,), daemon=True).start()


def _stop_after(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_S)
    os.kill(os.getpid(), signal.SIGTERM)


def processor() -> dict[str, str]:
    """What Linux says of the first processor, by its names; elsewhere its model alone."""
    try:
        lines = CPU_INFO.read_text(encoding="utf-8", errors="replace").split("\n\n", 1)[0]
    except OSError:
        return {"model name": platform.processor() or platform.machine()}
    pairs = (line.partition(":") for line in lines.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


@cache
def caches() -> Path:
    """A folder of this user's for what can be made again: XDG_CACHE_HOME, ~/.cache, or temporary.

    The last where the others may not be written, as in a home that is read-only.
    """
    given = os.environ.get("XDG_CACHE_HOME")
    places = [Path(given)] if given else []
    with suppress(RuntimeError):  # nobody's home
        places.append(Path.home() / ".cache")
    for place in places:
        if can_write(place / "evoplastic"):
            return place / "evoplastic"
    return _temporary()


def can_write(folder: Path) -> bool:
    """Whether a folder is there, or can be made, and takes files."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _temporary() -> Path:
    """A folder that outlives the process, if it is ours alone: machine code is loaded from it."""
    folder = Path(tempfile.gettempdir()) / f"evoplastic-{os.getuid()}"
    with suppress(OSError):
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        private = stat.S_ISDIR(found.st_mode) and not found.st_mode & 0o077
        if private and found.st_uid == os.getuid() and can_write(folder):
            return folder
    return Path(tempfile.mkdtemp(prefix="evoplastic-"))
