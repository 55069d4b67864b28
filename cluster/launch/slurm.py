"""Batch files for Slurm: one run on one or many nodes, or a sweep as an array."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cluster.launch.run import LaunchedRun, Machine
from cluster.launch.template import filled, require_word
from evoplastic.checks import require
from evoplastic.commands import command, quoted

TIME = r"\d+|\d+:\d\d(:\d\d)?|\d+-\d\d?(:\d\d){0,2}"
NAME = r"[A-Za-z0-9_.,@+-]+"
MEMORY = r"\d+[KMGT]?"


@dataclass(frozen=True, kw_only=True)
class Queue:
    """Where a job waits, and how long it may run."""

    time: str
    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    grace: int = 120
    """Seconds before the time limit at which the run is told to stop."""
    requeues: int = 1000
    """How often a job goes back into the queue that was stopped from outside."""
    setup: Sequence[str] = ()
    """Lines for the shell that come first, such as `module load cuda`."""

    def __post_init__(self) -> None:
        require_word("--time", self.time, TIME, "90 (minutes), 12:00:00 or 2-00:00:00")
        for option in ("partition", "account", "qos"):
            require_word(f"--{option}", getattr(self, option), NAME, "a name of your Slurm")
        minutes = _minutes(self.time)
        require(
            self.grace < 60 * minutes,
            f"--grace is {self.grace} s, expected less than --time {self.time}, or the run is told "
            "to stop as it starts",
        )


def slurm_file(run: LaunchedRun, machine: Machine, queue: Queue, title: str) -> str:
    """The batch file of one run; on several nodes it starts a Ray cluster of its own on them.

    Raises:
        UsageError: an option that Slurm would not take.
    """
    words = command(*run.words(None, *run.shared_out(machine)), anywhere=True)
    common = _common(run.name, words, machine, queue, title)
    return filled("slurm.sbatch", common | {"NODES": machine.nodes})


def slurm_array_file(
    name: str,
    sweep: Sequence[str],
    runs: int,
    machine: Machine,
    queue: Queue,
    title: str,
    *,
    at_once: int | None,
) -> str:
    """The batch file of a sweep, a task of an array for each run.

    Args:
        sweep: words of the command that does one of the runs, but for its index.

    Raises:
        UsageError: an option that Slurm would not take.
    """
    common = _common(name, command(*sweep, anywhere=True), machine, queue, title)
    return filled("slurm-array.sbatch", common | {"RUNS": runs, "AT_ONCE": at_once or runs})


def _common(name: str, words: str, machine: Machine, queue: Queue, title: str) -> dict[str, object]:
    require_word("--memory", machine.memory, MEMORY, "32G")
    folder = str(Path.cwd())
    require(
        folder.isprintable() and '"' not in folder,
        f"the current folder {folder!r} has a name that batch files cannot hold; use another",
    )
    programs = f'export PATH={quoted(str(Path(sys.executable).parent))}:"$PATH"'
    return {
        "TITLE": title,
        "NAME": name,
        "FOLDER": f'"{folder}"' if " " in folder else folder,
        "CPUS": machine.cpus,
        "GPUS": machine.gpus or None,
        "MEMORY": machine.memory,
        "TIME": queue.time,
        "PARTITION": queue.partition,
        "ACCOUNT": queue.account,
        "QOS": queue.qos,
        "GRACE": queue.grace,
        "SETUP": "\n".join([*queue.setup, programs]),
        "COMMAND": words,
        "REQUEUES": queue.requeues,
    }


def _minutes(time: str) -> float:
    """Slurm's ways to write a time.

    >>> _minutes("90"), _minutes("1:30"), _minutes("12:00:00"), _minutes("2-6")
    (90.0, 1.5, 720.0, 3240.0)
    """
    days, dash, rest = time.rpartition("-")
    parts = [float(part) for part in rest.split(":")]
    if dash:
        hours, minutes, seconds = [*parts, 0.0, 0.0][:3]
        return 1440 * float(days) + 60 * hours + minutes + seconds / 60
    if len(parts) == 3:
        return 60 * parts[0] + parts[1] + parts[2] / 60
    return parts[0] + (parts[1] / 60 if len(parts) == 2 else 0.0)
