"""From a configuration to everything that is constant during its run, checked before it starts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np

from cluster.config.run import RunConfig
from cluster.poet.building import poet_of
from cluster.poet.search import Paired
from evoplastic.checks import require
from evoplastic.engines import choose_engine
from evoplastic.engines.demand import Demand
from evoplastic.genome.adapting import WarmStart, warm_start
from evoplastic.genome.genome import Genome
from evoplastic.genome.layout import Layout
from evoplastic.lifetime.asked import require_answerable
from evoplastic.lifetime.fields import genome_fields, scaled
from evoplastic.lifetime.imitation.term import Imitation, imitation_of
from evoplastic.lifetime.problem import LifetimeProblem
from evoplastic.lifetime.shards import PopulationShard, population_shards
from evoplastic.lifetime.streams.scoring import has_streams, require_streams
from evoplastic.network.neurons import NeuronGroups
from evoplastic.random.counters import Purpose, words
from evoplastic.search.catalogue import SEARCHES
from evoplastic.search.mutation import ON_CPU
from evoplastic.search.protocol import AnySearch, Proposal
from evoplastic.trials.world import Task
from tasks.curricula.catalogue import CURRICULA
from tasks.curricula.curriculum import Curriculum
from tasks.curricula.informed import Informed, Measured
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
    search: AnySearch
    curriculum: Curriculum
    warm: WarmStart | None = None  # where the first genome comes from another run

    @property
    def layout(self) -> Layout:
        """How a flat genome maps to the network's tensors."""
        return self.problem.layout

    def problem_at(self, generation: int) -> LifetimeProblem:
        """What the population of a generation meets: a function of run seed and generation."""
        if not self.suite.self_paced:
            return self.problem
        epoch = generation // self.config.banks.refresh_every
        return _problem_of_epoch(self, epoch) if epoch else self.problem

    def on(self, engine: str) -> Experiment:
        """The same, with lifetimes on an engine that is settled."""
        if engine == self.problem.engine:
            return self
        return replace(self, problem=replace(self.problem, engine=engine))

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

    def population(
        self, proposal: Proposal, measured: Measured | None = None
    ) -> list[PopulationShard]:
        """The shards of a generation, each individual with the task its group meets.

        Args:
            proposal: the individuals.
            measured: what the center last reached, for a curriculum that goes by it.
        """
        generation, group_P = proposal.generation, proposal.group_P
        if isinstance(self.curriculum, Informed):
            task_P = self.curriculum.tasks_given(generation, group_P, measured)
        else:
            task_P = self.curriculum.tasks_of(generation, group_P)
        return population_shards(proposal, task_P, 2 * self.config.pairs_per_shard)

    def first_genome(self) -> Genome:
        """The genome that evolution starts from.

        Raises:
            UsageError: it is one of another run, and is not there.
        """
        if self.warm is not None:
            return self.warm.first
        named = self.config.warm_start.genome
        require(
            named is None,
            f"the run is to begin with genome {named}, which is not at hand; name it with --from "
            "(start_from=)",
        )
        return Genome.random(self.layout, self.config.seed, self.config.genome)

    def control_genome(self) -> Genome:
        """A random genome that evolution never touched, of another seed than the first one."""
        seed = (self.config.seed + CONTROL_SEED_OFFSET) % (1 << 64)
        return Genome.random(self.layout, seed, self.config.genome)


def build_experiment(
    config: RunConfig,
    suite: Suite | None = None,
    *,
    elsewhere: bool = False,
    start: Genome | None = None,
) -> Experiment:
    """Load the suite and pose the problem.

    Args:
        config: all choices of the experimenter.
        suite: in place of the one that the configuration names, as a run has kept it.
        elsewhere: lifetimes run in workers, who settle the engine (`Experiment.on`): this machine
            need not have it.
        start: the genome that `warm_start` names.

    Raises:
        UsageError: unknown suite or task, a held-out leak, a network that does not fit the tasks,
            a curriculum that does not fit the suite, an engine that cannot run where it has to, a
            genome to start from that does not fit, a search that asks of lifetimes what they do not
            have.
    """
    suite = suite or load_suite(config.suite, config.task_table)
    interface = suite.interface
    groups = NeuronGroups(
        num_neurons=config.num_neurons,
        num_inputs=interface.num_inputs,
        num_outputs=interface.num_outputs,
        num_modulators=config.modulation.table.num_neurons,
    )
    train, held_out = train_banks(config, suite, 0), held_out_banks(config, suite)
    demand = Demand(groups, config.simulated, suite.self_paced, has_streams((*train, *held_out)))
    problem = LifetimeProblem(
        layout=Layout(
            groups, scaled(genome_fields(config.simulated), config.genome.scale_of_fields)
        ),
        lifetime=config.simulated,
        train=train,
        held_out=held_out,
        seed=config.seed,
        wiring=suite.wiring,
        engine=config.engine if elsewhere else choose_engine(config.engine, demand),
        threads=config.threads,
    )
    require_streams([suite.lived(name) for name in suite.task_names], config.simulated)
    asked = getattr(config.search, "asked", None)
    require_answerable(problem, asked)
    if config.imitation is not None and config.imitation.weight:
        require(
            asked is None,
            f"search {config.search.name} asks lifetimes for more than losses, which imitation "
            "records itself; choose another search, as es, or leave imitation out",
        )
        problem = replace(problem, imitation=_imitation(config, problem.train))
    # Mutations are summed here, with the same bits whatever engine workers settle.
    search, curriculum = _search_and_curriculum(
        config, suite, problem.layout, ON_CPU if elsewhere else problem.engine
    )
    return Experiment(
        config=config,
        suite=suite,
        problem=problem,
        search=search,
        curriculum=curriculum,
        warm=None
        if start is None
        else warm_start(
            start,
            problem.layout,
            config.seed,
            config.genome,
            adapt=config.warm_start.adapt,
        ),
    )


def _search_and_curriculum(
    config: RunConfig, suite: Suite, layout: Layout, engine: str
) -> tuple[AnySearch, Curriculum]:
    """Those of the tables, or POET, in which each of its pairs has such a search."""

    def make(seed: int) -> AnySearch:
        build = SEARCHES[config.search.name].build
        return build(config.search, layout, seed=seed, engine=engine)

    if config.poet is None:
        build = CURRICULA[config.curriculum.name].build
        return make(config.seed), build(config.curriculum, suite, seed=config.seed)
    banks = config.banks

    def bank_seed_at(generation: int) -> int:
        return bank_seed(config.seed, TRAINING_BANKS, generation // banks.refresh_every)

    poet = poet_of(
        config.poet,
        suite,
        make,
        bank_seed_at,
        banks.trials,
        seed=config.seed,
        asks=getattr(config.search, "asked", None) is not None,
    )
    return poet, Paired()


def _imitation(config: RunConfig, train: tuple[Task, ...]) -> Imitation:
    chosen = config.imitation
    assert chosen is not None
    return imitation_of(
        train,
        weight=chosen.weight,
        measure=chosen.measure,
        trials=chosen.trials,
        window_ms=chosen.window_ms,
        tasks=chosen.tasks,
        conditions=chosen.conditions,
        matrix_CC=np.array(chosen.matrix),
    )


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
