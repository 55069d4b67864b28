"""p and eligibility of sparse rules, followed beside a lifetime that is recorded.

The schedules "at_outcome" and "lazy" never hold p, and their trace only in a form of its own. Given
the rates, the noise and the gate of a trial that has just been simulated, its traces and changes
are repeated here as they are defined, a step at a time:

    elig' = retention * (elig + xi rate^T)        p' = p + clip(trace_gain * M * elig')
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evoplastic.engines.cpu.plan import Plan
from evoplastic.engines.cpu.simd.compile import compiled_once
from evoplastic.engines.cpu.simd.modulation import modulatory_signal


class Connections(NamedTuple):
    """Of one individual, flat [U', row], laid out as rates are."""

    p: NDArray[np.float32]
    elig: NDArray[np.float32]


def no_connections(plan: Plan) -> Connections:
    """Those of a newborn."""
    size = plan.unclamped_width * plan.row
    return Connections(np.zeros(size, dtype=np.float32), np.zeros(size, dtype=np.float32))


@compiled_once
def follow_trial(
    plan: Any, workspace: Any, connections: Any, trial: int, steps: int, by_network: bool
) -> None:
    """Bring the connections of the individual in slot 0 to the end of its last trial.

    Args:
        plan: of the batch.
        workspace: as the trial left it.
        connections: at the trial's beginning.
        trial: its number.
        steps: how many it took.
        by_network: whether changes are modulated at steps by the network, else by the outcome.
    """
    elig, p = connections.elig, connections.p
    row = plan.row
    outcome_at = steps - 1 if plan.self_paced else plan.feedback_start
    has_feedback = trial > 0 or not plan.self_paced
    for step in range(steps):
        before, after = step * row, (step + 1) * row
        changes = trial >= plan.first_trial and step == outcome_at
        factor = workspace.gate[0]
        if by_network:
            factor = modulatory_signal(plan, workspace, after)
            in_feedback = has_feedback and plan.feedback_start <= step < plan.feedback_stop
            changes = trial >= plan.first_trial and (plan.gate_always or in_feedback)
        factor = np.float32(plan.trace_gain * factor)
        for n in range(plan.num_unclamped):
            xi = workspace.xi[step * row + plan.clamped_width + n]
            if xi != 0:
                for j in range(n * row, (n + 1) * row):
                    elig[j] += xi * workspace.rate[before + j - n * row]
            for j in range(n * row, (n + 1) * row):
                elig[j] *= plan.retention
                if changes:
                    p[j] += min(max(factor * elig[j], -plan.max_change), plan.max_change)
