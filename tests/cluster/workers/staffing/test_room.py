"""How many workers fit, and how many to have as nodes come and go."""

from __future__ import annotations

import pytest

from cluster.workers.staffing.request import WorkerRequest, parse_workers
from cluster.workers.staffing.room import (
    Each,
    Node,
    each_of,
    fitting,
    free_room,
    require_possible,
    room,
    wanted,
)
from evoplastic.checks import UsageError

HEAD = Node("head", 0, 0, 0, 0)
CPUS = Node("cpus", 8, 0, 3, 0)
GPUS = Node("gpus", 4, 2, 4, 2)
CPU, GPU = Each(1, 0.0), Each(1, 1.0)


@pytest.mark.parametrize(
    ("cpus", "gpus", "each", "number"),
    [
        (8, 0, Each(3, 0.0), 2),
        (8, 4, Each(1, 1.0), 4),
        (2, 4, Each(1, 1.0), 2),
        (8, 4, Each(1, 2.0), 2),
        (8, 2, Each(1, 0.5), 4),
        (8, 2, Each(1, 0.3), 6),  # three on each: none lies on two GPUs
        (8, 1.5, Each(1, 0.5), 3),
        (64, 1, Each(1, 0.1), 10),
        (8, 0, Each(1, 0.5), 0),
    ],
)
def test_workers_fit_into_what_a_node_has(
    cpus: float, gpus: float, each: Each, number: int
) -> None:
    assert fitting(cpus, gpus, each) == number


def test_nodes_add_up() -> None:
    nodes = [HEAD, CPUS, GPUS]
    assert (room(nodes, CPU), free_room(nodes, CPU)) == (12, 7)
    assert (room(nodes, GPU), free_room(nodes, GPU)) == (2, 2)


@pytest.mark.parametrize(
    ("words", "nodes", "up", "starting", "number"),
    [
        ("4", [], 0, 0, 4),  # nobody has room yet, and an autoscaler sees four
        ("4", [CPUS], 3, 1, 4),
        ("2-6", [CPUS], 2, 0, 6),
        ("max", [], 0, 0, 1),
        ("max", [HEAD, CPUS], 0, 0, 3),
        ("max", [HEAD, CPUS], 2, 0, 5),
        ("max", [HEAD, CPUS], 2, 3, 5),  # those that start are to have the room that is free
        ("max", [HEAD, CPUS], 2, 4, 6),  # and the fourth of them may have found some already
        ("max", [HEAD, CPUS._replace(free_cpus=0)], 2, 0, 2),
        ("num_gpus", [GPUS, CPUS], 0, 0, 2),
        ("num_gpus", [GPUS, GPUS], 2, 0, 4),
        ("num_gpus", [CPUS], 1, 1, 1),  # its node is gone: one is asked for, not two
    ],
)
def test_a_crew_grows_and_shrinks_with_the_nodes(
    words: str, nodes: list[Node], up: int, starting: int, number: int
) -> None:
    request = parse_workers(words)
    each = each_of(request, nodes, "cpu")
    assert wanted(request, each, nodes, up, starting) == number


@pytest.mark.parametrize(
    ("request_", "engine", "nodes", "gpus"),
    [
        (WorkerRequest(), "auto", [CPUS], 0),
        (WorkerRequest(), "auto", [CPUS, GPUS], 1),
        (WorkerRequest(), "gpu", [HEAD], 1),
        (WorkerRequest(), "cpu", [GPUS], 0),
        (WorkerRequest(), "reference", [GPUS], 0),
        (WorkerRequest(most="num_gpus"), "cpu", [GPUS], 1),
        (WorkerRequest(gpus_per_worker=0), "auto", [GPUS], 0),
        (WorkerRequest(gpus_per_worker=0.5), "cpu", [CPUS], 0.5),
    ],
)
def test_a_worker_has_a_gpu_where_there_are_some_and_it_can_use_it(
    request_: WorkerRequest, engine: str, nodes: list[Node], gpus: float
) -> None:
    assert each_of(request_, nodes, engine).gpus == gpus


@pytest.mark.parametrize(
    ("request_", "nodes", "message"),
    [
        (WorkerRequest(gpus_per_worker=3), [CPUS, GPUS], "3, and no node has so many: gpus has"),
        (WorkerRequest(cpus_per_worker=9), [CPUS, GPUS], "9, and no node has so many: cpus has"),
        (WorkerRequest(gpus_per_worker=1), [CPUS, HEAD], "--gpus-per-worker is 1, and no node"),
        (WorkerRequest(most="num_gpus"), [CPUS], "--workers is num_gpus, and no node"),
        # What is asked for once more for nodes that will come is asked too much of those there.
        (WorkerRequest(gpus_per_worker=3, wait_s=9), [GPUS], "no node has so many"),
    ],
)
def test_what_no_node_has_is_refused(
    request_: WorkerRequest, nodes: list[Node], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        require_possible(request_, each_of(request_, nodes, "auto"), nodes)


@pytest.mark.parametrize(
    ("request_", "nodes"),
    [
        (WorkerRequest(gpus_per_worker=2, cpus_per_worker=4), [CPUS, GPUS]),
        (WorkerRequest(gpus_per_worker=1), [HEAD]),  # a node with work to give is still to come
        (WorkerRequest(gpus_per_worker=1, wait_s=600), [CPUS]),
    ],
)
def test_what_a_node_has_or_may_have_later_is_not(
    request_: WorkerRequest, nodes: list[Node]
) -> None:
    require_possible(request_, each_of(request_, nodes, "auto"), nodes)
