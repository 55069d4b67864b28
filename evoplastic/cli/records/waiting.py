"""Waiting for MLflow's server beside it: progress until it answers, then the link to the runs."""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.request
import webbrowser
from typing import Any

LIMIT_S = 300.0
LOOK_S = 0.5
SAY_EVERY_S = 10.0
MOST = 8  # experiments that are named
QUERY = "workflowType=machine_learning"  # runs, not traces of language models


def announce_from_a_child(address: str, browse: bool) -> None:
    """Fork a process that says when the server answers, and go on; it ends with this process.

    Args:
        address: of the server that this process is about to become.
        browse: whether to open a browser there.
    """
    server = os.getpid()
    sys.stdout.flush()
    sys.stderr.flush()
    if os.fork():
        return
    try:
        if wait_for(address, server):
            links = links_of(address)
            for line in links or [address]:
                print(line, flush=True)
            if browse:
                webbrowser.open((links or [address])[0].rpartition(" ")[2])
    finally:
        os._exit(0)


def wait_for(address: str, server: int, limit_s: float = LIMIT_S) -> bool:
    """Wait until a server answers, saying so now and then; False once its process is gone."""
    began = said = time.monotonic()
    while os.getppid() == server:
        if _answers(f"{address}/health"):
            return True
        now = time.monotonic()
        if now - began > limit_s:
            print(f"MLflow does not answer at {address} since {limit_s:.0f} s", file=sys.stderr)
            return False
        if now - said >= SAY_EVERY_S:
            said = now
            print(f"MLflow is starting, {now - began:.0f} s ...", file=sys.stderr, flush=True)
        time.sleep(LOOK_S)
    return False


def links_of(address: str) -> list[str]:
    """A line for each experiment with the link that shows its runs, the newest first."""
    request = urllib.request.Request(
        f"{address}/api/2.0/mlflow/experiments/search",
        data=json.dumps({"max_results": 100}).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            found: list[dict[str, Any]] = json.load(reply).get("experiments", [])
    except (OSError, ValueError):
        return []
    named = [each for each in found if each["name"] != "Default"] or found
    named.sort(key=lambda each: int(each.get("last_update_time", 0)), reverse=True)
    return [
        f"runs of {each['name']}: {address}/#/experiments/{each['experiment_id']}/runs?{QUERY}"
        for each in named[:MOST]
    ]


def has_screen() -> bool:
    """Whether somebody sits before this machine: a terminal, and a window system where one is
    needed."""
    screen = sys.platform == "darwin" or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))
    return sys.stdout.isatty() and bool(screen)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2.0) as reply:
            return bool(reply.status == 200)
    except OSError:
        return False
