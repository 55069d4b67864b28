"""What a mutant has to pass: the filters of generated meta-tasks, the cheap ones apart.

The best adaptive policy takes longest to find, and nobody reaches more than who knows the
variables: with that level in its place, a score is a bound, by which most mutants are too easy or
too hard already.
"""

from __future__ import annotations

from collections.abc import Container
from typing import NamedTuple

from tasks.machines.evolving.limits import identity
from tasks.machines.generated.filters import (
    Levels,
    Reason,
    above,
    clears,
    learned_levels,
    varies,
)
from tasks.machines.generated.fixed import fixed_level, oracle_level
from tasks.machines.metatasks.form import MetaTask


class Screened(NamedTuple):
    """A meta-task that passed the cheap filters."""

    task: MetaTask
    form: str  # its identity
    fixed: float  # reward of a trial under the best policy that does not learn
    oracle: float  # and for who knows the variables


def screened(task: MetaTask, gap: float, known: Container[str]) -> Screened | Reason:
    """The meta-task with its outer levels, or why it falls.

    Args:
        task: sound, and small enough for a canonical form.
        gap: reward of a trial that learning has to bring.
        known: identities of those that it must not be.
    """
    form = identity(task)
    if form in known:
        return "duplicate"
    machine = task.machine()
    if not varies(machine):
        return "nothing varies"
    fixed, oracle = fixed_level(machine), oracle_level(machine)
    return Screened(task, form, fixed, oracle) if above(oracle - fixed, gap) else "gap"


def measured(mutant: Screened, gap: float) -> Levels | Reason:
    """All levels of a meta-task, unless learning brings too little."""
    levels = learned_levels(mutant.task.machine(), mutant.fixed, mutant.oracle)
    if levels is None:
        return "unmeasured"
    return levels if clears(levels, gap) else "gap"
