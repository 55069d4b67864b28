"""One command for the first start and for every later one: it starts a run, or goes on with it.

A scheduler runs the command that it was given again after a pre-emption or a failed node. So the
same words mean: begin where nothing is, resume what is there, and do nothing where all is done.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cluster.config.run import RunConfig
from cluster.lock import Occupied
from cluster.loop import RunOutcome, evolve, resume
from cluster.rundir import Taken, holds_run
from cluster.sources import Sources
from evoplastic import trust
from evoplastic.checks import Preempted
from evoplastic.genome.genome import Genome


def evolve_or_resume(
    config: RunConfig,
    run_dir: Path,
    *,
    start: Genome | None = None,
    sources: Sources | None = None,
    **how: Any,
) -> RunOutcome:
    """See a run to its end, whether it has begun or not.

    Args:
        config: all settings. A run that is there has the same, but for what may change on the way,
            as `evolution.generations`.
        run_dir: directory of the run, made if it is not there.
        start: the genome that `warm_start` names; a run that is there has its own copy.
        sources: as for `evolve`; a run that is there has its own.
        how: workers and the like, as for `evolve`.

    Raises:
        UsageError: as `evolve` and `resume`; naming the keys in which the run that is there
            differs, with both values.
        Preempted: another driver is at work on the run. To try again later is all that helps, and
            hurts nobody: the run is done then, or goes on from where that driver left it.
        EnvironmentFault: as `evolve`.
    """
    try:
        if not holds_run(run_dir):
            try:
                return evolve(config, run_dir, start=start, sources=sources, **how)
            except Taken:  # in the meantime, another process has begun it
                pass
        trust.set_from_run()
        return resume(run_dir, asked=config, **how)
    except Occupied as error:
        raise Preempted(str(error)) from error
