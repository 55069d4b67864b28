"""Who gets which part of the machine: runs at once, and threads of each."""

from __future__ import annotations

from dataclasses import dataclass

from evoplastic.checks import require
from evoplastic.machine import usable_cores


@dataclass(frozen=True, kw_only=True)
class Share:
    """How the runs of a sweep share the machine, or a cluster."""

    at_once: int
    cores: int  # that may be used here

    def threads(self, unfinished: int) -> int:
        """Threads of a run that starts now: the cores over the runs that are at work beside it.

        >>> share = Share(at_once=4, cores=8)
        >>> [share.threads(unfinished) for unfinished in (9, 4, 2, 1)]
        [2, 2, 4, 8]
        """
        return max(1, self.cores // max(1, min(self.at_once, unfinished)))


def share_of(runs: int, at_once: int | None, *, workers: str | None, address: str | None) -> Share:
    """How many runs there are at once, where nobody says: one per core, or per its workers.

    Args:
        runs: runs of the sweep.
        at_once: what was asked for.
        workers: Ray worker processes of each run, as they were typed; None where none were named.
        address: of a Ray cluster, whose CPUs are not counted here.

    Raises:
        UsageError: several runs at once that each take all of a cluster.
    """
    cores = usable_cores()
    if address is not None:
        require(
            workers is not None or (at_once or 1) == 1,
            f"--at-once is {at_once} on the cluster {address}, where each run takes every CPU; say "
            "with --workers how many each of them gets",
        )
        return Share(at_once=min(runs, at_once or 1), cores=cores)
    each = _most_workers(workers, cores)
    chosen = at_once or max(1, cores // max(1, each))
    return Share(at_once=max(1, min(runs, chosen)), cores=cores)


def _most_workers(workers: str | None, cores: int) -> int:
    """The most worker processes that a run may have: of `MIN-MAX` the second, of a word all."""
    if workers is None:
        return 0
    most = workers.rpartition("-")[2]
    return int(most) if most.isdecimal() else cores
