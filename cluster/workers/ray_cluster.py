"""Reaching a Ray cluster: one of our own on this machine, or a running one by its address."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import subprocess
import sys
from contextlib import suppress

from evoplastic.checks import EnvironmentFault, UsageError

logger = logging.getLogger(__name__)

ONE_MACHINE = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"  # Ray reads it on every system
PROBE_TIMEOUT_S = 3.0
STATUS_TIMEOUT_S = 20.0
STATUS_COMMAND = "from ray.scripts.scripts import main; main()"


def connect(cpus: int | None, address: str | None) -> bool:
    """Join or start a cluster; whether it is ours to end.

    Raises:
        UsageError: nothing answers at the address.
        EnvironmentFault: Ray is not installed, or a local cluster does not start.
    """
    _quiet_environment(local=address is None)
    try:
        import ray
    except ImportError as error:
        raise EnvironmentFault(
            f"worker processes need Ray, which cannot be imported ({error}); install it "
            "(`make setup` does), or leave out --workers"
        ) from error
    if ray.is_initialized():
        return False
    with suppress(ImportError, AttributeError):  # for a Ray that was imported before
        from ray._private import ray_constants

        ray_constants.ENABLE_RAY_CLUSTER = address is not None
    if address is not None:
        probe(address)
    try:
        ray.init(
            address=address or "local",
            num_cpus=None if address else _local_cpus(cpus),
            include_dashboard=None if address else False,
            logging_level=logging.ERROR,
            log_to_driver=False,
        )
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        if address is not None:
            raise UsageError(_no_cluster(address, error)) from error
        raise EnvironmentFault(
            f"Ray did not start on this machine ({error}); run without --workers, or see "
            "`evoplastic doctor`"
        ) from error
    return True


def _quiet_environment(*, local: bool) -> None:
    """Keep Ray from reporting usage, and a cluster of our own from being anybody else's.

    Every process of a local cluster listens on the loopback interface alone: with clusters of
    several machines switched off, as is usual on a Mac, Ray takes 127.0.0.1 for the address of this
    one. Who connects must know a token. Ray would make a file of it in the home directory; ours
    lives in the environment of the cluster's processes.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    if not local:
        return
    os.environ.setdefault(ONE_MACHINE, "0")
    if os.environ.get("RAY_AUTH_MODE") == "disabled":
        logger.warning("RAY_AUTH_MODE=disabled is ignored for a cluster on this machine")
        del os.environ["RAY_AUTH_MODE"]
    if not {"RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"} & set(os.environ):
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)


def probe(address: str) -> None:
    """Fail within seconds where joining would try for minutes.

    Something may listen at the address without being Ray, so Ray's own status command asks it, in
    a process that can be given up.

    Raises:
        UsageError: no cluster answers, or the address is none.
    """
    if address == "auto":
        return
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if not host or not port.isdigit():
        raise UsageError(f"Ray address is {address!r}, expected HOST:PORT or 'auto'")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=PROBE_TIMEOUT_S).close()
        status = [sys.executable, "-c", STATUS_COMMAND, "status", "--address", address]
        subprocess.run(status, timeout=STATUS_TIMEOUT_S, check=True, capture_output=True)
    except (OSError, OverflowError, subprocess.SubprocessError) as error:
        reason = str(error) if isinstance(error, OSError) else "what listens there is not Ray"
        raise UsageError(_no_cluster(address, reason)) from error


def _no_cluster(address: str, reason: object) -> str:
    return (
        f"no Ray cluster answers at {address!r} ({reason}); check the address that "
        "`ray start --head` printed"
    )


def _local_cpus(asked: int | None) -> int:
    """CPUs of a cluster of our own: those asked for, but no more than there are cores.

    Two are always had, so that a run can be tried with several workers on any machine.
    """
    cores = os.cpu_count() or 1
    return min(asked or cores, max(cores, 2))

