"""What engines are given and what they return: individuals, their tasks, and how they fared."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor

from evoplastic.birth.params import BirthParams
from evoplastic.modulation.params import ModulationParams
from evoplastic.network.intrinsic import Intrinsic
from evoplastic.rules.params import RuleParams
from evoplastic.trials.order import TrialStreams
from evoplastic.trials.stacked import StackedTables
from evoplastic.trials.wiring import Wiring
from evoplastic.trials.world import Tasks, in_tables
from evoplastic.types import Int64Array


class PlasticParams(NamedTuple):
    """Set by the genome, constant for a lifetime; row i holds what neuron i receives."""

    w_PNN: Tensor  # innate weight from neuron j to neuron i at [p, i, j]
    alpha_PNN: Tensor  # plasticity coefficient of the same connection
    rule: RuleParams = RuleParams()  # what the genome has of the rule's numbers, decoded
    modulation: ModulationParams = ModulationParams()  # fan-outs
    birth: BirthParams = BirthParams()  # what w is drawn from, before the lifetimes are known
    intrinsic: Intrinsic = Intrinsic()  # what it has of time constants and thresholds

    def each(self, change: Callable[[Tensor], Tensor]) -> PlasticParams:
        """The same with every tensor changed; all have P individuals first."""
        return PlasticParams(
            change(self.w_PNN),
            change(self.alpha_PNN),
            self.rule.each(change),
            self.modulation.each(change),
            self.birth.each(change),
            self.intrinsic.each(change),
        )


class LifetimeBatch(NamedTuple):
    """Which individual meets what: everything about P lifetimes that is not the genome.

    Random numbers are a function of (seed, epoch, stream, trial, step, neuron) and of nothing
    else; two individuals with the same streams meet the same trials and the same perturbations.
    """

    tasks: Tasks  # tables of trials, or a task that is stepped for real
    task_P: Int64Array  # index of the task that each individual meets
    seed: int  # run seed, 0 <= seed < 2**64
    epoch: int  # generation, 0 <= epoch < 2**24
    trial_stream_P: Int64Array  # stream of the trial order, 0 <= stream < 2**32
    perturb_stream_P: Int64Array  # stream of the node perturbations
    evaluation: bool = False  # evaluation lifetimes draw from streams of their own
    wiring: Wiring | None = None  # lines of each individual; needed by self-paced trials

    @property
    def self_paced(self) -> bool:
        """Whether individuals act at every step; else their trials have fixed timing."""
        return self.tasks.timing is None

    @property
    def in_tables(self) -> bool:
        """Whether all trials are in tables; else real environments are stepped."""
        return in_tables(self.tasks) is not None

    @property
    def tables(self) -> StackedTables:
        """The trial tables of a batch that has some."""
        tables = in_tables(self.tasks)
        assert tables is not None, "the task is stepped for real, it has no tables"
        return tables

    @property
    def trial_streams(self) -> TrialStreams:
        """From where the trials are drawn."""
        return TrialStreams(
            self.task_P, self.trial_stream_P, self.seed, self.epoch, self.evaluation
        )


class LifetimeResult(NamedTuple):
    """What a lifetime leaves behind, per individual and trial, in main memory."""

    loss_PK: Tensor  # float32, graded loss of the response window
    correct_PK: Tensor  # bool, chosen action == target action
    reward_PK: Tensor  # float32, the environment's reward for the chosen action
    # float32; sum over t >= 1 of (mod(t) - mod(t-1))^2 of trials from `first_trial` on, divided by
    # all K trials; 0 unless the network modulates its rule.
    smoothness_P: Tensor
    steps_PK: Tensor  # int32, time steps that each trial took
