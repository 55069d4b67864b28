"""What each verb of `launch` does: check the run here, fill in the file, print or write it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from evoplastic import trust
from evoplastic.checks import UsageError, refused, require
from evoplastic.cli import exits
from evoplastic.commands import quoted

if TYPE_CHECKING:
    from cluster.launch.run import LaunchedRun, Machine
    from cluster.launch.slurm import Queue


def slurm(args: argparse.Namespace) -> int:
    """A batch file of one run."""
    from cluster.launch.slurm import slurm_file

    machine = _machine(args, args.nodes)
    run = _run(args, machine, "runs")
    return _give(args, slurm_file(run, machine, _queue(args), _title(args)))


def slurm_array(args: argparse.Namespace) -> int:
    """A batch file of a sweep."""
    from cluster.launch.run import plain_name, require_engine
    from cluster.launch.slurm import slurm_array_file
    from cluster.sweep.plan import make_plan

    trust.never_ask()
    plan = make_plan(args.recipe, args.overrides)
    machine = _machine(args, 1)
    for run in plan.runs:
        require_engine(run.config, machine)
    root = args.run_dir or f"runs/{plan.name}-sweep"
    words = ["sweep", args.recipe, *args.overrides, "--run-dir", root, "--continue"]
    text = slurm_array_file(
        plain_name(f"{plan.name}-sweep"),
        words,
        len(plan.runs),
        machine,
        _queue(args),
        _title(args),
        at_once=args.at_once,
    )
    return _give(args, text)


def kuberay(args: argparse.Namespace) -> int:
    """A RayJob."""
    from cluster.launch.kubernetes import Cluster, rayjob_file

    least, most = args.nodes or (1, 1)
    machine = _machine(args, most)
    cluster = Cluster(
        image=_image(args, machine),
        volume=args.volume,
        mount=args.mount.rstrip("/"),
        secret=args.secret,
        namespace=args.namespace,
        least_nodes=least,
        gpu_resource=args.gpu_resource,
        head_cpus=args.head_cpus,
        head_memory=args.head_memory,
        retries=args.retries,
        seconds=args.seconds,
    )
    run = _run(args, machine, cluster.mount)
    return _give(args, rayjob_file(run, machine, cluster, _title(args)))


def skypilot(args: argparse.Namespace) -> int:
    """A task of SkyPilot."""
    from cluster.launch.clouds import Sky, skypilot_file

    machine = _machine(args, args.nodes)
    sky = Sky(
        volume=args.volume,
        mount=args.mount.rstrip("/"),
        infra=args.infra,
        gpu_model=args.gpu_model,
        image=args.image,
        spot=not args.on_demand,
    )
    run = _run(args, machine, sky.mount)
    return _give(args, skypilot_file(run, machine, sky, _title(args)))


def ray_cluster(args: argparse.Namespace) -> int:
    """A cluster of Ray's launcher."""
    from cluster.launch.clouds import RayUp, ray_cluster_file

    worker_ips = args.worker_ips.split(",") if args.worker_ips else []
    least, most = args.nodes or ((len(worker_ips),) * 2 if worker_ips else (1, 1))
    require(
        not worker_ips or most == len(worker_ips),
        f"--nodes is {most}, but --worker-ips names {len(worker_ips)}; leave out --nodes",
    )
    machine = _machine(args, most)
    up = RayUp(
        image=_image(args, machine),
        ssh_user=args.ssh_user,
        region=args.region,
        head_type=args.head_type,
        worker_type=args.worker_type,
        spot=args.spot,
        least_nodes=least,
        head_ip=args.head_ip,
        worker_ips=worker_ips,
        mount=args.mount.rstrip("/"),
    )
    run = _run(args, machine, up.mount)
    return _give(args, ray_cluster_file(run, machine, up, _title(args)))


def docker(args: argparse.Namespace) -> int:
    """A Dockerfile."""
    from cluster.config.run import load_config
    from cluster.launch.image import dockerfile
    from cluster.launch.run import Machine

    idle = load_config(args.recipe, args.overrides).engine in ("cpu", "reference")
    run = _run(args, Machine(nodes=1, cpus=1, gpus=0 if idle else 1), "/runs")
    return _give(args, dockerfile(run, args.device, _title(args)))


def _machine(args: argparse.Namespace, nodes: int) -> Machine:
    from cluster.launch.run import Machine

    return Machine(
        nodes=nodes, cpus=args.cpus, gpus=args.gpus, memory=getattr(args, "memory", None)
    )


def _run(args: argparse.Namespace, machine: Machine, runs: str) -> LaunchedRun:
    from cluster.config.naming import filled_in
    from cluster.config.run import load_config
    from cluster.launch.run import check_run

    trust.never_ask()
    config = load_config(args.recipe, args.overrides)
    named = f"{runs}/{{name}}-seed{{seed}}" if args.run_dir is None else args.run_dir
    return check_run(
        args.recipe,
        args.overrides,
        str(filled_in(named, config)),
        machine,
        workers=getattr(args, "workers", None),
        gpus_per_worker=getattr(args, "gpus_per_worker", None),
        cpus_per_worker=getattr(args, "cpus_per_worker", None),
    )


def _queue(args: argparse.Namespace) -> Queue:
    from cluster.launch.slurm import Queue

    return Queue(
        time=args.time,
        partition=args.partition,
        account=args.account,
        qos=args.qos,
        grace=args.grace,
        requeues=args.requeues,
        setup=args.setup,
    )


def _image(args: argparse.Namespace, machine: Machine) -> str:
    from cluster.launch.image import image_name

    image: str = args.image or image_name("cuda" if machine.gpus else "cpu")
    return image


def _title(args: argparse.Namespace) -> str:
    """How the file was made, so that it can be made again."""
    return f"Made by: evoplastic launch {' '.join(map(quoted, args.typed[1:]))}"


def _give(args: argparse.Namespace, text: str) -> int:
    out: Path | None = args.out
    if out is None:
        print(text, end="")
        return exits.DONE
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise UsageError(f"{out} exists; name another file with --out, or remove it") from error
    except OSError as error:
        raise refused(error, f"{out} cannot be written: {error.strerror}") from error
    print(f"wrote {quoted(str(out))}")
    return exits.DONE
