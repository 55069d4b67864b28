"""A run at work: its search state, and the verbs of the loop."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cluster.checkpoint import save_checkpoint
from cluster.evaluation import evaluate_center
from cluster.executors import Executor, ShouldStop
from cluster.experiment import Experiment
from cluster.journal import now_ms
from cluster.poet.rounds import Lived
from cluster.progress import Clock, Progress, Tick
from cluster.restoring import checkpoint_of
from cluster.session.chronicle import Chronicle
from cluster.session.coevolving import Coevolving
from cluster.session.elites import keep_elites
from cluster.session.informing import Informing
from cluster.session.lineage import Lineage
from cluster.session.pairs import keep_pairs
from cluster.session.pedigree import Pedigree
from cluster.session.summaries import Losses, statistics_of
from evoplastic.checks import UsageError
from evoplastic.commands import command
from evoplastic.genome.genome import Genome
from evoplastic.lifetime.problem import LifetimeProblem
from evoplastic.lifetime.shards import PopulationResult
from evoplastic.records.events import EndEvent, EvaluationEvent, GenerationEvent
from evoplastic.records.names import (
    ARCHIVE_QD_SCORE,
    BANKS_SECONDS,
    CENTER_NORM,
    CHECKPOINT_SECONDS,
    EVALUATE_SECONDS,
    FAILED_INDIVIDUALS,
    FLAT_GENERATIONS,
    GENERATION_SECONDS,
    RAISED_TRIALS,
    RENEW_SECONDS,
    RETRIED_SHARDS,
    TRAIN_ACCURACY,
    UPDATE_NORM,
    UPDATE_SECONDS,
    loss_metric,
)
from evoplastic.search.archive import Illuminating
from evoplastic.search.asking import answered
from evoplastic.search.protocol import AnySearch, Proposal
from evoplastic.search.together import Together
from evoplastic.trials.table import TrialTable


@dataclass
class Session:
    """A run directory at work; `generation` counts the updates behind the current center."""

    experiment: Experiment
    chronicle: Chronicle
    lineage: Lineage
    pedigree: Pedigree
    state: Any  # of the search
    generation: int
    clock: Clock
    informing: Informing
    last_evaluation: EvaluationEvent | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    flat: int = 0  # generations in a row that told the search nothing
    _checkpoint_s: float = 0.0
    _renewed_s: float = 0.0
    _lived_s: float = 0.0  # lifetimes meanwhile
    _problem: LifetimeProblem | None = None  # of tasks that evolve, as long as they are the same
    _executor: Executor | None = None
    _retried_before: int = 0

    def work_with(self, executor: Executor) -> None:
        """Let an executor simulate the shards from here on."""
        self._executor, self._retried_before = executor, executor.retried_shards

    @property
    def executor(self) -> Executor:
        """Who simulates the shards."""
        assert self._executor is not None, "nobody was found to simulate the shards"
        return self._executor

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do."""
        return self.generation >= self.experiment.config.evolution.generations and any(
            isinstance(event, EndEvent)
            and event.status == "done"
            and event.generation == self.generation
            for event in self.chronicle.before
        )

    @property
    def engine(self) -> str:
        """The lifetime engine that runs."""
        return self.experiment.problem.engine

    @property
    def search(self) -> AnySearch:
        """The algorithm that the state belongs to."""
        return self.experiment.search

    @property
    def center_G(self) -> Tensor:
        """The genome that stands for the search."""
        return self.search.center(self.state)

    def renew(self, should_stop: ShouldStop) -> None:
        """Change the tasks that evolve, and move genomes between them, where that is due."""
        began, lived_s = time.monotonic(), 0.0
        search = self.search
        if isinstance(search, Coevolving):

            def meet(
                tasks: tuple[TrialTable, ...], centers_CG: Tensor, proposal: Together
            ) -> Lived:
                nonlocal lived_s
                at = time.monotonic()
                problem = replace(self.experiment.problem, train=tasks)
                losses = self._live(problem, centers_CG, proposal, should_stop)
                lived_s += time.monotonic() - at
                return Lived(losses.loss_P, losses.reward_P)

            self.state = search.renew(self.state, self.generation, meet)
        self._renewed_s, self._lived_s = time.monotonic() - began - lived_s, lived_s

    def ask(self) -> Proposal:
        """The individuals of this generation."""
        return self.search.ask(self.state, self.generation)

    def simulate(self, proposal: Proposal, should_stop: ShouldStop) -> Losses:
        """Run the lifetimes of the population, shard by shard."""
        began = time.monotonic()
        problem, centers = self._posed()
        built = time.monotonic()
        losses = self._live(problem, centers, proposal, should_stop)
        self.take_faults()
        self.metrics = {
            BANKS_SECONDS: built - began,
            EVALUATE_SECONDS: time.monotonic() - built + self._lived_s,
        }
        if isinstance(self.search, Coevolving):
            self.metrics[RENEW_SECONDS] = self._renewed_s
        return losses

    def _posed(self) -> tuple[LifetimeProblem, Tensor]:
        """What the population of this generation meets, and the centers it is drawn around."""
        search = self.search
        if not isinstance(search, Coevolving):
            return self.experiment.problem_at(self.generation), self.center_G
        tables, before = search.tables(self.state, self.generation), self._problem
        if before is None or any(a is not b for a, b in zip_longest(before.train, tables)):
            self._problem = replace(self.experiment.problem, train=tables)
        assert self._problem is not None
        return self._problem, search.centers(self.state)

    def _live(
        self,
        problem: LifetimeProblem,
        centers: Tensor,
        proposal: Proposal,
        should_stop: ShouldStop,
    ) -> Losses:
        """What comes of the individuals of a proposal."""
        shards = self.experiment.population(proposal, self.informing.measured(self.generation))
        results = [
            result
            for result in self.executor.map(problem, centers, shards, should_stop)
            if isinstance(result, PopulationResult)
        ]
        return Losses(
            np.concatenate([result.loss_P for result in results]),
            np.concatenate([result.accuracy_P for result in results]),
            np.concatenate([result.reward_P for result in results]),
            np.concatenate([result.beside_PX for result in results]),
        )

    def tell(self, proposal: Proposal, losses: Losses) -> None:
        """Move the center; a generation that says nothing leaves the search as it is."""
        began = time.monotonic()
        before_G = self.center_G
        answer = answered(proposal, losses.beside_PX)
        told = self.search.tell(self.state, answer, losses.loss_P)
        self.state = told.state
        if told.individuals is not None:
            self.pedigree.append(told.individuals)
        self.flat = 0 if told.pulled else self.flat + 1
        if told.num_failed == len(losses.loss_P):
            self.chronicle.fault(
                self.generation, "all_failed", "no individual has a finite loss; the center stays"
            )
        self.metrics |= {
            **told.numbers,
            CENTER_NORM: float(torch.linalg.vector_norm(self.center_G)),
            FLAT_GENERATIONS: float(self.flat),
            UPDATE_NORM: float(torch.linalg.vector_norm(self.center_G - before_G)),
            FAILED_INDIVIDUALS: float(told.num_failed),
            UPDATE_SECONDS: time.monotonic() - began,
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
        loss = self.metrics.get(loss_metric("mean"), float("nan"))
        going_on = command("resume", self.chronicle.directory.path, "evolution.flat_generations=0")
        raise UsageError(
            f"{self.flat} generations in a row told the search nothing: no individuals that it "
            f"compares differed in fitness (lifetime.fitness is {config.lifetime.fitness!r}; in "
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
            RETRIED_SHARDS: float(retried - self._retried_before),
            RAISED_TRIALS: float(self.chronicle.raised_trials()),
            # This generation's own checkpoint comes after its record; the one before is recorded.
            CHECKPOINT_SECONDS: self._checkpoint_s,
            GENERATION_SECONDS: self._renewed_s
            + self.metrics[BANKS_SECONDS]
            + self.metrics[EVALUATE_SECONDS]
            + self.metrics[UPDATE_SECONDS]
            + self._checkpoint_s,
        }
        self._retried_before = retried
        self.chronicle.append(
            GenerationEvent(
                time_ms=now_ms(), generation=self.generation, metrics=dict(self.metrics)
            )
        )

    def checkpoint(self) -> None:
        """Make the new center the one that a resumed run starts from."""
        began = time.monotonic()
        self.generation += 1
        self.save_checkpoint()
        self._checkpoint_s = time.monotonic() - began

    def measure(self, progress: Progress, should_stop: ShouldStop) -> None:
        """Let the bare center meet its tasks, unless this center already has, and keep it."""
        last = self.last_evaluation
        if last is not None and last.generation == self.generation:
            return
        entries, seconds = evaluate_center(
            self.experiment, self.center_G, self.generation, self.executor, should_stop
        )
        self.take_faults()
        genome = self.genome()
        self.last_evaluation = EvaluationEvent(
            time_ms=now_ms(),
            generation=self.generation,
            genome_digest=genome.digest,
            parent_digest=genome.parents[0].digest if genome.parents else "",
            seconds=seconds,
            entries=entries,
        )
        self.informing.take(self.last_evaluation)
        self.lineage.keep(genome, self.generation)
        self.keep_elites(progress)
        self.keep_pairs()
        self.pedigree.write_table(whole=False)
        self.chronicle.append(self.last_evaluation)
        self.lineage.evaluated[self.generation] = genome.digest
        self.lineage.thin_out()
        progress.event(
            "evaluation",
            generation=self.generation,
            held_out=self.last_evaluation.held_out_accuracy,
        )

    def keep_elites(self, progress: Progress) -> None:
        """Write down what a search that illuminates behaviour has found."""
        search = self.search
        archive = search.archive(self.state) if isinstance(search, Illuminating) else None
        if archive is None:
            return
        keep_elites(self.lineage, archive, self.generation)
        qd_score = self.metrics.get(ARCHIVE_QD_SCORE, 0.0)
        progress.event("archive", coverage=archive.coverage, qd_score=qd_score)

    def keep_pairs(self) -> None:
        """Write down environments that evolve, and the genomes that belong to them."""
        search = self.search
        if isinstance(search, Coevolving):
            keep_pairs(self.lineage, self.state, search.genomes(self.state), self.generation)

    def take_faults(self) -> None:
        """Write down what went wrong where lifetimes run, and was survived."""
        self.chronicle.take_trial_faults(self.generation)
        for kind, message in self.executor.remarks():
            self.chronicle.fault(self.generation, kind, message)

    def genome(self) -> Genome:
        """The current center, with where it came from."""
        return self.lineage.genome(self.generation, self.center_G)

    def tick(self) -> Tick:
        """The last generation, as it is shown."""
        last = self.last_evaluation
        return Tick(
            generation=self.generation,
            generations=self.experiment.config.evolution.generations,
            loss=self.metrics.get(loss_metric("mean"), float("nan")),
            train_accuracy=self.metrics.get(TRAIN_ACCURACY, float("nan")),
            held_out_accuracy=last.held_out_accuracy if last is not None else None,
            seconds=self.metrics[GENERATION_SECONDS],
            seconds_left=self.clock.seconds_left(self.generation),
            failed_individuals=int(self.metrics[FAILED_INDIVIDUALS]),
            retried_shards=int(self.metrics[RETRIED_SHARDS]),
        )

    def save_checkpoint(self) -> None:
        """Write the state of the search down as it is."""
        directory = self.chronicle.directory
        checkpoint = checkpoint_of(self.experiment, directory, self.state, self.generation)
        save_checkpoint(directory.checkpoints, checkpoint)
