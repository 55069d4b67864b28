"""Everything that lifetimes need besides genomes: network, tasks, lifetime, randomness, engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from evoplastic.birth.anatomy import require_label_lines
from evoplastic.birth.fields import decode_birth
from evoplastic.checks import require
from evoplastic.engines import choose_engine
from evoplastic.engines.demand import Demand
from evoplastic.genome.layout import Layout
from evoplastic.lifetime.batch import PlasticParams
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.lifetime.fields import require_fields, require_sizes, require_time_steps
from evoplastic.lifetime.imitation.term import Imitation
from evoplastic.lifetime.streams.scoring import has_streams
from evoplastic.modulation.fields import decode as decode_modulation
from evoplastic.modulation.fields import require_modulators
from evoplastic.network.intrinsic import decode_intrinsic
from evoplastic.network.neurons import NeuronGroups, require_fit, require_lines
from evoplastic.rules.decoding import decode
from evoplastic.trials.stacked import StackedTables, stack_tables
from evoplastic.trials.wiring import WiringConfig
from evoplastic.trials.world import Task, stepped_tasks, tables_of
from evoplastic.types import Int64Array


def stack(tasks: tuple[Task, ...]) -> tuple[StackedTables | None, Int64Array]:
    """The tables laid end to end, and the place [B] of each task among them; -1 = must be stepped.

    Raises:
        UsageError: tables that one population cannot meet.
    """
    place_B = np.full(len(tasks), -1, dtype=np.int64)
    tables = tables_of(tasks)
    place_B[list(tables)] = np.arange(len(tables))
    return (stack_tables(list(tables.values())) if tables else None), place_B


@dataclass(frozen=True, kw_only=True, eq=False)
class LifetimeProblem:
    """What a worker must know besides genomes; constant for a run, or until new banks are drawn.

    Raises:
        UsageError: tasks that do not fit the network, genomes whose fields are not those of rule
            and modulation.
    """

    layout: Layout
    lifetime: LifetimeConfig
    train: tuple[Task, ...]
    held_out: tuple[Task, ...]
    seed: int
    wiring: WiringConfig | None = None  # of self-paced tasks
    engine: str = "auto"
    threads: int = 0
    imitation: Imitation | None = None  # recorded activity that fitness asks for, of training tasks

    def __post_init__(self) -> None:
        lifetime = self.lifetime
        require_modulators(lifetime.modulation, self.groups, "the genome")
        require_fields(self.layout.fields, lifetime, "the genome")
        require_sizes(lifetime, self.groups)
        require_label_lines(lifetime.birth, self.groups, self.wiring)
        for task in self.tasks:
            require_time_steps(self.lifetime.dynamics, task.dt_ms, task.task)
            fits = require_lines if task.timing is None else require_fit
            fits(self.groups, task.interface, task.task)
        require(
            self.wiring is None or self.wiring.interface == self.groups.interface,
            f"tasks are wired to {self.wiring and self.wiring.interface}, the network has "
            f"{self.groups.interface}; use a network of the suite's interface",
        )

    @property
    def groups(self) -> NeuronGroups:
        """Which neuron does what."""
        return self.layout.groups

    def params(self, flat_PG: Tensor, *, without: Sequence[str] = ()) -> PlasticParams:
        """What engines need of flat genomes [P, G], the numbers of their rule decoded.

        Args:
            flat_PG: genomes, on any device.
            without: fields that are 0 instead; ("alpha",) switches plasticity off.
        """
        there = [name for name in without if name in self.layout.slices or name != "alpha"]
        values = self.layout.values(flat_PG, without=there)
        lifetime = self.lifetime
        rule = decode(lifetime.rule, self.groups, values)
        modulation = decode_modulation(
            lifetime.modulation, lifetime.rule.table, self.groups, values
        )
        intrinsic = decode_intrinsic(lifetime.dynamics, self.groups, values)
        w_PNN, alpha_PNN, birth = decode_birth(lifetime.birth, self.groups, values, flat_PG)
        if "alpha" in without:
            alpha_PNN = torch.zeros_like(alpha_PNN)
        return PlasticParams(w_PNN, alpha_PNN, rule, modulation, birth, intrinsic)

    @property
    def chosen_engine(self) -> str:
        """The engine that runs these lifetimes here, and draws and sums their mutations."""
        return choose_engine(self.engine, self.demand)

    @property
    def demand(self) -> Demand:
        """What these lifetimes ask of an engine."""
        streams = has_streams(self.tasks)
        return Demand(self.groups, self.lifetime, self.wiring is not None, streams)

    @property
    def may_be_cut(self) -> bool:
        """Whether individuals may be batched anyhow, by how the engines that run them are built.

        The reference is plain PyTorch, which promises nothing of how it rounds in other batches,
        and it also runs the tasks that are stepped.
        """
        engine = self.chosen_engine if self.engine == "auto" else self.engine  # maybe of others
        return engine != "reference" and not stepped_tasks(self.tasks)

    @property
    def tasks(self) -> tuple[Task, ...]:
        """Training tasks, then held-out tasks."""
        return self.train + self.held_out

    @cached_property
    def stacked(self) -> tuple[StackedTables | None, Int64Array]:
        """The tables among the tasks laid end to end, and the place of each task among them."""
        return stack(self.tasks)

    @property
    def has_answers(self) -> NDArray[np.bool_]:
        """For each task, whether its trials can be right or wrong."""
        return np.array([task.has_answers for task in self.tasks])

    def __getstate__(self) -> dict[str, object]:
        """What travels to workers: they lay the tables end to end themselves."""
        return {name: value for name, value in vars(self).items() if name != "stacked"}
