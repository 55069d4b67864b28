"""doctor --address: the nodes of a cluster as findings, each with what to do about it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from evoplastic.checks import EnvironmentFault, UsageError
from evoplastic.cli.health import Finding

if TYPE_CHECKING:
    from cluster.workers.examination import NodeFinding

SHOWN = ("evoplastic", "torch", "numpy")
NOT_SEEN = (
    "no worker needs it, since the driver alone writes there; a driver can go on with the run from "
    "nodes that see it"
)


def examine_cluster(
    address: str, run_dir: Path | None
) -> tuple[list[Finding], list[dict[str, Any]]]:
    """What there is to say of the cluster and of each of its nodes; and the nodes for programs."""
    from cluster.workers.examination import examine_nodes

    try:
        nodes = examine_nodes(address, run_dir)
    except (UsageError, EnvironmentFault) as error:
        said, _, advice = str(error).partition("; ")
        return [Finding("broken", "cluster", said, advice)], []
    able = [node for node in nodes if node.lends and not node.unfit]
    cpus, gpus = (sum(getattr(node, kind) for node in able) for kind in ("cpus", "gpus"))
    found = (
        f"{address}: {len(nodes)} nodes, {len(able)} can work, with {cpus:g} CPUs, {gpus:g} GPUs"
    )
    advice = "" if able else "no node can work: see what each says"
    cluster = Finding("ok" if able else "broken", "cluster", found, advice)
    return [cluster, *(finding_of(node, run_dir) for node in nodes)], [
        node._asdict() for node in nodes
    ]


def finding_of(node: NodeFinding, run_dir: Path | None) -> Finding:
    """A node in a line; one that lends nothing needs nothing."""
    what = f"node {node.address}"
    lends = f"{node.name}, lends {node.cpus:g} CPUs, {node.gpus:g} GPUs"
    if node.facts is None:
        return Finding("broken" if node.lends else "note", what, lends, node.unfit)
    there = node.facts
    parts = [lends, there["processor"], *(f"GPU {model}" for model in there["gpus"])]
    parts += [f"{name} {there['versions'][name] or 'missing'}" for name in SHOWN]
    parts.append(f"Python {there['python']}")
    if run_dir is not None:
        parts.append("sees the run directory" if there["seen"] else "sees no run directory")
    advice = [node.unfit and f"left out: {node.unfit}", node.remark]
    advice += [NOT_SEEN] if there["seen"] is False else []
    advice = [each for each in advice if each]
    if node.unfit and node.lends:
        return Finding("broken", what, ", ".join(parts), "; ".join(advice))
    return Finding("note" if advice else "ok", what, ", ".join(parts), "; ".join(advice))
