"""What is recorded of lifetimes on the CPU engine, read from the workspace between two trials.

The kernels are those that nobody records: they are asked for a trial at a time, of one individual,
and leave all rates of that trial behind. Everything else follows from the rates, the tables and,
for connections of rules that do not hold theirs, from `connections`.
"""

from __future__ import annotations

from itertools import count, pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from evoplastic.engines.cpu.every_step import read_connections
from evoplastic.engines.cpu.inside.connections import Connections, follow_trial, no_connections
from evoplastic.engines.cpu.plan import Plan
from evoplastic.engines.cpu.run import Run
from evoplastic.lifetime.batch import LifetimeBatch
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.lifetime.recording import Recorded, Recording, empty_fields
from evoplastic.network.dynamics import modulatory_signal
from evoplastic.network.neurons import NeuronGroups
from evoplastic.trials.order import taught_at, trial_numbers
from evoplastic.types import NO_TARGET, BoolArray, Int64Array
from evoplastic.watching import at


class CpuRecorder:
    """Keeps what a recording asks for; individuals may be recorded in threads of their own.

    Args:
        recording: what to keep.
        groups: which neuron does what.
        batch: tasks of the individuals.
        config: their lifetimes.
    """

    def __init__(
        self,
        recording: Recording,
        groups: NeuronGroups,
        batch: LifetimeBatch,
        config: LifetimeConfig,
    ) -> None:
        self._recording, self._groups, self._batch = recording, groups, batch
        self._by_network = config.schedule == "lazy"
        self._place = {trial: place for place, trial in enumerate(recording.trials)}
        self._connections: dict[int, Connections] = {}
        self._number_P: dict[int, Int64Array] = {}  # of the trial that each meets, by trial
        self._taught: dict[int, BoolArray] = {}  # whether each may learn, by trial
        self._done = count(1)  # lifetimes, for whoever watches
        shape = (len(batch.task_P), len(recording.trials))
        self.recorded = Recorded(
            empty_fields(recording, len(batch.task_P), batch.tables.num_steps, groups),
            np.zeros(shape, dtype=np.int64),
            np.full(shape, NO_TARGET, dtype=np.int64),
        )
        tables = batch.tables
        self._target_action_M = None if tables.timing is None else tables.fixed.target_action_M
        self.blocks = self._blocks(config.num_trials)

    def _blocks(self, num_trials: int) -> list[tuple[int, int]]:
        """Trials [start, stop) that run at a stretch; behind each something is read."""
        if self._recording.of_connections:
            return [(trial, trial + 1) for trial in range(num_trials)]
        edges = sorted({0, *(trial + 1 for trial in self._recording.trials), num_trials})
        return list(pairwise(edges))

    def keep(self, run: Run, of_rule: tuple[Any, ...], individual: int, trial: int) -> None:
        """Read what the individual in slot 0 has just done in a trial.

        Args:
            run: that of the thread.
            of_rule: formula and matrices of the schedule "every_step", else nothing.
            individual: who.
            trial: the last one that was simulated.
        """
        steps = int(run.record.steps[individual, trial])
        if self._recording.of_connections and not of_rule:
            if trial == 0:
                self._connections[individual] = no_connections(run.plan)
            own = self._connections[individual]
            if self._taught_P(trial)[individual]:
                follow_trial(run.plan, run.workspace, own, trial, steps, self._by_network)
        if trial in self._place:
            self._keep(run, of_rule, individual, trial, steps)
        if trial == run.plan.num_trials - 1:
            self._connections.pop(individual, None)
            at("lifetimes", next(self._done), len(self._batch.task_P))

    def _keep(
        self, run: Run, of_rule: tuple[Any, ...], individual: int, trial: int, steps: int
    ) -> None:
        plan, workspace, place = run.plan, run.workspace, self._place[trial]
        rows = workspace.rate[plan.row : (steps + 1) * plan.row].reshape(steps, plan.row)
        rate_TN = rows[:, workspace.column]
        choice_T = self._choices(run, rate_TN, individual)
        fields = self.recorded.fields
        at = individual, place, slice(steps)
        if "rate" in fields:
            fields["rate"][at] = rate_TN
        if "mod" in fields:
            fields["mod"][at] = modulatory_signal(torch.from_numpy(rate_TN), self._groups).numpy()
        if "choice" in fields:
            fields["choice"][at] = choice_T
        for name, flat in self._of_connections(plan, of_rule, individual).items():
            if name in fields:
                fields[name][individual, place] = flat[:, workspace.column]
        kind, target = self._asked(individual, trial, choice_T)
        self.recorded.kind_PR[individual, place] = kind
        self.recorded.target_PR[individual, place] = target

    def _of_connections(
        self, plan: Plan, of_rule: tuple[Any, ...], individual: int
    ) -> dict[str, NDArray[np.float32]]:
        """p and trace [U, row] of the individual in slot 0."""
        if not self._recording.of_connections:
            return {}
        if of_rule:
            found = read_connections(plan, *of_rule)
        else:
            own = self._connections[individual]
            shape = (plan.unclamped_width, plan.row)
            found = {"p": own.p.reshape(shape), "elig": own.elig.reshape(shape)}
        return {name: flat[: plan.num_unclamped] for name, flat in found.items()}

    def _taught_P(self, trial: int) -> BoolArray:
        """Who may learn at a trial."""
        if trial not in self._taught:
            self._taught[trial] = taught_at(self._batch.trial_streams, self._batch.tables, trial)
        return self._taught[trial]

    def _choices(
        self, run: Run, rate_TN: NDArray[np.float32], individual: int
    ) -> NDArray[np.int32]:
        """The action of each step [T], chosen from the rates as the kernel does."""
        plan = run.plan
        response_TO = rate_TN[:, self._groups.response]
        choice_T = np.full(len(rate_TN), -1, dtype=np.int32)
        if plan.self_paced:
            lines = individual * plan.num_outputs
            count = int(run.banks.actions[self._batch.task_P[individual]])
            line_O = run.individuals.action_line[lines : lines + count]
            choice_T[:] = torch.from_numpy(response_TO[:, line_O]).argmax(1).numpy()
        else:
            activity_O = np.zeros(plan.num_outputs, dtype=np.float32)
            for step in range(plan.response_start, plan.response_stop):
                activity_O += response_TO[step]
            choice_T[plan.feedback_start] = torch.from_numpy(activity_O).argmax()
        return choice_T

    def _asked(self, individual: int, trial: int, choice_T: NDArray[np.int32]) -> tuple[int, int]:
        """Kind of a trial, and the last action it asked for on the way that was taken."""
        tables = self._batch.tables
        if trial not in self._number_P:
            self._number_P[trial] = trial_numbers(self._batch.trial_streams, tables, trial)
        number = int(self._number_P[trial][individual])
        if self._target_action_M is not None:
            return int(tables.kind_M[number]), int(self._target_action_M[number])
        state, target = int(tables.first_M[number]), NO_TARGET
        for choice in choice_T:
            asked = int(tables.target_action_V[state])
            target = asked if asked != NO_TARGET else target
            state = int(tables.next_VO[state, choice])
        return int(tables.kind_M[number]), target
