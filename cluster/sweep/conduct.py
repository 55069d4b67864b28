"""The runs of a sweep, some at once, until all are done or a signal stops them."""

from __future__ import annotations

import logging
import queue
import signal
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from cluster.config.run import load_config
from cluster.rundir import STATUS_NAME
from cluster.sweep.children import Child, RunResult, Told
from cluster.sweep.plan import Plan, PlannedRun
from cluster.sweep.progress import SweepProgress
from cluster.sweep.shares import Share
from evoplastic.checks import UsageError
from evoplastic.records.names import CONFIG_NAME
from evoplastic.stopping import StopSignal

logger = logging.getLogger(__name__)

LOOK_S = 0.1


def conduct(
    plan: Plan,
    chosen: Sequence[PlannedRun],
    root: Path,
    share: Share,
    options: Sequence[str],
    progress: SweepProgress,
    stop: StopSignal,
) -> list[RunResult]:
    """Let the chosen runs run, each as a process; one that fails stops no other.

    Args:
        plan: the sweep.
        chosen: its runs that are to be done here.
        root: its directory.
        share: how many at once, with how many threads.
        options: of `evolve`, the same for all runs.
        progress: where all is shown.
        stop: a signal is handed on to every run, and nothing more is started.

    Returns:
        How each run was left, in their order; those that were not started are missing.
    """
    waiting = deque(chosen)
    at_work: dict[str, Child] = {}
    results: dict[str, RunResult] = {}
    told: queue.Queue[Told] = queue.Queue()
    handed_on = 0
    while waiting or at_work:
        while waiting and len(at_work) < share.at_once and not stop():
            run = waiting.popleft()
            if is_done(run, root / run.name):
                results[run.name] = RunResult(name=run.name, status="done", code=0)
                progress.ended(results[run.name], was_done=True)
                continue
            threads = share.threads(len(waiting) + len(at_work) + 1)
            taken = {child.slot for child in at_work.values()}
            slot = next(slot for slot in range(share.at_once) if slot not in taken)
            at_work[run.name] = Child(run, plan.source, root, share, slot, threads, options, told)
            progress.started(run.name, at_work[run.name].threads)
        if stop():
            waiting.clear()
            if stop.times > handed_on:
                handed_on = stop.times
                for child in at_work.values():
                    child.send(stop.received or signal.SIGTERM)
        if at_work:
            _hear(told, at_work, results, progress)
    return [results[run.name] for run in chosen if run.name in results]


def is_done(run: PlannedRun, run_dir: Path) -> bool:
    """Whether a run is over and has these settings, so that no process need look at it."""
    try:
        status = (run_dir / STATUS_NAME).read_text(errors="replace").strip()
        if status != "done":
            return False
        return load_config(run_dir / CONFIG_NAME).digest == run.config.digest
    except (OSError, UsageError):
        return False


def _hear(
    told: queue.Queue[Told],
    at_work: dict[str, Child],
    results: dict[str, RunResult],
    progress: SweepProgress,
) -> None:
    """Take in what children say, for a moment."""
    try:
        name, values = told.get(timeout=LOOK_S)
    except queue.Empty:
        return
    if values is not None:
        progress.told(name, values)
        return
    results[name] = at_work.pop(name).result()
    progress.ended(results[name])
