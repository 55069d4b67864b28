"""From a configuration to everything that is constant during its run, checked before it starts."""

from __future__ import annotations

from dataclasses import dataclass

from cluster.config import RunConfig
from evoplastic.evolution.problem import LifetimeProblem
from evoplastic.genome import Genome, GenomeLayout
from evoplastic.kernels.lifetime import choose_engine
from evoplastic.network.neurons import NeuronGroups
from tasks.suite import Suite, load_paced_suite

CONTROL_SEED_OFFSET = 0x9E3779B97F4A7C15  # the golden ratio in 64 bits: far from any user's seed


@dataclass(frozen=True, kw_only=True, eq=False)
class Experiment:
    """A configuration with the tasks it names and the problem it poses."""

    config: RunConfig
    suite: Suite
    problem: LifetimeProblem

    @property
    def layout(self) -> GenomeLayout:
        """How a flat genome maps to the network's tensors."""
        return self.problem.layout

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
    suite = load_paced_suite(config.suite, config.task_table)
    interface = suite.interface
    problem = LifetimeProblem(
        groups=NeuronGroups(
            num_neurons=config.num_neurons,
            num_inputs=interface.num_inputs,
            num_outputs=interface.num_outputs,
        ),
        lifetime=config.lifetime,
        evolution=config.evolution,
        train=tuple(task.bank(config.seed) for task in suite.train),
        half_of_train=suite.half_of_train,
        held_out=tuple(task.bank(config.seed) for task in suite.held_out),
        seed=config.seed,
        engine=choose_engine(config.engine),
        threads=config.threads,
    )
    return Experiment(config=config, suite=suite, problem=problem)
