"""What a run asks of a cluster: how many workers, what each of them is given, how long to wait."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, Literal, get_args

from evoplastic.checks import UsageError, require, whole_number

AsManyAs = Literal["max", "num_gpus"]
WORDS: tuple[str, ...] = get_args(AsManyAs)
WAIT_S = 900.0  # a node that an autoscaler brings needs minutes to start
FORMS = "N (as many, or as there is room for), MIN-MAX, 'max' (all there is room for) or 'num_gpus'"
SMALLEST_SHARE = 1e-4  # of a GPU, that Ray can account for


@dataclass(frozen=True, kw_only=True)
class WorkerRequest:
    """Worker processes of a run.

    Raises:
        UsageError: numbers that contradict one another, or that Ray cannot account for.
    """

    least: int = 1
    """A generation begins when so many are there."""
    most: int | AsManyAs = "max"
    """The run grows up to so many, as nodes come; "max": whatever there is room for; "num_gpus":
    one for each GPU of the cluster."""
    gpus_per_worker: float | None = None
    """GPUs of each; a fraction shares one. None: 1 where the cluster has GPUs and the engine may
    be the GPU's, else 0."""
    cpus_per_worker: int = 1
    """CPUs of each, and threads of its engine."""
    wait_s: float | None = None
    """Seconds to wait for workers where none is there; None: 15 minutes."""

    def __post_init__(self) -> None:
        whole_number("least workers", self.least, 1)
        whole_number("--cpus-per-worker", self.cpus_per_worker, 1)
        if isinstance(self.most, str):
            require(self.most in WORDS, f"workers is {self.most!r}, expected {FORMS}")
        else:
            whole_number("--workers", self.most, 1)
            require(
                self.least <= self.most,
                f"--workers is {self.least}-{self.most}, expected the smaller number first, "
                "MIN-MAX",
            )
        gpus = self.gpus_per_worker
        if gpus is not None:
            require(
                math.isfinite(gpus) and (gpus == 0 or gpus >= SMALLEST_SHARE),
                f"--gpus-per-worker is {gpus:g}, expected 0, or {SMALLEST_SHARE:g} or more",
            )
            require(
                gpus <= 1 or gpus == int(gpus),
                f"--gpus-per-worker is {gpus:g}, expected a fraction of one GPU or whole GPUs; "
                f"take {math.ceil(gpus)}",
            )
            require(
                self.most != "num_gpus" or 0 < gpus <= 1,
                "--workers num_gpus is one worker for each GPU, --gpus-per-worker is "
                f"{gpus:g}; take 1 or a fraction, or --workers max",
            )
        require(
            self.wait_s is None or self.wait_s >= 0,
            f"--wait-for-workers is {self.wait_s} s, expected 0 or more",
        )

    @property
    def patience_s(self) -> float:
        """The longest wait for workers."""
        return WAIT_S if self.wait_s is None else self.wait_s

    @property
    def words(self) -> str:
        """How many, as it is typed.

        >>> WorkerRequest(least=2, most=8).words, WorkerRequest(most=4).words
        ('2-8', '4')
        """
        if isinstance(self.most, str) or self.least == 1:
            return str(self.most)
        return f"{self.least}-{self.most}"


def parse_workers(words: object, **settings: Any) -> WorkerRequest:
    """The request that `--workers` names.

    >>> parse_workers("2-8")
    WorkerRequest(least=2, most=8, gpus_per_worker=None, cpus_per_worker=1, wait_s=None)
    >>> parse_workers("num_gpus", gpus_per_worker=0.5).most
    'num_gpus'

    Args:
        words: N, "MIN-MAX", "max" or "num_gpus"; None means "max".
        settings: other fields of the request.

    Raises:
        UsageError: words that are not understood, MIN above MAX, or fields out of range.
    """
    if words is None or words in WORDS:
        return WorkerRequest(most=words or "max", **settings)  # type: ignore[arg-type]
    if isinstance(words, str):
        found = re.fullmatch(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?", words)
        if found is None:
            raise UsageError(f"--workers is {words!r}, expected {FORMS}")
        first, last = found[1], found[2]
        require(int(first) > 0, f"--workers is {words}, expected at least 1 worker process")
        if last is not None:
            return WorkerRequest(least=int(first), most=int(last), **settings)
        return WorkerRequest(most=int(first), **settings)
    number = whole_number("--workers", words)
    require(number >= 1, f"--workers is {number}, expected at least 1 worker process")
    return WorkerRequest(most=number, **settings)


def as_request(workers: object, address: str | None) -> WorkerRequest | None:
    """What a caller asks for, who may say it in a word; None: the work is done in his process.

    >>> as_request(0, None), as_request(None, None), as_request(None, "10.0.0.1:6379").most
    (None, None, 'max')

    Args:
        workers: a request, or words of `parse_workers`; None or 0 without an address: no workers.
        address: of a running cluster, or None.

    Raises:
        UsageError: as of `parse_workers`.
    """
    if isinstance(workers, WorkerRequest):
        return workers
    if workers in (None, 0, "0") and not isinstance(workers, bool):
        return None if address is None else WorkerRequest()
    return parse_workers(workers)
