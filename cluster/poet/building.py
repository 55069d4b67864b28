"""From a configuration and a suite to POET, checked before the first generation."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

from cluster.config.poet import PoetConfig
from cluster.poet.environments import Environment, name_of
from cluster.poet.search import Poet, World
from evoplastic.checks import require
from evoplastic.search.protocol import AnySearch
from evoplastic.trials.table import TrialTable
from tasks.machines.evolving.judging import Screened, measured, screened
from tasks.machines.evolving.limits import Limits, evolvable, identity
from tasks.machines.generated.canonical import is_small
from tasks.machines.generated.filters import REASONS, Levels
from tasks.machines.metatasks.form import MetaTask
from tasks.machines.states import machine_nodes
from tasks.neurogym.machine_bank import MIN_INSTANCES
from tasks.neurogym.task import SelfPacedTask
from tasks.suites.split import SuiteTask
from tasks.suites.suite import Suite

MOST_TABLES = 256  # of environments and mutants, kept


def poet_of(
    config: PoetConfig,
    suite: Suite,
    make_search: Callable[[int], AnySearch],
    bank_seed_at: Callable[[int], int],
    num_trials: int,
    *,
    seed: int,
    asks: bool = False,
) -> Poet:
    """POET whose first environments are the training tasks of a suite.

    Args:
        config: how environments evolve.
        suite: the first environments, and held-out tasks that no environment may be.
        make_search: a search of a seed.
        bank_seed_at: the seed of the trials of a generation.
        num_trials: of an environment at least.
        seed: run seed.
        asks: whether the search asks of lifetimes more than losses.

    Raises:
        UsageError: a training task that is no meta-task or cannot evolve, more of them than there
            may be pairs, or a search that asks of lifetimes more than losses.
    """
    world = world_of(config, suite)
    require(
        not asks,
        "the search of pairs of POET goes by losses alone, and the one that is chosen asks "
        "lifetimes for more; choose another search, as es",
    )

    @lru_cache(maxsize=MOST_TABLES)
    def table(task: MetaTask, bank_seed: int) -> TrialTable:
        machine = task.machine(suite.dt_ms)
        trials = max(num_trials, MIN_INSTANCES * machine.instance_trials)
        return machine_nodes(machine, trials, bank_seed)

    def table_at(task: MetaTask, generation: int) -> TrialTable:
        return table(task, bank_seed_at(generation))

    return Poet(config, world, make_search, table_at, seed=seed)


def world_of(config: PoetConfig, suite: Suite) -> World:
    """What environments have to fit: the lines of the network, limits, and held-out tasks.

    Raises:
        UsageError: as `poet_of`.
    """
    require(
        suite.self_paced and not suite.rule_cue,
        f"suite {suite.name!r} {'shows a rule cue' if suite.rule_cue else 'has fixed timing'}, but "
        "environments that evolve are meta-tasks, which the network acts in at every step and "
        "which have no line of their own; name a suite of meta-tasks without rule_cue",
    )
    require(
        len(suite.train) <= config.capacity,
        f"suite {suite.name!r} has {len(suite.train)} training tasks, each of them a first "
        f"environment, and poet.capacity is {config.capacity}; raise it, or train on fewer",
    )
    limits = Limits(
        stimuli=suite.interface.num_inputs,
        states=config.states,
        steps=config.steps,
        rewards=config.rewards,
    )
    held_out = [meta_task_of(task) for task in suite.held_out]
    small = [each for each in held_out if each is not None and is_small(each.machine())]
    forbidden = frozenset(map(identity, small))
    seeds = tuple(_seed(n, task, limits, config.gap) for n, task in enumerate(suite.train))
    told = {
        "lines": [suite.interface.num_inputs, suite.interface.num_outputs],
        "limits": [limits.stimuli, limits.states, limits.steps, limits.rewards],
        "held_out": sorted(forbidden),
    }
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]
    return World(limits=limits, seeds=seeds, forbidden=forbidden, digest=digest)


def meta_task_of(task: SuiteTask) -> MetaTask | None:
    """The meta-task that a task of a suite is; None for another kind."""
    return task.env_source.meta if isinstance(task, SelfPacedTask) else None


def _seed(number: int, task: SuiteTask, limits: Limits, gap: float) -> Environment:
    meta = meta_task_of(task)
    require(
        meta is not None,
        f"training task {task.name!r} is no meta-task, and environments that evolve are; name one, "
        "as meta/t-maze, or a file of one",
    )
    assert meta is not None
    first = replace(
        evolvable(meta, limits), name=name_of(number), about=f"{task.name} of the suite"
    )
    passed = screened(first, gap, ())
    levels = measured(passed, gap) if isinstance(passed, Screened) else passed
    if not isinstance(levels, Levels):
        require(
            False,
            f"training task {task.name!r} cannot be a first environment: {REASONS[levels]} "
            f"(poet.gap = {gap:g}); name another one, or lower poet.gap",
        )
    assert isinstance(levels, Levels)
    return Environment(number=number, task=first, levels=levels, form=identity(first))
