"""A RayJob for KubeRay: a cluster that is made for the run, and made again to go on with it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.metadata import version

from cluster.launch.run import (
    PLAIN,
    LaunchedRun,
    Machine,
    as_command,
    require_image,
    require_workers,
)
from cluster.launch.template import filled, require_word
from evoplastic.checks import require

LABEL = r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?"
QUANTITY = r"\d+(\.\d+)?(Ki|Mi|Gi|Ti|K|M|G|T)?"
SETTINGS_AT = "/etc/evoplastic/settings.yaml"
MOST_SETTINGS = 900_000  # bytes; a ConfigMap holds a mebibyte


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """What Kubernetes is told beside the run."""

    image: str
    volume: str
    """PersistentVolumeClaim that holds the run directory."""
    mount: str = "/runs"
    secret: str = "evoplastic-ray-token"
    namespace: str = "default"
    least_nodes: int = 0
    gpu_resource: str = "nvidia.com/gpu"
    head_cpus: int = 2
    head_memory: str = "8Gi"
    retries: int = 20
    """How often a new cluster goes on after a failure."""
    seconds: int | None = None

    def __post_init__(self) -> None:
        for option in ("volume", "secret", "namespace"):
            require_word(f"--{option}", getattr(self, option), LABEL, "my-name, in small letters")
        require_word("--mount", self.mount, r"/[\w./-]+", "/runs")
        require_word("--image", self.image, r"[\w./:@-]+", "registry.example.org/evoplastic:cuda")
        require_word("--gpu-resource", self.gpu_resource, r"[\w.-]+/[\w.-]+", "nvidia.com/gpu")
        require_word("--head-memory", self.head_memory, QUANTITY, "8Gi")


def rayjob_file(run: LaunchedRun, machine: Machine, cluster: Cluster, title: str) -> str:
    """The manifest.

    Settings in files of the user, or with words that shells and YAML would read otherwise, travel
    written out in a ConfigMap.

    Raises:
        UsageError: the image lacks the engine, the run directory is not on the volume, or tasks
            lie in files that no node will have.
    """
    require_image(cluster.image, run.config, machine)
    require_workers(run)
    require_word("--memory", machine.memory, QUANTITY, "16Gi")
    require(
        f"{run.run_dir}/".startswith(f"{cluster.mount}/") and ".." not in run.run_dir.split("/"),
        f"--run-dir is {run.run_dir}, expected a folder within {cluster.mount}, where the volume "
        "is: everything else is lost with the head",
    )
    require(
        PLAIN.fullmatch(run.run_dir) is not None,
        f"--run-dir is {run.run_dir!r}, which Ray would quote in ways of its own; take letters, "
        "digits and dashes",
    )
    require(
        cluster.least_nodes <= machine.nodes,
        f"--nodes is {cluster.least_nodes}-{machine.nodes}, expected the smaller number first",
    )
    suite = run.config.suite
    require(
        run.suite_file is None or suite.startswith("/"),
        f"the suite {suite} is a file, which no node will have: put it, with its tasks, into the "
        "image or onto the volume, and name it by its absolute path",
    )
    place = None if run.plain else SETTINGS_AT
    words = run.words(place, "--address", "auto", *run.growing(machine))
    return filled(
        "kuberay-job.yaml",
        {
            "TITLE": title,
            "NAME": run.name,
            "NAMESPACE": cluster.namespace,
            "SECRET": cluster.secret,
            "SETTINGS": None if run.plain else _config_map(run, cluster.namespace),
            "ENTRYPOINT": json.dumps(as_command(["evoplastic", *words])),
            "RETRIES": cluster.retries,
            "SECONDS": cluster.seconds,
            "RAY_VERSION": version("ray"),
            "AUTOSCALING": str(cluster.least_nodes < machine.nodes).lower(),
            "IMAGE": cluster.image,
            "VOLUMES": _volumes(run, cluster),
            "MOUNTS": _mounts(run, cluster),
            "HEAD_CPUS": cluster.head_cpus,
            "HEAD_MEMORY": cluster.head_memory,
            "REPLICAS": max(cluster.least_nodes, min(1, machine.nodes)),
            "LEAST_NODES": cluster.least_nodes,
            "MOST_NODES": machine.nodes,
            "CPUS": machine.cpus,
            "MEMORY": machine.memory or "8Gi",
            "GPU_RESOURCE": f", {cluster.gpu_resource}: {machine.gpus}" if machine.gpus else "",
        },
    )


def _config_map(run: LaunchedRun, namespace: str) -> str:
    text = run.config.to_yaml()
    require(
        len(text.encode()) <= MOST_SETTINGS,
        f"the settings have {len(text.encode()):,} bytes, expected at most {MOST_SETTINGS:,}",
    )
    head = [
        "apiVersion: v1",
        "kind: ConfigMap",
        "metadata:",
        f"  name: {run.name}",
        f"  namespace: {namespace}",
        "data:",
        "  settings.yaml: |",
    ]
    return "\n".join([*head, *(f"    {line}" for line in text.splitlines()), "---"])


def _volumes(run: LaunchedRun, cluster: Cluster) -> str:
    lines = [
        "securityContext: {fsGroup: 1000}",
        "volumes:",
        f"  - {{name: runs, persistentVolumeClaim: {{claimName: {cluster.volume}}}}}",
    ]
    if not run.plain:
        lines.append(f"  - {{name: settings, configMap: {{name: {run.name}}}}}")
    return "\n".join(lines)


def _mounts(run: LaunchedRun, cluster: Cluster) -> str:
    lines = ["volumeMounts:", f"  - {{name: runs, mountPath: {cluster.mount}}}"]
    if not run.plain:
        lines.append("  - {name: settings, mountPath: /etc/evoplastic, readOnly: true}")
    return "\n".join(lines)
