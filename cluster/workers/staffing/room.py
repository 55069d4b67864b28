"""Room for workers on the nodes of a cluster, and how many of them to have: plain arithmetic.

Ray decides where a worker goes. What is decided here is how many to ask it for: those that wait for
room are what an autoscaler sees, so they are asked for, not counted on.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from cluster.workers.staffing.request import WorkerRequest
from evoplastic.checks import UsageError

EPSILON = 1e-6  # Ray accounts in steps of 1e-4


class Node(NamedTuple):
    """What a node that is alive has, and what of it nobody holds."""

    name: str
    cpus: float
    gpus: float
    free_cpus: float
    free_gpus: float
    node_id: str = ""


class Each(NamedTuple):
    """What every worker is given."""

    cpus: int
    gpus: float

    @property
    def words(self) -> str:
        """To be read.

        >>> Each(2, 0.5).words, Each(1, 0.0).words
        ('2 CPUs and 0.5 GPUs', '1 CPU')
        """
        cpus = f"{self.cpus} CPU{'s' * (self.cpus != 1)}"
        return cpus if not self.gpus else f"{cpus} and {self.gpus:g} GPU{'s' * (self.gpus != 1)}"


def each_of(request: WorkerRequest, nodes: Iterable[Node], engine: str) -> Each:
    """What a worker of a request is given on these nodes.

    Where nothing is said of GPUs, an engine that may be the GPU's has one where there are any.

    >>> node = Node("a", cpus=8, gpus=2, free_cpus=8, free_gpus=2)
    >>> each_of(WorkerRequest(), [node], "auto"), each_of(WorkerRequest(), [node], "cpu").gpus
    (Each(cpus=1, gpus=1.0), 0.0)
    """
    gpus = request.gpus_per_worker
    if gpus is None:
        needed = engine == "gpu" or request.most == "num_gpus"
        there = engine == "auto" and any(node.gpus >= 1 for node in nodes)
        gpus = float(needed or there)
    return Each(request.cpus_per_worker, gpus)


def fitting(cpus: float, gpus: float, each: Each) -> int:
    """How many workers fit into so much; a share of a GPU lies on one of them.

    >>> fitting(8, 2, Each(1, 0.3)), fitting(8, 2, Each(1, 2)), fitting(3, 0, Each(2, 0))
    (6, 1, 1)
    """
    number = math.floor(cpus / each.cpus + EPSILON)
    if each.gpus > 1:
        number = min(number, math.floor(gpus / each.gpus + EPSILON))
    elif each.gpus > 0:
        on_one = math.floor(1 / each.gpus + EPSILON)
        whole = math.floor(gpus + EPSILON)
        rest = math.floor((gpus - whole) / each.gpus + EPSILON)
        number = min(number, whole * on_one + rest)
    return number


def room(nodes: Iterable[Node], each: Each) -> int:
    """How many workers the nodes hold if nobody else holds anything."""
    return sum(fitting(node.cpus, node.gpus, each) for node in nodes)


def free_room(nodes: Iterable[Node], each: Each) -> int:
    """How many more workers fit."""
    return sum(fitting(node.free_cpus, node.free_gpus, each) for node in nodes)


def wanted(
    request: WorkerRequest, each: Each, nodes: Sequence[Node], up: int, starting: int
) -> int:
    """How many workers to have, those that wait for room or start included.

    A number is asked for whole, whatever there is room for. "max" takes what is free: no more, so
    that what others hold is not asked for again and again of an autoscaler, but at least `least`.
    Those that start may hold their room already or not; until they are up none is added for it.

    Args:
        request: who asks.
        each: what a worker is given.
        nodes: that are alive.
        up: workers that work.
        starting: workers that were asked for and do not work yet.
    """
    if request.most == "num_gpus":
        return max(request.least, math.floor(sum(node.gpus for node in nodes) + EPSILON))
    if request.most == "max":
        return max(request.least, up + max(starting, free_room(nodes, each)))
    return request.most


def require_possible(request: WorkerRequest, each: Each, nodes: Sequence[Node]) -> None:
    """Refuse what no node can give. A cluster whose nodes work on nothing yet may still get some.

    Raises:
        UsageError: more CPUs or GPUs for a worker than any node has, or GPUs where there are none.
    """
    working = [node for node in nodes if node.cpus or node.gpus]
    if not working:
        return
    most_cpus, most_gpus = (
        max(working, key=lambda node: node.cpus),
        max(working, key=lambda node: node.gpus),
    )
    if each.cpus > most_cpus.cpus:
        raise UsageError(
            f"--cpus-per-worker is {each.cpus}, and no node has so many: {most_cpus.name} has "
            f"most, {most_cpus.cpus:g}; take at most that, or add a node that has more"
        )
    if not each.gpus or each.gpus <= most_gpus.gpus:
        return
    if most_gpus.gpus:
        raise UsageError(
            f"--gpus-per-worker is {each.gpus:g}, and no node has so many: {most_gpus.name} has "
            f"most, {most_gpus.gpus:g}; take at most that"
        )
    if request.wait_s is not None:
        return  # whoever says how long to wait for workers expects nodes to come
    asked = (
        "--workers is num_gpus"
        if request.most == "num_gpus"
        else f"--gpus-per-worker is {each.gpus:g}"
        if request.gpus_per_worker
        else "the engine is gpu"
    )
    raise UsageError(
        f"{asked}, and no node of the cluster has a GPU ({described(working)}); leave that out for "
        "workers on CPUs, tell Ray of GPUs that it did not find (`ray start --num-gpus=N`), or, if "
        "nodes with GPUs are still to come, say how long to wait for them with --wait-for-workers"
    )


def described(nodes: Sequence[Node]) -> str:
    """All that is there, in a few words.

    >>> described([Node("a", 0, 0, 0, 0), Node("b", 4, 2, 1, 0)])
    '2 nodes with 4 CPUs and 2 GPUs, of which 1 CPU and 0 GPUs are free'
    """
    cpus, gpus = sum(node.cpus for node in nodes), sum(node.gpus for node in nodes)
    free_cpus, free_gpus = (
        sum(node.free_cpus for node in nodes),
        sum(node.free_gpus for node in nodes),
    )
    count = f"{len(nodes)} node{'s' * (len(nodes) != 1)}"
    return f"{count} with {_amount(cpus, gpus)}, of which {_amount(free_cpus, free_gpus)} are free"


def _amount(cpus: float, gpus: float) -> str:
    return f"{cpus:g} CPU{'s' * (cpus != 1)} and {gpus:g} GPU{'s' * (gpus != 1)}"
