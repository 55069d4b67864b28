"""The nodes of a cluster, asked one by one what they are: `evoplastic doctor --address`."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from cluster.workers import ray_cluster
from cluster.workers.node_facts import by_value, facts, remark, unfit

ANSWER_WITHIN_S = 60.0  # a process has to start there, and Ray to be imported


class NodeFinding(NamedTuple):
    """What one node is."""

    node_id: str  # by which Ray knows it
    name: str  # of its machine
    address: str  # IP address
    cpus: float  # that it lends
    gpus: float
    facts: dict[str, Any] | None  # `node_facts.facts`; None if it does not answer
    unfit: str  # why it cannot work for a driver here, and what to do; "" if it can
    remark: str  # what is worth knowing

    @property
    def lends(self) -> bool:
        """Whether workers would be started there, if they can."""
        return self.cpus > 0 or self.gpus > 0


def examine_nodes(address: str, run_dir: Path | None = None) -> list[NodeFinding]:
    """All living nodes of the cluster at an address, in the order of their addresses.

    Args:
        address: HOST:PORT or "auto".
        run_dir: a folder of which each says whether it is seen from there: the same one, not one
            of the same path.

    Raises:
        UsageError: no cluster that can be joined answers.
    """
    ours = ray_cluster.connect(None, address)
    import ray

    try:
        with _marked(run_dir) as place:
            return _asked(ray, facts(place), place)
    finally:
        if ours:
            ray.shutdown()


def _asked(ray: Any, here: dict[str, Any], place: str | None) -> list[NodeFinding]:
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    def tell(function: bytes, place: str | None) -> dict[str, Any]:
        from ray import cloudpickle

        said: dict[str, Any] = cloudpickle.loads(function)(place, gpus=True)
        return said

    nodes = sorted(
        (node for node in ray.nodes() if node["Alive"]),
        key=lambda node: (node["NodeManagerAddress"], node["NodeID"]),
    )
    task, function = ray.remote(num_cpus=0, max_retries=0)(tell), by_value(facts)
    refs = [
        task.options(
            scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        ).remote(function, place)
        for node in nodes
    ]
    end = time.monotonic() + ANSWER_WITHIN_S
    findings = []
    for node, ref in zip(nodes, refs, strict=True):
        there, fault = None, f"it did not answer within {ANSWER_WITHIN_S:.0f} s"
        try:
            there = ray.get(ref, timeout=max(0.1, end - time.monotonic()))
        except ray.exceptions.GetTimeoutError:
            pass
        except ray.exceptions.RayError as error:
            fault = f"it cannot be asked: {str(error).strip().splitlines()[-1]}"
        findings.append(_finding(node, there, here, fault))
    return findings


def _finding(
    node: dict[str, Any], there: dict[str, Any] | None, here: dict[str, Any], fault: str
) -> NodeFinding:
    has = node["Resources"]
    return NodeFinding(
        node_id=node["NodeID"],
        name=node["NodeManagerHostname"],
        address=node["NodeManagerAddress"],
        cpus=has.get("CPU", 0.0),
        gpus=has.get("GPU", 0.0),
        facts=there,
        unfit=f"{fault}; see whether the node is overloaded"
        if there is None
        else unfit(there, here),
        remark="" if there is None else remark(there, here),
    )


@contextmanager
def _marked(folder: Path | None) -> Iterator[str | None]:
    """A file with a name of its own in the folder, else the folder where nothing may be written."""
    if folder is None:
        yield None
        return
    mark = folder.absolute() / f".seen-{secrets.token_hex(8)}"
    try:
        mark.touch(exist_ok=False)
    except OSError:
        yield str(folder.absolute())
        return
    try:
        yield str(mark)
    finally:
        with suppress(OSError):
            mark.unlink()
