"""A run, new or resumed: measure, ask, simulate, tell, record, checkpoint, until it is over."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from cluster.config.differences import require_same_path, require_same_settings
from cluster.config.run import RunConfig, load_config, override_config
from cluster.evaluation import evaluation_generations
from cluster.executors import Executor, InProcessExecutor, StopRequested
from cluster.experiment import Experiment, build_experiment
from cluster.planning.dry_run import warnings_of
from cluster.planning.selection import require_selection
from cluster.progress import Progress, SilentProgress
from cluster.rundir import RunDirectory
from cluster.session.beginning import begin, open_session
from cluster.session.ending import end, fail, settle, taken_away
from cluster.session.session import Session
from cluster.session.starting import kept_start, require_named
from cluster.signals import RunStatus, patiently, status_of, stop_signals
from cluster.sources import Sources, keep_sources, read_sources, standing_for
from cluster.tracking.delivery import change_experiment
from cluster.tracking.tracker import resolve_uri
from cluster.workers.staffing.request import WorkerRequest, as_request
from evoplastic.checks import Preempted
from evoplastic.genome.genome import Genome
from evoplastic.records.events import EvaluationEvent
from evoplastic.records.names import SOURCES
from evoplastic.stopping import Stopped, StopSignal

logger = logging.getLogger(__name__)

EXIT_CODES: dict[RunStatus, int] = {"done": 0, "preempted": 75, "interrupted": 130}


@dataclass(frozen=True, kw_only=True)
class RunOutcome:
    """How a process left a run."""

    status: RunStatus
    run_id: str
    run_dir: Path
    generation: int  # generations done
    generations: int
    center_digest: str
    last_evaluation: EvaluationEvent | None
    tracking_uri: str | None = None  # the store that the run is delivered to
    already_finished: bool = False  # a resumed run had nothing left to do

    @property
    def exit_code(self) -> int:
        """0 done, 75 pre-empted, 130 interrupted."""
        return EXIT_CODES[self.status]


def evolve(
    config: RunConfig,
    run_dir: Path | None = None,
    *,
    workers: int | str | WorkerRequest | None = 0,
    address: str | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
    start: Genome | None = None,
    sources: Sources | None = None,
) -> RunOutcome:
    """Start a run and see it to its end, or until a signal stops it.

    Args:
        config: all choices of the experimenter.
        run_dir: a new or empty directory; none means `runs/<run id>`.
        workers: Ray worker processes: a number, "MIN-MAX", "max", "num_gpus", or a request that
            says what each is given; 0 means the work is done in this process, None as many as the
            cluster at `address` has room for.
        address: of a running Ray cluster.
        executor: does the work instead of `workers` and `address`, and stays open.
        progress: where the run is shown.
        start: the genome that `warm_start` of the configuration names.
        sources: what another run kept of its tasks, in place of the files that the configuration
            leads to.

    Raises:
        UsageError: the configuration, the genome to start from, the address or the run directory
            does not fit, or evolution has nothing to select on, by the settings or for some
            generations in a row.
        EnvironmentFault: the surroundings fail; the run can be resumed.
    """
    request = as_request(workers, address) if executor is None else None
    require_named(config, start)
    run_id = f"{config.name}-{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"
    with ExitStack() as stack:
        suite = None
        if sources is not None:
            stack.enter_context(standing_for(sources))
            suite = sources.load_suite(config.task_table)
        elsewhere = _elsewhere(executor, request)
        experiment = build_experiment(config, suite, elsewhere=elsewhere, start=start)
        require_selection(experiment)
        if config.tracking.enabled:
            resolve_uri(config.tracking.uri, run_dir or Path("runs"))  # before files are made
        ready = stack.enter_context(_executor(executor, request, address, experiment))
        experiment = _settled(experiment, ready)
        directory = RunDirectory.create(
            run_dir or Path("runs") / run_id,
            run_id,
            config.to_yaml(),
            experiment.problem.engine,
            start,
        )
        stack.callback(directory.close)
        if sources is not None:
            keep_sources(directory.path, sources)
        work = nullcontext(ready)
        return _carry_through(experiment, directory, work, progress or SilentProgress())


def resume(
    run_dir: Path,
    overrides: Sequence[str] = (),
    *,
    workers: int | str | WorkerRequest | None = 0,
    address: str | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
    asked: RunConfig | None = None,
) -> RunOutcome:
    """Continue a run from its newest whole checkpoint.

    Args:
        run_dir: directory of the run.
        overrides: `key=value` for what may change without changing the path of the run, for
            example `evolution.generations=2000` to make it longer.
        workers: as for `evolve`; need not be the number that the run began with.
        address: as for `evolve`.
        executor: as for `evolve`.
        progress: as for `evolve`.
        asked: all settings that the run is to have, in place of overrides.

    Raises:
        UsageError: no run there, another driver at work on it, damaged files, or settings that
            would send the run on another path.
        Preempted: no room on the cluster; the run can be resumed.
        EnvironmentFault: the surroundings fail; the run can be resumed.
    """
    with ExitStack() as stack:
        directory = RunDirectory.open(run_dir)
        stack.callback(directory.close)
        written = load_config(directory.config)
        config = override_config(asked or written, overrides)
        if asked is not None:
            require_same_settings(run_dir, written, config)
        require_same_path(written, config)
        if config.tracking.experiment != written.tracking.experiment:
            change_experiment(run_dir, config.tracking.experiment)
        sources = read_sources(run_dir)
        stack.enter_context(standing_for(sources))
        suite = sources.load_suite(config.task_table) if sources else None
        request = as_request(workers, address) if executor is None else None
        experiment = build_experiment(
            config,
            suite,
            elsewhere=_elsewhere(executor, request),
            start=kept_start(config, directory),
        )
        for changed in sources.changed if sources else []:
            logger.warning(
                "%s has changed since this run began; the run goes on with what it was, which is "
                "kept in %s",
                changed,
                run_dir / SOURCES,
            )
        work = _executor(executor, request, address, experiment)
        return _carry_through(experiment, directory, work, progress or SilentProgress())


def _carry_through(
    experiment: Experiment,
    directory: RunDirectory,
    work: AbstractContextManager[Executor],
    progress: Progress,
) -> RunOutcome:
    """Run the loop, and leave the directory in a state that says how it ended.

    Workers are asked for when it is clear that something is left for them.
    """
    for warning in warnings_of(experiment):
        logger.warning("%s", warning)
    with open_session(experiment, directory) as session:
        directory.keep_config(experiment.config.to_yaml())
        status: RunStatus = "done"
        finished = session.finished
        if finished:
            with stop_signals() as stop:
                settle(session, stop)
        else:
            with left_behind(directory), work as executor, stop_signals() as stop:
                status = _until_the_end(session, executor, progress, stop)
        return RunOutcome(
            status=status,
            run_id=directory.run_id,
            run_dir=directory.path,
            generation=session.generation,
            generations=experiment.config.evolution.generations,
            center_digest=session.genome().digest,
            last_evaluation=session.last_evaluation,
            tracking_uri=session.chronicle.tracking_uri,
            already_finished=finished,
        )


@contextmanager
def left_behind(directory: RunDirectory) -> Iterator[None]:
    """Take back the word of a driver that died at work, where this one cannot even begin."""
    try:
        yield
    except (Stopped, Preempted) as error:
        if directory.status == "running":
            received = error.received if isinstance(error, Stopped) else None
            directory.set_status(status_of(received))
        raise


def _until_the_end(
    session: Session, executor: Executor, progress: Progress, stop: StopSignal
) -> RunStatus:
    """Run the generations that are left; how the run is left."""
    status: RunStatus = "done"
    try:
        _generations(session, executor, progress, stop)
    except StopRequested:
        status = status_of(stop.received)
    except BaseException as error:
        reason = taken_away(error)
        fail(session, reason)
        if reason is error:
            raise
        raise reason from error
    finally:
        progress.stop()
    return end(session, status, stop)  # a signal during delivery makes it another


def _generations(
    session: Session, executor: Executor, progress: Progress, stop: StopSignal
) -> None:
    """The loop. A stop abandons the generation in flight; the one before is checkpointed."""
    config = session.experiment.config
    generations = config.evolution.generations
    due = set(evaluation_generations(config.evaluation, generations))
    engine = executor.settle(session.experiment.problem, stop)
    session.experiment = session.experiment.on(engine)
    begin(session, executor)
    progress.start(config.name, session.generation, generations)
    session.require_pull()  # of what was recorded before
    while session.generation < generations:
        if session.generation in due:
            session.measure(progress, stop)
        session.renew(stop)
        proposal = session.ask()
        losses = session.simulate(proposal, stop)
        session.tell(proposal, losses)
        session.record(losses)
        session.checkpoint()
        progress.tick(session.tick())
        session.require_pull()
    session.measure(progress, stop)


def _elsewhere(given: Executor | None, request: WorkerRequest | None) -> bool:
    """Whether lifetimes run in workers, not in this process."""
    return request is not None if given is None else given.workers > 0


@contextmanager
def _executor(
    given: Executor | None,
    request: WorkerRequest | None,
    address: str | None,
    experiment: Experiment,
) -> Iterator[Executor]:
    """Whoever does the work, there and agreed on an engine."""
    if given is not None:
        yield given
        return
    if request is None:
        yield InProcessExecutor()
        return
    from cluster.workers.ray_executor import RayExecutor

    engine = experiment.config.engine
    executor = patiently(lambda: RayExecutor(request, address, engine=engine))
    try:
        _settled(experiment, executor)
        yield executor
    finally:
        executor.close()


def _settled(experiment: Experiment, executor: Executor) -> Experiment:
    """The experiment on the engine on which workers agree, once they are there.

    Ray does not bear a signal handler that raises while it waits, so signals are asked for.

    Raises:
        Stopped: by a signal, before there was anything to leave whole.
    """
    with stop_signals() as stop:
        try:
            return experiment.on(executor.settle(experiment.problem, stop))
        except StopRequested:
            assert stop.received is not None
            raise Stopped(stop.received) from None
