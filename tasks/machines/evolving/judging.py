"""What a mutant has to pass before any network meets it: the filters of generated meta-tasks."""

from __future__ import annotations

from collections.abc import Container

from tasks.machines.evolving.limits import identity
from tasks.machines.generated.filters import (
    Kept,
    Levels,
    Reason,
    above,
    clears,
    learned_levels,
    varies,
)
from tasks.machines.generated.fixed import fixed_level, oracle_level
from tasks.machines.metatasks.form import MetaTask


def judged(task: MetaTask, gap: float, known: Container[str]) -> Kept | Reason:
    """The meta-task with its levels, or why it falls; cheap filters come first.

    Args:
        task: sound, and small enough for a canonical form.
        gap: reward of a trial that learning has to bring.
        known: identities of those that it must not be.
    """
    name = identity(task)
    if name in known:
        return "duplicate"
    if not varies(task.machine()):
        return "nothing varies"
    levels = levels_of(task, gap)
    if isinstance(levels, Levels):
        return Kept(task, levels, name)
    return levels


def levels_of(task: MetaTask, gap: float) -> Levels | Reason:
    """Levels of a meta-task, unless learning brings too little."""
    machine = task.machine()
    fixed, oracle = fixed_level(machine), oracle_level(machine)
    if not above(oracle - fixed, gap):
        return "gap"
    levels = learned_levels(machine, fixed, oracle)
    if levels is None:
        return "unmeasured"
    return levels if clears(levels, gap) else "gap"
