"""What Ray says of its nodes and actors, asked of the cluster's head."""

from __future__ import annotations

from typing import Any

from cluster.workers.staffing.room import Node


def living_nodes() -> list[Node]:
    """Nodes that are alive, with what they have and what is free."""
    import ray
    from ray._private import state  # where Ray keeps what it says of one node

    free = state.available_resources_per_node()
    return [_node(said, free.get(said["NodeID"], {})) for said in ray.nodes() if said["Alive"]]


def _node(said: dict[str, Any], free: dict[str, float]) -> Node:
    has = said["Resources"]
    return Node(
        name=said["NodeManagerHostname"],
        cpus=has.get("CPU", 0.0),
        gpus=has.get("GPU", 0.0),
        free_cpus=free.get("CPU", 0.0),
        free_gpus=free.get("GPU", 0.0),
        node_id=said["NodeID"],
    )


def has_room(handle: Any) -> bool:
    """Whether an actor has found room on a node: it is alive, or was."""
    from ray._private import state

    said = state.actors(handle._actor_id.hex())
    return bool(said) and said["State"] not in ("DEPENDENCIES_UNREADY", "PENDING_CREATION")
