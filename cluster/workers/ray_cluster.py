"""Reaching a Ray cluster: one of our own on this machine, or a running one by its address."""

from __future__ import annotations

import logging
import os
import secrets
from contextlib import suppress

from cluster.workers.address import Reached, meant, reach
from evoplastic.checks import EnvironmentFault, UsageError

logger = logging.getLogger(__name__)

ONE_MACHINE = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"  # Ray reads it on every system


def connect(cpus: int | None, address: str | None) -> bool:
    """Join or start a cluster; whether it is ours to end.

    Args:
        cpus: of a cluster of our own; None for those of this machine.
        address: HOST:PORT, "auto" or "local"; None for that of RAY_ADDRESS, or one of our own.

    Raises:
        UsageError: no cluster that can be joined answers at the address.
        EnvironmentFault: Ray is not installed, or a local cluster does not start.
    """
    address = meant(address)
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
    reached = None if address is None else _reached(address)
    try:
        ray.init(
            address=reached.address if reached else "local",
            num_cpus=None if reached else _local_cpus(cpus),
            include_dashboard=None if reached else False,
            logging_level=logging.ERROR,
            log_to_driver=False,
        )
    except Exception as error:  # Ray raises a bare one when a node is too slow to start
        if address is not None:
            raise UsageError(f"the Ray cluster at {address!r} cannot be joined: {error}") from error
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


def _reached(address: str) -> Reached:
    """The cluster at an address; Ray uses the token that is at hand if that cluster wants one."""
    found = reach(address)
    if found.token:
        os.environ["RAY_AUTH_MODE"] = "token"
        with suppress(ImportError, AttributeError):  # for a Ray that was imported before
            from ray._private.authentication import authentication_token_setup

            authentication_token_setup._enable_token_auth()
    return found


def _local_cpus(asked: int | None) -> int:
    """CPUs of a cluster of our own: those asked for, but no more than there are cores.

    Two are always had, so that a run can be tried with several workers on any machine.
    """
    cores = os.cpu_count() or 1
    return min(asked or cores, max(cores, 2))
