"""From a configuration to everything that is constant during its run, checked before it starts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from cluster.config.run import RunConfig
from evoplastic.engines import choose_engine
from evoplastic.genome.genome import Genome, GenomeLayout
from evoplastic.lifetime.problem import LifetimeProblem
from evoplastic.network.neurons import NeuronGroups
from evoplastic.random.counters import Purpose, words
from evoplastic.trials.world import Task
from tasks.suites.levels import Levels, levels_of
from tasks.suites.loading import load_suite
from tasks.suites.suite import Suite

CONTROL_SEED_OFFSET = 0x9E3779B97F4A7C15  # the golden ratio in 64 bits: far from any user's seed
TRAINING_BANKS, EVALUATION_BANKS = 0, 1  # streams of bank seeds


@dataclass(frozen=True, kw_only=True, eq=False)
class Experiment:
    """A configuration with the tasks it names and the problem it poses.

    Self-paced tasks draw new training trials every `banks.refresh_every` generations; their
    held-out tasks are in the evaluation problem alone, so that evolution never comes near them.
    """

    config: RunConfig
    suite: Suite
    problem: LifetimeProblem  # of the first generation

    @property
    def layout(self) -> GenomeLayout:
        """How a flat genome maps to the network's tensors."""
        return self.problem.layout

    def problem_at(self, generation: int) -> LifetimeProblem:
        """What the population of a generation meets: a function of run seed and generation."""
        if not self.suite.self_paced:
            return self.problem
        epoch = generation // self.config.banks.refresh_every
        return _problem_of_epoch(self, epoch) if epoch else self.problem

    @cached_property
    def levels(self) -> dict[str, Levels]:
        """For each task of the suite, what its scores are read against."""
        return {name: levels_of(self.suite, name) for name in self.suite.task_names}

    @cached_property
    def evaluation_problem(self) -> LifetimeProblem:
        """What the bare center meets when it is measured: training and held-out tasks."""
        if not self.suite.self_paced:
            return self.problem
        seed = bank_seed(self.config.seed, EVALUATION_BANKS, 0)
        banks = self.suite.trials(seed, self.config.banks.evaluation_trials)
        num_train = len(self.suite.train)
        return replace(self.problem, train=banks[:num_train], held_out=banks[num_train:])

    def first_genome(self) -> Genome:
        """The genome that evolution starts from."""
        return Genome.random(self.problem.groups, self.config.seed, self.config.evolution)

    def control_genome(self) -> Genome:
        """A random genome that evolution never touched, of another seed than the first one."""
        seed = (self.config.seed + CONTROL_SEED_OFFSET) % (1 << 64)
        return Genome.random(self.problem.groups, seed, self.config.evolution)


def build_experiment(config: RunConfig) -> Experiment:
    """Load the suite and pose the problem; the engine is chosen here, once for all workers.

    Raises:
        UsageError: unknown suite or task, a held-out leak, a network that does not fit the tasks,
            an engine that cannot run here.
    """
    suite = load_suite(config.suite, config.task_table)
    interface = suite.interface
    problem = LifetimeProblem(
        groups=NeuronGroups(
            num_neurons=config.num_neurons,
            num_inputs=interface.num_inputs,
            num_outputs=interface.num_outputs,
        ),
        lifetime=config.simulated,
        evolution=config.evolution,
        train=train_banks(config, suite, 0),
        half_of_train=suite.half_of_train,
        held_out=held_out_banks(config, suite),
        seed=config.seed,
        wiring=suite.wiring,
        engine=choose_engine(config.engine, free=suite.self_paced),
        threads=config.threads,
    )
    return Experiment(config=config, suite=suite, problem=problem)


@lru_cache(maxsize=1)
def _problem_of_epoch(experiment: Experiment, epoch: int) -> LifetimeProblem:
    banks = train_banks(experiment.config, experiment.suite, epoch)
    return replace(experiment.problem, train=banks)


def train_banks(config: RunConfig, suite: Suite, epoch: int) -> tuple[Task, ...]:
    """The trials of the training tasks; self-paced ones draw new trials at each epoch."""
    seed = bank_seed(config.seed, TRAINING_BANKS, epoch)
    return suite.trials(seed, config.banks.trials, train_only=True)


def held_out_banks(config: RunConfig, suite: Suite) -> tuple[Task, ...]:
    """Held-out tasks as they are known to workers from the start: those of fixed timing alone."""
    if suite.self_paced:
        return ()
    return suite.trials(config.seed, config.banks.trials)[len(suite.train) :]


def bank_seed(seed: int, stream: int, epoch: int) -> int:
    """The seed of a bank, within [0, 2**63), a function of run seed, stream and epoch."""
    high, low = words(seed, Purpose.BANK, epoch, stream, 0, 2)
    return (int(high) << 31) ^ int(low)
