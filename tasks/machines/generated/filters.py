"""What a drawn meta-task has to pass, and what is said of those that pass."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from tasks.machines.adaptive.level import adaptive_level
from tasks.machines.generated.canonical import canonical_form
from tasks.machines.generated.distribution import Parts, as_meta_task
from tasks.machines.generated.fixed import fixed_level, oracle_level, unshown
from tasks.machines.metatasks.form import MetaTask
from tasks.machines.metatasks.graph import reached
from tasks.machines.state_machine import StateMachine, StimulusVariable

TRIED, MEASURED = 40, 200  # instances to choose a policy by, and to measure it by
MOST_NODES = 20_000  # of what can be known, before the best policy is bounded in place of computed
LEAST_CHOICES = 2  # states in which actions lead elsewhere
DIGITS = 9  # that count, so that rounding decides nothing
SURE = 2.0  # standard errors by which a measured level has to pass

Reason = Literal["unreachable", "no choice", "nothing varies", "gap", "duplicate", "unmeasured"]
REASONS: dict[Reason, str] = {
    "unreachable": "a state cannot be reached from the start",
    "no choice": f"actions lead elsewhere in fewer than {LEAST_CHOICES} states",
    "nothing varies": "nothing varies between instances",
    "gap": "best adaptive minus best fixed policy is not above the gap",
    "duplicate": "the same as an earlier one but for names",
    "unmeasured": "too many values of variables to find the best adaptive policy",
}


class Levels(NamedTuple):
    """Mean reward of a trial, the finding out of an instance included."""

    fixed: float  # best policy that does not learn
    adaptive: float  # best one that does
    how: Literal["exact", "at least"]  # the adaptive level
    standard_error: float  # of the adaptive level; 0 = exact
    oracle: float  # who knows the variables

    @property
    def difficulty(self) -> float:
        """How much of what can be reached has to be learned: (adaptive - fixed) / adaptive."""
        return (self.adaptive - self.fixed) / self.adaptive


class Kept(NamedTuple):
    """A meta-task that passed, its levels and its canonical form."""

    task: MetaTask
    levels: Levels
    form: str


class Filters:
    """Takes drawn meta-tasks one after the other, and remembers their forms.

    Args:
        gap: reward of a trial that the best adaptive policy has above the best fixed one.
        trial_steps: actions of a trial.
        instance_trials: trials of an instance.
    """

    def __init__(self, gap: float, trial_steps: int, instance_trials: int) -> None:
        self.gap, self.trial_steps, self.instance_trials = gap, trial_steps, instance_trials
        self.forms: set[str] = set()

    def judge(self, parts: Parts, name: str) -> Kept | Reason:
        """The meta-task that parts make, or why it falls; cheap filters come first."""
        rows = parts.transitions
        leads = [{new for row in each for new, chance in enumerate(row) if chance} for each in rows]
        if len(reached(leads, ())) < len(rows):
            return "unreachable"
        if sum(len(set(each)) > 1 for each in rows) < LEAST_CHOICES:
            return "no choice"
        task = as_meta_task(
            parts, name, trial_steps=self.trial_steps, instance_trials=self.instance_trials
        )
        machine = task.machine()
        if not varies(machine):
            return "nothing varies"
        fixed, oracle = fixed_level(machine), oracle_level(machine)
        if not above(oracle - fixed, self.gap):  # who knows the variables reaches most
            return "gap"
        form = canonical_form(machine)
        if form in self.forms:
            return "duplicate"
        self.forms.add(form)
        levels = learned_levels(machine, fixed, oracle)
        if levels is None:
            return "unmeasured"
        if not clears(levels, self.gap):
            return "gap"
        return Kept(task, levels, form)


def learned_levels(machine: StateMachine, fixed: float, oracle: float) -> Levels | None:
    """The levels of a machine, the best adaptive one included; None where it cannot be found."""
    adaptive = adaptive_level(machine, TRIED, MEASURED, MOST_NODES)
    if adaptive is None:
        return None
    best = min(adaptive.reward, oracle)  # measured levels miss by some standard errors
    return Levels(fixed, best, adaptive.how, adaptive.standard_error, oracle)


def clears(levels: Levels, gap: float) -> bool:
    """Whether learning surely brings more than the gap."""
    return above(levels.adaptive - SURE * levels.standard_error - levels.fixed, gap)


def above(gained: float, gap: float) -> bool:
    """Whether a gain is above the gap, but for rounding."""
    return round(gained, DIGITS) > gap


def varies(machine: StateMachine) -> bool:
    """Whether a step that can happen pays, leads or shows something else in some instances."""
    if any(isinstance(each, StimulusVariable) for each in machine.stimuli):
        return True
    rules = unshown(machine, 2).rules
    possible = (machine.transition_SOS > 0)[None, ..., None]
    paid = np.where(possible, rules.probability_WSOSF * rules.value_WSOSF, 0.0)
    flags = np.where(possible, rules.flag_WSOSF, 0)
    ends = rules.ends_WS
    return bool(any((each != each[:1]).any() for each in (paid, flags, ends)))
