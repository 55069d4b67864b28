"""Addresses of Ray clusters: which one is meant, and what answers there, in words.

`--address` wins over the environment variable RAY_ADDRESS, which `ray job submit` sets for its
jobs. HOST:PORT is the address that `ray start --head` prints; "auto" is the cluster that was
started on this machine, and "local" none, but one of our own. Before Ray is asked to join, a port
is greeted as whatever speaks HTTP/2 is, and then a process that can be given up asks who is there:
Ray itself would try for minutes, deaf to signals.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from cluster.workers import inquiry
from evoplastic.checks import UsageError

VARIABLE = "RAY_ADDRESS"
INQUIRY_TIMEOUT_S = 90.0  # of which nearly all may be Ray's import
TOKEN_HELP = (
    "give its token in RAY_AUTH_TOKEN or, as a file, in RAY_AUTH_TOKEN_PATH (on a node of the "
    "cluster `ray get-auth-token` prints it)"
)
WHERE_FROM = "`ray start --head` prints the address of a cluster as HOST:PORT"


class Reached(NamedTuple):
    """A cluster that answers."""

    address: str  # HOST:PORT
    token: bool  # whether it wants one, which is at hand


def meant(given: str | None) -> str | None:
    """The address that a command means: what was given, else RAY_ADDRESS; None for no cluster.

    >>> meant("local"), meant("10.0.0.1:6379")
    (None, '10.0.0.1:6379')
    """
    address = given if given is not None else os.environ.get(VARIABLE) or None
    return None if address == "local" else address


def check(address: str) -> str:
    """The address as it is used: "auto" or HOST:PORT.

    Raises:
        UsageError: it is neither, with what to give instead.
    """
    scheme, separated, rest = address.rpartition("://")
    host = rest.rpartition(":")[0] or rest.strip("/") or "HOST"
    if scheme == "ray":
        raise UsageError(
            f"{_named(address)} is an address of Ray Client, over which a run cannot watch its "
            f"workers; on a node of the cluster give its HOST:PORT (usually {host}:6379), or "
            f"hand the command to the cluster: `ray job submit --address http://{host}:8265 -- "
            "evoplastic ...`"
        )
    if separated:
        raise UsageError(
            f"{_named(address)} is a {scheme}:// address, as of Ray's dashboard, expected "
            f"HOST:PORT (usually {host.rpartition(':')[0] or host}:6379), 'auto' or 'local'"
        )
    name, _, port = address.rpartition(":")
    if address != "auto" and not (name and port.isdigit() and 0 < int(port) < 1 << 16):
        raise UsageError(
            f"{_named(address)} is no address, expected HOST:PORT, 'auto' or 'local'; {WHERE_FROM}"
        )
    return address


def reach(address: str) -> Reached:
    """Fail within seconds, and say why, unless a Ray cluster answers that can be joined from here.

    Raises:
        UsageError: nothing listens, silence, something else than Ray, a token that is missing or
            wrong, another version of Ray, or a machine that is no node of the cluster.
    """
    if check(address) != "auto":
        heard = inquiry.listens(*inquiry.split(address))
        if heard != "http2":
            raise UsageError(_unheard(address, heard))
    said = inquire(address)
    if said["state"] != "cluster":
        raise UsageError(_in_words(address, said))
    if not said["here"]:
        raise UsageError(
            f"the Ray cluster at {_named(address)} is there, but this machine is none of its "
            f"nodes, as the driver of a run has to be; join it here with `ray start "
            f"--address={said['address']}` (--num-cpus=0 to keep workers away), run the command on "
            "a node, or hand it over with `ray job submit`"
        )
    if said["ray"] not in (None, said["our_ray"]):
        raise UsageError(
            f"the Ray cluster at {_named(address)} runs Ray {said['ray']} with Python "
            f"{said['python']}, here it is Ray {said['our_ray']}; have one version on all nodes"
        )
    return Reached(said["address"], said["token"])


def inquire(address: str) -> Mapping[str, Any]:
    """What `inquiry.py`, run as a process, says of an address; killed if it takes too long."""
    command = [sys.executable, "-P", str(Path(inquiry.__file__)), address]
    environment = {key: value for key, value in os.environ.items() if key != VARIABLE}
    try:
        done = subprocess.run(
            command,
            timeout=INQUIRY_TIMEOUT_S,
            check=True,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            env=environment,
        )
        said: Mapping[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except subprocess.TimeoutExpired:
        return {"state": "mute"}
    except subprocess.CalledProcessError as error:
        if error.returncode == -signal.SIGALRM:
            return {"state": "mute"}
        lines = error.stderr.strip().splitlines()
        return {"state": "else", "said": lines[-1] if lines else "nothing"}
    except (OSError, ValueError, LookupError) as error:
        return {"state": "else", "said": str(error)}
    return said


def _unheard(address: str, heard: str) -> str:
    """In words what no cluster answers with."""
    at = _named(address)
    if heard == "else":
        return (
            f"what answers at {at} is not Ray: it does not speak gRPC; check the port (6379 unless "
            f"another was chosen); {WHERE_FROM}"
        )
    limit = f"{inquiry.CONNECT_TIMEOUT_S:.0f} s"
    why = {
        "refused": "nothing listens there; has the cluster ended, or is it another port?",
        "unreachable": f"no connection within {limit}; is the host right, and its firewall open?",
        "silent": f"something listens and says nothing for {limit}; is it Ray, and alive?",
    }
    return f"no Ray cluster answers at {at}: {why[heard]} {WHERE_FROM}"


def _in_words(address: str, said: Mapping[str, Any]) -> str:
    """In words what else than a cluster was found."""
    at = _named(address)
    match said["state"]:
        case "token missing":
            return f"the Ray cluster at {at} wants a token, and none is at hand; {TOKEN_HELP}"
        case "token wrong":
            return (
                f"the Ray cluster at {at} refuses the token that is at hand "
                f"({_token_place()}): it has another one; {TOKEN_HELP}"
            )
        case "token disabled":
            return (
                f"the Ray cluster at {at} wants a token, but RAY_AUTH_MODE=disabled is set here; "
                f"unset it, and {TOKEN_HELP}"
            )
        case "stale":
            return (
                f"{at} means the cluster that was started last on this machine, at "
                f"{said['address']}, and it is gone; start one with `ray start --head`, or give "
                "HOST:PORT of another"
            )
        case "none":
            return (
                f"{at} means a cluster that runs on this machine, and none does; start one with "
                "`ray start --head`, or leave --address out for one of the run's own"
            )
        case "several":
            return (
                f"{at} could mean any of the clusters that run on this machine; give one of "
                f"--address {' or '.join(said['addresses'])}"
            )
        case "mute":
            return (
                f"no Ray cluster answers at {at}: something listens there and does not answer as "
                f"Ray within {inquiry.ANSWER_WITHIN_S:.0f} s; is it Ray's port, and is its head "
                f"alive? {WHERE_FROM}"
            )
        case _:
            return f"what answers at {at} is not Ray ({said['said']}); {WHERE_FROM}"


def _named(address: str) -> str:
    """The address, and where it came from unless from the command line."""
    word = f"{address!r}"
    return f"{word} (RAY_ADDRESS)" if os.environ.get(VARIABLE) == address else word


def _token_place() -> str:
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        if os.environ.get(name):
            return f"from {name}"
    return "from ~/.ray/auth_token"
