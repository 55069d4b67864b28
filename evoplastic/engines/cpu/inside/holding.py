"""Constant rates on the CPU engine: what stands at the end of `respond`, a scale and a shift.

rate = 0 * tanh(...) + held
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from evoplastic.engines.cpu.plan import Plan
from evoplastic.engines.cpu.workspace import Workspace
from evoplastic.lifetime.intervention import Intervention
from evoplastic.network.neurons import NeuronGroups


def hold(
    workspace: Workspace, plan: Plan, groups: NeuronGroups, intervention: Intervention, life: int
) -> None:
    """Make the rates of some neurons constant for the lives that a thread runs next."""
    for neuron, rate in intervention.constant(life, groups).items():
        n = neuron - plan.num_clamped
        gates = [workspace.speaking]
        if n < plan.response_at:
            gates.append(workspace.silent)  # response neurons are silent outside their window
        for gate in gates:
            gate[n] = np.float32(0)
            gate[plan.unclamped_width + n] = np.float32(rate)


def blocks_of(intervention: Intervention, num_trials: int) -> list[tuple[int, int]]:
    """Trials [start, stop) that run with one plan."""
    frozen = intervention.frozen_from
    if frozen is None or frozen >= num_trials:
        return [(0, num_trials)]
    edges = [0, frozen, num_trials] if frozen > 0 else [0, num_trials]
    return list(pairwise(edges))


def plan_of(plan: Plan, intervention: Intervention, trial: int) -> Plan:
    """The plan that holds from a trial on."""
    if intervention.may_change(trial):
        return plan
    return plan._replace(first_trial=plan.num_trials)
