"""One process's work on a run: its search state, its files and sinks, and the verbs of the loop."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from cluster.checkpoint import save_checkpoint
from cluster.evaluation import evaluate_center
from cluster.executors import Executor, ShouldStop
from cluster.experiment import Experiment
from cluster.journal import Journal, now_ms
from cluster.kept import keep_center, most_kept, thin_out
from cluster.progress import Clock, Progress, Tick
from cluster.restoring import checkpoint_of, restore
from cluster.rundir import RunDirectory, describe_environment
from cluster.signals import RunStatus, StopSignal
from cluster.sources import keep_sources, sources_of
from cluster.summaries import (
    Losses,
    flat_at_the_end,
    last_evaluation_of,
    recorded_before,
    statistics_of,
)
from cluster.trial_faults import keep_first
from evoplastic import records
from evoplastic.checks import EnvironmentFault, UsageError, require
from evoplastic.commands import command
from evoplastic.genome.genome import Genome
from evoplastic.lifetime.problem import LifetimeProblem
from evoplastic.lifetime.shards import PopulationResult
from evoplastic.records import (
    CENTER_NAME,
    INITIAL_NAME,
    EndEvent,
    EvaluationEvent,
    Event,
    FaultEvent,
    GenerationEvent,
    ResumeEvent,
    StartEvent,
    Status,
)
from evoplastic.search.protocol import AnySearch, Proposal
from evoplastic.trials.faults import drain

if TYPE_CHECKING:
    from cluster.tracking.tracker import Tracker

logger = logging.getLogger(__name__)

TRACKER_CLOSE_S = 15.0  # the longest a run that is over waits for its tracking store
FAILED_CLOSE_S = 5.0  # and one that broke off, whose user waits for the reason


@dataclass
class Session:
    """A run directory at work; `generation` counts the updates behind the current center."""

    experiment: Experiment
    directory: RunDirectory
    executor: Executor
    journal: Journal
    tracker: Tracker | None
    state: Any  # of the search
    generation: int
    first_digest: str
    clock: Clock
    last_evaluation: EvaluationEvent | None = None
    evaluated: dict[int, str] = field(default_factory=dict)  # digest of each measured center
    metrics: dict[str, float] = field(default_factory=dict)
    flat: int = 0  # generations in a row that told the search nothing
    _checkpoint_s: float = 0.0
    _retried_before: int = 0
    _raised_trials: int = 0  # since the last record

    @classmethod
    @contextmanager
    def open(
        cls, experiment: Experiment, directory: RunDirectory, executor: Executor
    ) -> Iterator[Session]:
        """Continue from the newest whole checkpoint, or begin where there is none yet.

        Raises:
            UsageError: checkpoints or journal are damaged, or belong to another run.
        """
        with Journal.open(directory.journal) as journal:
            first = experiment.first_genome()
            state, generation = restore(experiment, directory, journal, first)
            recorded = recorded_before(journal.events_at_opening, generation)
            yield cls(
                experiment=experiment,
                directory=directory,
                executor=executor,
                journal=journal,
                tracker=None,
                state=state,
                generation=generation,
                first_digest=first.digest,
                clock=Clock(generation, experiment.config.evolution.generations),
                last_evaluation=last_evaluation_of(journal.events_at_opening),
                evaluated={
                    event.generation: event.genome_digest
                    for event in journal.events_at_opening
                    if isinstance(event, EvaluationEvent)
                },
                metrics=dict(recorded[-1].metrics) if recorded else {},
                flat=flat_at_the_end(recorded),
                _retried_before=executor.retried_shards,
            )

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do."""
        return self.generation >= self.experiment.config.evolution.generations and any(
            isinstance(event, EndEvent)
            and event.status == "done"
            and event.generation == self.generation
            for event in self.journal.events_at_opening
        )

    def begin(self) -> None:
        """Write down that the run begins or goes on, and start telling the tracking store."""
        config = self.experiment.config
        self._warm_up()
        self.directory.set_status("running")
        if not any(isinstance(event, StartEvent) for event in self.journal.events_at_opening):
            self._start()
        else:
            self._go_on()
        self.tracker = self._new_tracker()
        if self.tracker is not None:
            self.tracker.start()
        self._take_trial_faults()  # of examining the tasks, and of the first banks
        logger.info(
            "%s: engine %s, %d workers", config.name, self._problem.engine, self.executor.workers
        )

    @property
    def search(self) -> AnySearch:
        """The algorithm that the state belongs to."""
        return self.experiment.search

    @property
    def center_G(self) -> Tensor:
        """The genome that stands for the search."""
        return self.search.center(self.state)

    def ask(self) -> Proposal:
        """The individuals of this generation."""
        return self.search.ask(self.state, self.generation)

    def simulate(self, proposal: Proposal, should_stop: ShouldStop) -> Losses:
        """Run the lifetimes of the population, shard by shard."""
        began = time.monotonic()
        shards = self.experiment.population(proposal)
        problem = self.experiment.problem_at(self.generation)
        built = time.monotonic()
        results = [
            result
            for result in self.executor.map(problem, self.center_G, shards, should_stop)
            if isinstance(result, PopulationResult)
        ]
        self._take_trial_faults()
        self.metrics = {
            records.BANKS_SECONDS: built - began,
            records.EVALUATE_SECONDS: time.monotonic() - built,
        }
        return Losses(
            np.concatenate([result.loss_P for result in results]),
            np.concatenate([result.accuracy_P for result in results]),
            np.concatenate([result.reward_P for result in results]),
        )

    def tell(self, proposal: Proposal, losses: Losses) -> None:
        """Move the center; a generation that says nothing leaves the search as it is."""
        began = time.monotonic()
        before_G = self.center_G
        told = self.search.tell(self.state, proposal, losses.loss_P)
        self.state = told.state
        self.flat = 0 if told.pulled else self.flat + 1
        if told.num_failed == len(losses.loss_P):
            self._fault("all_failed", "no individual has a finite loss; the center stays")
        self.metrics |= {
            **told.numbers,
            records.CENTER_NORM: float(torch.linalg.vector_norm(self.center_G)),
            records.UPDATE_NORM: float(torch.linalg.vector_norm(self.center_G - before_G)),
            records.FAILED_INDIVIDUALS: float(told.num_failed),
            records.UPDATE_SECONDS: time.monotonic() - began,
        }

    def require_pull(self) -> None:
        """Refuse to go on where generation after generation tells the search nothing.

        Raises:
            UsageError: none of the last `evolution.flat_generations` had a pair that pulls.
        """
        config = self.experiment.config
        most = config.evolution.flat_generations
        if not most or self.flat < most:
            return
        loss = self.metrics.get(records.loss_metric("mean"), float("nan"))
        going_on = command("resume", self.directory.path, "evolution.flat_generations=0")
        raise UsageError(
            f"{self.flat} generations in a row told the search nothing: in no pair did the two "
            f"individuals differ in fitness (lifetime.fitness is {config.lifetime.fitness!r}; in "
            f"the last generation the mean of what it makes small was {loss:g}); see whether "
            "rewards or answers of the training tasks depend on what a network does, and whether "
            "search.sigma moves genomes at all, then start a new run; to go on all the same: "
            f"`{going_on}`"
        )

    def record(self, losses: Losses) -> None:
        """Append the generation to the journal."""
        retried = self.executor.retried_shards
        self.metrics |= {
            **statistics_of(losses),
            records.RETRIED_SHARDS: float(retried - self._retried_before),
            records.RAISED_TRIALS: float(self._raised_trials),
            # This generation's own checkpoint comes after its record; the one before is recorded.
            records.CHECKPOINT_SECONDS: self._checkpoint_s,
            records.GENERATION_SECONDS: self.metrics[records.BANKS_SECONDS]
            + self.metrics[records.EVALUATE_SECONDS]
            + self.metrics[records.UPDATE_SECONDS]
            + self._checkpoint_s,
        }
        self._retried_before, self._raised_trials = retried, 0
        self._append(
            GenerationEvent(
                time_ms=now_ms(), generation=self.generation, metrics=dict(self.metrics)
            )
        )

    def checkpoint(self) -> None:
        """Make the new center the one that a resumed run starts from."""
        began = time.monotonic()
        self.generation += 1
        self._save_checkpoint()
        self._checkpoint_s = time.monotonic() - began

    def measure(self, progress: Progress, should_stop: ShouldStop) -> None:
        """Let the bare center meet its tasks, unless this center already has, and keep it."""
        last = self.last_evaluation
        if last is not None and last.generation == self.generation:
            return
        entries, seconds = evaluate_center(
            self.experiment, self.center_G, self.generation, self.executor, should_stop
        )
        self._take_trial_faults()
        genome = self.genome()
        self.last_evaluation = EvaluationEvent(
            time_ms=now_ms(),
            generation=self.generation,
            genome_digest=genome.digest,
            parent_digest=genome.provenance.get("parent", ""),
            seconds=seconds,
            entries=entries,
        )
        keep_center(self.directory.genomes, genome, self.generation, self._most_kept)
        genome.save(self.directory.genomes / CENTER_NAME)
        self._append(self.last_evaluation)
        self.evaluated[self.generation] = genome.digest
        thin_out(self.directory.genomes, list(self.evaluated), self._most_kept)
        progress.event(
            "evaluation",
            generation=self.generation,
            held_out=self.last_evaluation.held_out_accuracy,
        )

    def genome(self) -> Genome:
        """The current center, with where it came from."""
        return self._genome(self.generation, self.center_G)

    def _genome(self, generation: int, center_G: Tensor) -> Genome:
        config = self.experiment.config
        provenance = {
            "origin": "evolved" if generation else f"random {config.seed}",
            "run_id": self.directory.run_id,
            "generation": str(generation),
            "config_digest": config.digest,
            "suite": self.experiment.suite.name,
            "suite_digest": self.experiment.suite.digest,
        }
        before = [each for each in self.evaluated if each < generation]
        if generation:
            provenance["parent"] = self.evaluated[max(before)] if before else self.first_digest
        return Genome(self.experiment.layout, center_G, provenance)

    def tick(self) -> Tick:
        """The last generation, as it is shown."""
        last = self.last_evaluation
        return Tick(
            generation=self.generation,
            generations=self.experiment.config.evolution.generations,
            loss=self.metrics.get(records.loss_metric("mean"), float("nan")),
            train_accuracy=self.metrics.get(records.TRAIN_ACCURACY, float("nan")),
            held_out_accuracy=last.held_out_accuracy if last is not None else None,
            seconds=self.metrics[records.GENERATION_SECONDS],
            seconds_left=self.clock.seconds_left(self.generation),
            failed_individuals=int(self.metrics[records.FAILED_INDIVIDUALS]),
            retried_shards=int(self.metrics[records.RETRIED_SHARDS]),
        )

    def end(self, status: RunStatus, stop: StopSignal) -> RunStatus:
        """Keep the center, and write down how this process leaves the run; how it does.

        That a run is done is written last: what the store lacks of it is delivered before. A signal
        meanwhile makes it pre-empted, and a resumed run delivers the rest.
        """
        stop.ending, again = True, stop.again()
        self.genome().save(self.directory.genomes / CENTER_NAME)
        if status == "done" and self.tracker is not None:
            whole = self.tracker.catch_up(TRACKER_CLOSE_S, again)
            if not whole and again():
                status = stop.status
        self.directory.set_status(status)
        self._append(EndEvent(time_ms=now_ms(), generation=self.generation, status=status))
        if self.tracker is not None:
            limit_s = TRACKER_CLOSE_S if status == "done" else FAILED_CLOSE_S
            self.tracker.close(status, limit_s, again)
        return status

    def settle(self, stop: StopSignal) -> None:
        """Deliver what a process still owed that was killed after it had written down the end."""
        stop.ending = True
        if self.directory.status != "done":
            self.directory.set_status("done")
        center = self.directory.genomes / CENTER_NAME
        if not center.is_file():
            self.genome().save(center)
        tracker = self._new_tracker()
        if tracker is not None and tracker.owes():
            tracker.start()
            tracker.close("done", TRACKER_CLOSE_S, stop)

    def fail(self, error: BaseException) -> None:
        """Write down that the run broke off, as far as that can still be written."""
        status: Status = "interrupted" if isinstance(error, KeyboardInterrupt) else "failed"
        with suppress(EnvironmentFault):
            # Not said here: whoever raised it is heard by those who called.
            self._note_fault(type(error).__name__, str(error))
            self.journal.append(
                EndEvent(time_ms=now_ms(), generation=self.generation, status=status)
            )
            self.directory.set_status(status)
        if self.tracker is not None:
            self.tracker.close(status, FAILED_CLOSE_S)

    @property
    def _most_kept(self) -> int:
        return most_kept(self.experiment.layout, self.experiment.config.evaluation.genomes_mib)

    @property
    def _problem(self) -> LifetimeProblem:
        return self.experiment.problem

    @property
    def tracking_uri(self) -> str | None:
        """The store that the run is delivered to, if any."""
        tracking = self.experiment.config.tracking
        if not tracking.enabled:
            return None
        from cluster.tracking.tracker import resolve_uri

        return resolve_uri(tracking.uri, self.directory.path)

    def _new_tracker(self) -> Tracker | None:
        tracking = self.experiment.config.tracking
        if not tracking.enabled:
            return None
        from cluster.tracking.tracker import Tracker

        return Tracker(
            self.directory.path, self.directory.journal, tracking.uri, tracking.experiment
        )

    def _warm_up(self) -> None:
        """Load what the search needs, which takes seconds, before any generation is timed."""
        self.search.warm_up(self.state)
        self.clock = Clock(self.generation, self.experiment.config.evolution.generations)

    def _start(self) -> None:
        config, environment = self.experiment.config, describe_environment()
        self._keep_initial()
        keep_sources(self.directory.path, sources_of(config.suite, self.experiment.suite))
        self._save_checkpoint()
        self.journal.append(
            StartEvent(
                time_ms=now_ms(),
                run_id=self.directory.run_id,
                name=config.name,
                seed=config.seed,
                config_digest=config.digest,
                suite_digest=self.experiment.suite.digest,
                git_commit=environment["git_commit"],
                git_dirty=environment["git_dirty"],
                engine=self._problem.engine,
                versions={"python": environment["python"], **environment["packages"]},
            )
        )

    def _keep_initial(self) -> None:
        """Write the run's first genome once and for all; what is there is never written over."""
        path = self.directory.genomes / INITIAL_NAME
        if not path.exists():
            self._genome(0, self.experiment.first_genome().center_G).save(path)
            return
        found = Genome.load(path).digest
        require(
            found == self.first_digest,
            f"{path} is not the genome that this run begins with (digest {found[:16]}, expected "
            f"{self.first_digest[:16]}); restore it from a copy, or start a new run",
        )

    def _go_on(self) -> None:
        self._keep_initial()
        thin_out(self.directory.genomes, list(self.evaluated), self._most_kept)
        engine, events = self._problem.engine, self.journal.events_at_opening
        before = [event.engine for event in events if isinstance(event, StartEvent | ResumeEvent)][
            -1
        ]
        if before and engine != before:
            logger.warning(
                "this run was on engine %s and goes on with %s: the same up to rounding, no "
                "longer byte for byte",
                before,
                engine,
            )
        self.journal.append(
            ResumeEvent(time_ms=now_ms(), generation=self.generation, engine=engine)
        )

    def _save_checkpoint(self) -> None:
        checkpoint = checkpoint_of(self.experiment, self.directory, self.state, self.generation)
        save_checkpoint(self.directory.checkpoints, checkpoint)

    def _append(self, event: Event) -> None:
        self.journal.append(event)
        if self.tracker is not None:
            self.tracker.poke()

    def _take_trial_faults(self) -> None:
        """Count the trials that raised, and keep the first of each task."""
        found = drain()
        self._raised_trials += sum(faults.number for faults in found.values())
        for message in keep_first(self.directory.path, found):
            self._append(
                FaultEvent(
                    time_ms=now_ms(),
                    generation=self.generation,
                    kind="trial_raised",
                    message=message,
                )
            )

    def _fault(self, kind: str, message: str) -> None:
        logger.warning("generation %d: %s", self.generation, message)
        self._note_fault(kind, message)

    def _note_fault(self, kind: str, message: str) -> None:
        self.journal.append(
            FaultEvent(time_ms=now_ms(), generation=self.generation, kind=kind, message=message)
        )
