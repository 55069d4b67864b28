"""launch slurm | slurm-array | kuberay | skypilot | ray-cluster | docker: what they are told."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from evoplastic.cli.launch import making
from evoplastic.cli.verbs import Run, add_verb, count_from_zero, positive

if TYPE_CHECKING:
    from evoplastic.cli.verbs import Subparsers


def add_verbs(verbs: Subparsers) -> None:
    """Declare `launch` and its verbs."""
    family = add_verb(
        verbs,
        "launch",
        "print a file that starts a run elsewhere, checked here",
        """
        evoplastic launch slurm miconi2023 --nodes 4 --cpus 16 --time 12:00:00 --out run.sbatch
        evoplastic launch kuberay miconi2023 --gpus 1 --nodes 1-8 --volume runs
        """,
    ).add_subparsers(title="verbs", metavar="VERB", required=True)
    _add_slurm(family)
    _add_slurm_array(family)
    _add_kuberay(family)
    _add_skypilot(family)
    _add_ray_cluster(family)
    _add_docker(family)


def _add_slurm(family: Subparsers) -> None:
    slurm = _add(
        family,
        "slurm",
        "print a batch file for Slurm: one node, or several with a Ray cluster of their own",
        """
        evoplastic launch slurm laptop --cpus 8 --time 2:00:00 --out run.sbatch
        evoplastic launch slurm miconi2023 seed=3 --nodes 4 --cpus 16 --gpus 2 --partition gpu
        """,
        making.slurm,
    )
    slurm.add_argument("--nodes", type=positive, default=1, metavar="N", help="nodes (default 1)")
    _add_workers(slurm)
    _add_machine(slurm)
    _add_queue(slurm)


def _add_slurm_array(family: Subparsers) -> None:
    array = _add(
        family,
        "slurm-array",
        "print a batch file for Slurm that does a sweep, each of its runs a task of an array",
        """
        evoplastic launch slurm-array laptop 'seed=1..5' 'search.sigma=0.02,0.03' --at-once 4
        """,
        making.slurm_array,
    )
    array.add_argument("--at-once", type=positive, metavar="K", help="runs at a time (default all)")
    _add_machine(array)
    _add_queue(array)


def _add_kuberay(family: Subparsers) -> None:
    kuberay = _add(
        family,
        "kuberay",
        "print a RayJob for Kubernetes with the KubeRay operator",
        """
        evoplastic launch kuberay miconi2023 --nodes 1-8 --cpus 7 --gpus 1 --volume runs
        """,
        making.kuberay,
    )
    _add_nodes(kuberay)
    _add_workers(kuberay)
    _add_machine(kuberay)
    _add_image(kuberay)
    _add_mount(kuberay, "PersistentVolumeClaim that holds the run directory")
    kuberay.add_argument("--namespace", default="default", metavar="S", help="(default default)")
    kuberay.add_argument(
        "--secret",
        default="evoplastic-ray-token",
        metavar="S",
        help="secret with Ray's token as auth_token (default evoplastic-ray-token)",
    )
    kuberay.add_argument(
        "--gpu-resource",
        default="nvidia.com/gpu",
        metavar="R",
        help="what a GPU is called there (default nvidia.com/gpu)",
    )
    kuberay.add_argument(
        "--head-cpus", type=positive, default=2, metavar="C", help="for the driver (default 2)"
    )
    kuberay.add_argument(
        "--head-memory", default="8Gi", metavar="M", help="for the driver (default 8Gi)"
    )
    kuberay.add_argument(
        "--retries",
        type=count_from_zero,
        default=20,
        metavar="N",
        help="new clusters that may go on after a failure (default 20)",
    )
    kuberay.add_argument(
        "--seconds", type=positive, metavar="S", help="most time of the job (default no limit)"
    )


def _add_skypilot(family: Subparsers) -> None:
    sky = _add(
        family,
        "skypilot",
        "print a task for SkyPilot's managed jobs",
        """
        evoplastic launch skypilot miconi2023 --gpus 1 --gpu-model L4 --volume runs
        """,
        making.skypilot,
    )
    sky.add_argument("--nodes", type=positive, default=1, metavar="N", help="nodes (default 1)")
    _add_workers(sky)
    _add_machine(sky)
    sky.add_argument("--gpu-model", metavar="M", help="as SkyPilot calls it, such as H100")
    sky.add_argument("--infra", metavar="I", help="where, such as aws/us-east-1 or k8s")
    sky.add_argument(
        "--image", metavar="IMAGE", help="image (default: the project's folder is installed)"
    )
    sky.add_argument("--on-demand", action="store_true", help="no spot machines")
    _add_mount(sky, "network volume that holds the run directory")


def _add_ray_cluster(family: Subparsers) -> None:
    up = _add(
        family,
        "ray-cluster",
        "print a file for Ray's cluster launcher, `ray up`: machines of AWS, or of your own",
        """
        evoplastic launch ray-cluster laptop --region us-east-1 --worker-type c6i.4xlarge --cpus 16
        evoplastic launch ray-cluster laptop --head-ip 10.0.0.1 --worker-ips 10.0.0.2,10.0.0.3
        """,
        making.ray_cluster,
    )
    _add_nodes(up)
    _add_workers(up)
    _add_machine(up, memory=False)
    _add_image(up)
    up.add_argument("--mount", default="/runs", metavar="D", help="shared folder (default /runs)")
    up.add_argument("--region", metavar="R", help="region of AWS")
    up.add_argument("--head-type", metavar="T", help="(default m6i.large)")
    up.add_argument("--worker-type", metavar="T", help="type of the machines that compute")
    up.add_argument("--spot", action="store_true", help="machines that may be taken back")
    up.add_argument("--head-ip", metavar="A", help="machine that is there, for the driver")
    up.add_argument("--worker-ips", metavar="A,B", help="machines that are there")
    up.add_argument("--ssh-user", default="ubuntu", metavar="U", help="(default ubuntu)")


def _add_docker(family: Subparsers) -> None:
    docker = _add(
        family,
        "docker",
        "print a Dockerfile of images for CPUs or NVIDIA GPUs that do the run",
        """
        evoplastic launch docker laptop --out Dockerfile
        evoplastic launch docker miconi2023 --device cuda
        """,
        making.docker,
    )
    docker.add_argument(
        "--device", choices=("cpu", "cuda"), default="cpu", help="what is built by default"
    )


def _add(
    family: Subparsers, name: str, summary: str, examples: str, make: Run
) -> argparse.ArgumentParser:
    parser = add_verb(family, name, summary, examples, make)
    parser.add_argument("recipe", metavar="RECIPE|FILE", help="see `evoplastic config show`")
    parser.add_argument(
        "overrides", nargs="*", metavar="key=value", help="settings to change, by dotted name"
    )
    parser.add_argument("--run-dir", metavar="D", help="as it is called there, `{seed}` filled in")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write it here, not on stdout")
    return parser


def _add_workers(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--workers", metavar="W", help="as `evolve` takes it (default: all there is room for)"
    )
    parser.add_argument("--gpus-per-worker", type=float, metavar="G", help="as `evolve` takes it")
    parser.add_argument(
        "--cpus-per-worker", type=positive, metavar="C", help="as `evolve` takes it"
    )


def _add_machine(parser: argparse.ArgumentParser, *, memory: bool = True) -> None:
    parser.add_argument(
        "--cpus", type=positive, default=4, metavar="C", help="cores of a node (default 4)"
    )
    parser.add_argument(
        "--gpus", type=count_from_zero, default=0, metavar="G", help="GPUs of a node (default 0)"
    )
    if memory:
        parser.add_argument("--memory", metavar="M", help="memory of a node, in words of the place")


def _add_nodes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--nodes",
        type=_range,
        metavar="N|MIN-MAX",
        help="nodes that compute; with two numbers they come as they are needed (default 1)",
    )


def _add_image(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--image", metavar="IMAGE", help="image on all nodes (default: as `launch docker` names it)"
    )


def _add_mount(parser: argparse.ArgumentParser, volume: str) -> None:
    parser.add_argument("--volume", required=True, metavar="V", help=volume)
    parser.add_argument("--mount", default="/runs", metavar="D", help="its place (default /runs)")


def _add_queue(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--time", default="24:00:00", metavar="T", help="time limit (default 24:00:00)"
    )
    for option in ("partition", "account", "qos"):
        parser.add_argument(f"--{option}", metavar="P", help="as `sbatch` takes it")
    parser.add_argument(
        "--grace",
        type=positive,
        default=120,
        metavar="S",
        help="seconds before the time limit at which the run stops (default 120)",
    )
    parser.add_argument(
        "--requeues",
        type=count_from_zero,
        default=1000,
        metavar="N",
        help="times that it may go back into the queue (default 1000)",
    )
    parser.add_argument(
        "--setup",
        action="append",
        default=[],
        type=_line,
        metavar="LINE",
        help="line for the shell that comes first, such as 'module load cuda'; may be repeated",
    )


def _range(text: str) -> tuple[int, int]:
    least, dash, most = text.partition("-")
    numbers = (count_from_zero(least), count_from_zero(most)) if dash else (positive(least),) * 2
    if not 0 <= numbers[0] <= numbers[1] or numbers[1] == 0:
        raise argparse.ArgumentTypeError(f"{text} is not N, or MIN-MAX with MAX of 1 or more")
    return numbers[0], numbers[1]


def _line(text: str) -> str:
    try:
        shlex.split(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no line of a shell: {error}") from None
    if not text.isprintable():
        raise argparse.ArgumentTypeError(f"{text!r} is not one line")
    return text
