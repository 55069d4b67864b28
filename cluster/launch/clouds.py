"""Machines of a cloud: SkyPilot's managed jobs, and Ray's own cluster launcher."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cluster.launch.run import (
    LaunchedRun,
    Machine,
    as_command,
    require_image,
    require_within,
    require_workers,
)
from cluster.launch.template import filled, require_word
from evoplastic.checks import require

WORD = r"[\w./:@*+-]+"
HEAD_TYPE = "m6i.large"
INSTALL = "pip install -c constraints.txt '.[ray-jobs]'"


@dataclass(frozen=True, kw_only=True)
class Sky:
    """What SkyPilot is told beside the run."""

    volume: str
    """Network volume that holds the run directory, made with `sky volumes apply`."""
    mount: str = "/runs"
    infra: str | None = None
    gpu_model: str | None = None
    image: str | None = None
    spot: bool = True


def skypilot_file(run: LaunchedRun, machine: Machine, sky: Sky, title: str) -> str:
    """A task for `sky jobs launch`; without an image it is started from the project's folder.

    Raises:
        UsageError: as the options say.
    """
    for option in ("volume", "mount", "infra", "gpu_model", "image"):
        require_word(f"--{option.replace('_', '-')}", getattr(sky, option), WORD, "a plain word")
    require(
        (machine.gpus > 0) == (sky.gpu_model is not None),
        f"--gpus is {machine.gpus} and --gpu-model {sky.gpu_model}; SkyPilot needs both, as in "
        "--gpus 1 --gpu-model H100, or none",
    )
    require_word("--memory", machine.memory, r"\d+", "32, in GB")
    _require_on(run.run_dir, sky.mount)
    if sky.image is not None:
        require_image(sky.image, run.config, machine)
    require(
        sky.image is not None or Path("pyproject.toml").is_file(),
        "without --image the current folder is copied and installed, and this one holds no "
        "pyproject.toml; start in the project's folder, or give an image",
    )
    require_within(run, Path.cwd())
    copied = sky.image is None or bool(run.files)
    return filled(
        "skypilot.yaml",
        {
            "TITLE": title,
            "NAME": run.name,
            "NODES": machine.nodes,
            "WORKDIR": "." if copied else None,
            "INFRA": sky.infra,
            "IMAGE": f"docker:{sky.image}" if sky.image else None,
            "CPUS": machine.cpus,
            "MEMORY": machine.memory,
            "ACCELERATORS": f"{sky.gpu_model}:{machine.gpus}" if machine.gpus else None,
            "SPOT": str(sky.spot).lower(),
            "MOUNT": sky.mount,
            "VOLUME": sky.volume,
            "SETUP": "evoplastic --version" if sky.image else INSTALL,
            "COMMAND": as_command(["evoplastic", *run.words(None, *run.shared_out(machine))]),
        },
    )


@dataclass(frozen=True, kw_only=True)
class RayUp:
    """What Ray's cluster launcher is told: machines of AWS, or some that are there."""

    image: str
    ssh_user: str = "ubuntu"
    region: str | None = None
    head_type: str | None = None
    """None: `HEAD_TYPE`."""
    worker_type: str | None = None
    spot: bool = False
    least_nodes: int = 0
    head_ip: str | None = None
    worker_ips: Sequence[str] = ()
    mount: str = "/runs"


def ray_cluster_file(run: LaunchedRun, machine: Machine, up: RayUp, title: str) -> str:
    """A file for `ray up`, and the command to give to `ray exec`.

    Raises:
        UsageError: as the options say.
    """
    for option in ("image", "ssh_user", "region", "head_type", "worker_type", "head_ip", "mount"):
        require_word(f"--{option.replace('_', '-')}", getattr(up, option), WORD, "a plain word")
    for address in up.worker_ips:
        require_word("--worker-ips", address, r"[\w.:-]+", "10.0.0.2,10.0.0.3")
    require_image(up.image, run.config, machine)
    require_workers(run)
    _require_on(run.run_dir, up.mount)
    require_within(run, Path.cwd())
    require(
        (up.region is None) != (up.head_ip is None),
        "say --region and --worker-type for machines of AWS, or --head-ip and --worker-ips for "
        "machines that are there",
    )
    require(
        bool(up.worker_ips) if up.head_ip else up.worker_type is not None,
        "--head-ip needs --worker-ips" if up.head_ip else "--region needs --worker-type",
    )
    require(
        up.least_nodes <= machine.nodes,
        f"--nodes is {up.least_nodes}-{machine.nodes}, expected the smaller number first",
    )
    there = up.head_ip is not None
    require(
        not there or not (up.head_type or up.worker_type or up.spot),
        "--head-type, --worker-type and --spot are for machines of AWS, and --head-ip names "
        "machines that are there; leave them out",
    )
    require(
        there or not up.worker_ips,
        "--worker-ips names machines that are there, and --region asks AWS for some; say one",
    )
    folder = "cd ~/run && " if run.files else ""
    words = run.words(None, "--address", "auto", *run.growing(machine))
    line = folder + as_command(["evoplastic", *words])
    files = {"~/.ray/auth_token": "~/.ray/auth_token"} | ({"~/run": "."} if run.files else {})
    options = [
        "--env=RAY_AUTH_MODE=token",
        f"--volume={up.mount}:{up.mount}",
        "--ulimit=nofile=65536",
    ]
    return filled(
        "ray-cluster.yaml",
        {
            "TITLE": title,
            "COMMAND": as_command([line]),
            "NAME": run.name,
            "MOST_NODES": machine.nodes,
            "PROVIDER": _there(up) if there else f"type: aws\nregion: {up.region}",
            "SSH_USER": up.ssh_user,
            "IMAGE": up.image,
            "MOUNT": up.mount,
            "RUN_OPTIONS": ", ".join(map(json.dumps, options)),
            "FILES": "\n".join(f"{far}: {near}" for far, near in files.items()),
            "NODE_TYPES": None if there else _node_types(machine, up),
        },
    )


def _there(up: RayUp) -> str:
    return f"type: local\nhead_ip: {up.head_ip}\nworker_ips: [{', '.join(up.worker_ips)}]"


def _node_types(machine: Machine, up: RayUp) -> str:
    market = ", InstanceMarketOptions: {MarketType: spot}" if up.spot else ""
    gpus = f", GPU: {machine.gpus}" if machine.gpus else ""
    return "\n".join(
        [
            "available_node_types:",
            "  head:",
            "    resources: {CPU: 0}",
            "    min_workers: 0",
            "    max_workers: 0",
            f"    node_config: {{InstanceType: {up.head_type or HEAD_TYPE}}}",
            "  worker:",
            f"    resources: {{CPU: {machine.cpus}{gpus}}}",
            f"    min_workers: {up.least_nodes}",
            f"    max_workers: {machine.nodes}",
            f"    node_config: {{InstanceType: {up.worker_type}{market}}}",
            "head_node_type: head",
        ]
    )


def _require_on(run_dir: str, mount: str) -> None:
    require(
        f"{run_dir}/".startswith(f"{mount}/") and ".." not in run_dir.split("/"),
        f"--run-dir is {run_dir}, expected a folder within {mount}, where the volume is: "
        "everything else is lost with the machine",
    )
