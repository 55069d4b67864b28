"""What compiled lifetimes hand around: the run of a thread, and one of the two lives it holds."""

from __future__ import annotations

from typing import Any, NamedTuple

from evoplastic.engines.cpu.plan import Plan
from evoplastic.engines.cpu.simd.compile import inlined
from evoplastic.engines.cpu.tables import Banks, Individuals, Record
from evoplastic.engines.cpu.workspace import Workspace


class Run(NamedTuple):
    """All that a thread works with."""

    plan: Plan
    banks: Banks
    workspace: Workspace
    individuals: Individuals
    record: Record


class Life(NamedTuple):
    """Which individual it is, and where it lies in the arrays of the workspace."""

    individual: int
    slot: int  # 0 or 1
    weight: int
    matrix: int  # alpha and elig
    rate: int
    state: int  # x and drive
    clamp: int  # clamp and active
    baseline: int


@inlined
def place_life(plan: Any, slot: int, individual: int) -> Life:
    """An individual in slot 0 or 1."""
    matrix = slot * plan.row * plan.unclamped_width
    return Life(
        individual,
        slot,
        matrix,
        matrix,
        slot * (plan.num_steps + 1) * plan.row,
        slot * plan.unclamped_width,
        slot * plan.clamped_width,
        slot * plan.num_kinds,
    )
