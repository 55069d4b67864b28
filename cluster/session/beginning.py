"""How a process begins with a run: anew, or where the newest whole checkpoint says."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from cluster.environment import describe_environment
from cluster.executors import Executor
from cluster.experiment import Experiment
from cluster.journal import Journal, now_ms
from cluster.progress import Clock
from cluster.restoring import restore
from cluster.rundir import RunDirectory
from cluster.session.chronicle import Chronicle
from cluster.session.informing import Informing
from cluster.session.lineage import Lineage
from cluster.session.pedigree import Pedigree
from cluster.session.session import Session
from cluster.session.summaries import flat_at_the_end, last_evaluation_of, recorded_before
from cluster.sources import keep_sources, read_sources, sources_of
from evoplastic.records.events import ResumeEvent, StartEvent

logger = logging.getLogger(__name__)


@contextmanager
def open_session(experiment: Experiment, directory: RunDirectory) -> Iterator[Session]:
    """Continue from the newest whole checkpoint, or begin where there is none yet.

    Raises:
        UsageError: checkpoints or journal are damaged, or belong to another run.
    """
    config = experiment.config
    with Journal.open(directory.journal) as journal:
        first = experiment.first_genome()
        state, generation = restore(experiment, directory, journal, first)
        told = journal.events_at_opening
        recorded = recorded_before(told, generation)
        yield Session(
            experiment=experiment,
            chronicle=Chronicle(directory, journal, config.tracking),
            lineage=Lineage(experiment, directory, first, Lineage.measured(told)),
            pedigree=Pedigree(
                directory.path, directory.run_id, config.evaluation.pedigree_mib, generation
            ),
            state=state,
            generation=generation,
            clock=Clock(generation, config.evolution.generations),
            informing=Informing(experiment, told),
            last_evaluation=last_evaluation_of(told),
            metrics=dict(recorded[-1].metrics) if recorded else {},
            flat=flat_at_the_end(recorded),
        )


def begin(session: Session, executor: Executor) -> None:
    """Write down that the run begins or goes on, and start telling the tracking store."""
    session.work_with(executor)
    chronicle, config = session.chronicle, session.experiment.config
    _warm_up(session)
    chronicle.directory.set_status("running")
    if not any(isinstance(event, StartEvent) for event in chronicle.before):
        _start(session)
    else:
        _go_on(session)
    chronicle.start_tracking()
    session.take_faults()  # of examining the tasks, and first banks
    logger.info("%s: engine %s, %d workers", config.name, session.engine, executor.workers)


def _warm_up(session: Session) -> None:
    """Load what the search needs, which takes seconds, before any generation is timed."""
    session.search.warm_up(session.state)
    session.clock = Clock(session.generation, session.experiment.config.evolution.generations)


def _start(session: Session) -> None:
    experiment, directory = session.experiment, session.chronicle.directory
    config, environment = experiment.config, describe_environment()
    session.lineage.keep_initial()
    if read_sources(directory.path) is None:  # else they are those of the run that was forked
        keep_sources(directory.path, sources_of(config.suite, experiment.suite))
    session.save_checkpoint()
    session.chronicle.append(
        StartEvent(
            time_ms=now_ms(),
            run_id=directory.run_id,
            name=config.name,
            seed=config.seed,
            config_digest=config.digest,
            suite_digest=experiment.suite.digest,
            git_commit=environment["git_commit"],
            git_dirty=environment["git_dirty"],
            engine=session.engine,
            versions={"python": environment["python"], **environment["packages"]},
            negations=experiment.suite.negations,
        )
    )


def _go_on(session: Session) -> None:
    session.lineage.keep_initial()
    session.lineage.thin_out()
    engine, events = session.engine, session.chronicle.before
    before = [event.engine for event in events if isinstance(event, StartEvent | ResumeEvent)][-1]
    if before and engine != before:
        logger.warning(
            "this run was on engine %s and goes on with %s: the same up to rounding, no longer "
            "byte for byte",
            before,
            engine,
        )
    session.chronicle.append(
        ResumeEvent(time_ms=now_ms(), generation=session.generation, engine=engine)
    )
