"""What answers at the address of a Ray cluster; run as a process of its own, which can be given up.

    python -P inquiry.py HOST:PORT|auto

Ray's own calls wait for minutes where no cluster is, do not heed a signal, and end the process
where a token is wanted and none is there. So nothing but this file, run by its path, makes the
first of them, and prints one line of JSON: `{"state": STATE, ...}` (`address.reach` says each in
words).
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

CONNECT_TIMEOUT_S = 3.0
ANSWER_WITHIN_S = 8.0  # once Ray is imported, which takes long on a busy machine
HTTP2_GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
SETTINGS = 4  # the frame with which everything that speaks HTTP/2 begins (RFC 9113, 3.4)
FRAME_HEADER = 9


def listens(host: str, port: int) -> str:
    """What a first word to a port is answered with, within seconds.

    Returns:
        "http2", as of Ray and all that speaks gRPC; "else", "silent", "refused" or "unreachable".
    """
    try:
        connection = socket.create_connection((host, port), timeout=CONNECT_TIMEOUT_S)
    except ConnectionRefusedError:
        return "refused"
    except (OSError, OverflowError):
        return "unreachable"
    if os.environ.get("RAY_USE_TLS", "0") not in ("", "0"):
        connection.close()  # the greeting would have to be encrypted; Ray is asked itself
        return "http2"
    with connection:
        try:
            connection.sendall(HTTP2_GREETING)
            answer = connection.recv(FRAME_HEADER, socket.MSG_WAITALL)
        except TimeoutError:
            return "silent"
        except OSError:
            return "else"
    return "http2" if len(answer) == FRAME_HEADER and answer[3] == SETTINGS else "else"


def split(address: str) -> tuple[str, int]:
    """Host and port of HOST:PORT, the brackets of an IPv6 address taken off."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def current_cluster() -> dict[str, Any]:
    """The cluster that `ray start` started on this machine, if it still is there.

    Ray writes the address into a file, which a cluster that was killed leaves behind.
    """
    from ray._private import services

    marked = services.find_bootstrap_address(None)
    running = sorted(services.find_gcs_addresses())
    places = [place for place in dict.fromkeys([marked, *running]) if place]
    alive = [place for place in places if listens(*split(place)) == "http2"]
    if marked in alive:
        return {"state": "found", "address": marked}
    if len(alive) == 1:
        return {"state": "found", "address": alive[0]}
    if alive:
        return {"state": "several", "addresses": alive}
    return {"state": "stale" if marked else "none", "address": marked}


def ask(address: str) -> dict[str, Any]:
    """Who is at an address that speaks HTTP/2: first without a token, then with the one at hand."""
    given = os.environ.get("RAY_AUTH_MODE")
    os.environ["RAY_AUTH_MODE"] = "disabled"
    from ray.exceptions import AuthenticationError, RayError

    signal.setitimer(signal.ITIMER_REAL, ANSWER_WITHIN_S)  # ends this process, whatever Ray is at
    try:
        return _members(address) | {"token": False}
    except AuthenticationError:
        pass
    except RayError as error:
        return {"state": "else", "said": str(error)}
    if given == "disabled":
        return {"state": "token disabled"}
    from ray._private.authentication.authentication_token_setup import _enable_token_auth
    from ray._raylet import AuthenticationTokenLoader  # type: ignore[attr-defined]

    if not AuthenticationTokenLoader.instance().has_token(ignore_auth_mode=True):
        return {"state": "token missing"}
    _enable_token_auth()
    try:
        return _members(address) | {"token": True}
    except AuthenticationError:
        return {"state": "token wrong"}


def _members(address: str) -> dict[str, Any]:
    import ray
    from ray._common.usage.usage_lib import get_cluster_metadata
    from ray._private import services
    from ray._raylet import GcsClient  # type: ignore[attr-defined]

    client = GcsClient(address=address)
    made_of = get_cluster_metadata(client) or {}
    nodes = {node.hex() for node in client.get_all_node_info(timeout=5).keys()}
    here = set(services.find_node_ids())
    return {
        "state": "cluster",
        "address": address,
        "ray": made_of.get("ray_version"),
        "our_ray": ray.__version__,
        "python": made_of.get("python_version"),
        "here": bool(here & nodes),
    }


def main(word: str) -> dict[str, Any]:
    """The answer for an address, or for "auto"."""
    if word == "auto":
        found = current_cluster()
        if found["state"] != "found":
            return found
        word = found["address"]
    return ask(word)


if __name__ == "__main__":
    here = str(Path(__file__).parent)
    sys.path[:] = [place for place in sys.path if place != here]
    print(json.dumps(main(sys.argv[1])), flush=True)
    os._exit(0)  # Ray's threads may take their time
