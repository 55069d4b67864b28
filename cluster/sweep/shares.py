"""Who gets which part of the machine: runs at once, and threads of each."""

from __future__ import annotations

import os
from dataclasses import dataclass

from cluster.workers.staffing.request import WorkerRequest
from evoplastic.checks import require
from evoplastic.machine import memory_bytes, usable_cores

DRIVER_BYTES = 1_000_000_000  # of a process with PyTorch, the compiled engine and MLflow


@dataclass(frozen=True, kw_only=True)
class Share:
    """How the runs of a sweep share the machine, or a cluster."""

    at_once: int
    cores: int  # that may be used here
    devices: tuple[str, ...] = ()  # GPUs, as CUDA_VISIBLE_DEVICES names them; none where CPUs work

    def threads(self, unfinished: int) -> int:
        """Threads of a run that starts now: the cores over the runs that are at work beside it.

        >>> share = Share(at_once=4, cores=8)
        >>> [share.threads(unfinished) for unfinished in (9, 4, 2, 1)]
        [2, 2, 4, 8]
        """
        return max(1, self.cores // max(1, min(self.at_once, unfinished)))

    def device(self, slot: int) -> str | None:
        """The GPU of a run in one of `at_once` places; None where a run uses none, or any.

        >>> share = Share(at_once=3, cores=8, devices=("0", "1"))
        >>> [share.device(slot) for slot in range(3)]
        ['0', '1', '0']
        """
        return self.devices[slot % len(self.devices)] if self.devices else None


def share_of(
    runs: int,
    at_once: int | None,
    *,
    workers: WorkerRequest | None,
    address: str | None,
    on_gpu: bool = False,
) -> Share:
    """How many runs there are at once, where nobody says: one per core or GPU, or per its workers,
    and no more than there is memory for.

    Args:
        runs: runs of the sweep.
        at_once: what was asked for.
        workers: Ray worker processes of each run; None where runs are one process each.
        address: of a Ray cluster, whose CPUs are not counted here.
        on_gpu: whether a run without workers takes a GPU of this machine.

    Raises:
        UsageError: several runs at once that each take all of a cluster.
    """
    cores = usable_cores()
    if address is not None:
        require(
            isinstance(workers.most if workers else None, int) or (at_once or 1) == 1,
            f"--at-once is {at_once} on the cluster {address}, where each run takes every CPU; say "
            "with --workers how many each of them gets",
        )
        return Share(at_once=min(runs, at_once or 1), cores=cores)
    each = _cores_of(workers, cores)
    devices = _devices() if on_gpu and not each else ()
    room = max(1, memory_bytes() // DRIVER_BYTES)
    chosen = at_once or len(devices) or max(1, min(room, cores // max(1, each)))
    return Share(at_once=max(1, min(runs, chosen)), cores=cores, devices=devices)


def _devices() -> tuple[str, ...]:
    """The GPUs that this process may use, by the names that a process of its own knows them by."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named:
        return tuple(name.strip() for name in named.split(",") if name.strip())
    import torch

    return tuple(str(number) for number in range(torch.cuda.device_count()))


def _cores_of(workers: WorkerRequest | None, cores: int) -> int:
    """Cores that the workers of one run may take; 0 where it has none."""
    if workers is None:
        return 0
    return workers.most * workers.cpus_per_worker if isinstance(workers.most, int) else cores
