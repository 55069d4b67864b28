"""Watches what nodes a cluster has, beside the work: an answer may be long in coming."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from cluster.workers.ray_nodes import living_nodes
from cluster.workers.staffing.room import Node

LOOK_EVERY_S = 1.0


class Lookout:
    """The nodes of the cluster, as they were about a second ago."""

    def __init__(self) -> None:
        """Look once, and then again and again in a thread of its own."""
        self._over = threading.Event()
        self.nodes: Sequence[Node] = living_nodes()
        self.at = time.monotonic()  # before they were asked for
        self._seen = {node.node_id for node in self.nodes}
        threading.Thread(target=self._watch, name="lookout", daemon=True).start()

    def gone(self) -> set[str]:
        """Ids of nodes that were there and are no more."""
        return self._seen - {node.node_id for node in self.nodes}

    def close(self) -> None:
        """Look no more."""
        self._over.set()

    def _watch(self) -> None:
        while not self._over.wait(LOOK_EVERY_S):
            before = time.monotonic()
            try:
                nodes = living_nodes()
            except Exception:  # whatever Ray raises while its head is away: nothing new is known
                continue
            self._seen |= {node.node_id for node in nodes}
            self.nodes, self.at = nodes, before
