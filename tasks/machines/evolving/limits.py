"""How far meta-tasks may grow, and the form they have while they evolve."""

from __future__ import annotations

from dataclasses import dataclass, replace

from evoplastic.checks import require
from tasks.machines.generated.canonical import MOST_STATES, canonical_form, is_small
from tasks.machines.metatasks.codes import one_hot
from tasks.machines.metatasks.form import MetaTask

MOST_VARIABLES = 2  # of each kind
MOST_RANGE = 3  # states that a state variable is drawn from
LEAST_STATES = 2


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a mutant may have at most."""

    stimuli: int  # Y, channels of the network: each stimulus has one of its own
    states: int = 5
    steps: int = 5  # actions of a trial
    rewards: int = 4  # rules of each kind

    def __post_init__(self) -> None:
        require(
            LEAST_STATES <= self.states <= MOST_STATES,
            f"meta-tasks that evolve may have {self.states} states, expected {LEAST_STATES} to "
            f"{MOST_STATES}, of which all renamings can be tried",
        )

    @property
    def pool(self) -> tuple[int, ...]:
        """Stimuli that variable ones are drawn from; the others are fixed."""
        return tuple(range(self.stimuli - self.stimuli // 2, self.stimuli))


def evolvable(task: MetaTask, limits: Limits) -> MetaTask:
    """A meta-task in the form that mutations take: a channel for each stimulus, trials of so many
    actions.

    Raises:
        UsageError: it is larger than the limits, or shows something else.
    """
    who, most = f"meta-task {task.name!r}", limits.stimuli
    require(
        task.code == one_hot(len(task.code)) and len(task.code) <= most,
        f"{who} has {len(task.code)} stimuli that show {len(task.code[0])} channels, expected one "
        f"channel for each, at most {most} (code: one_hot), so that mutants can share a network",
    )
    require(
        len(task.states) <= limits.states and is_small(task.machine()),
        f"{who} has {len(task.states)} states, expected at most {limits.states}, and few values of "
        "its variables; begin with a smaller one, or raise poet.states",
    )
    require(
        task.num_steps <= limits.steps,
        f"{who} has trials of {task.num_steps} actions, expected at most {limits.steps}; begin "
        "with a shorter one, or raise poet.steps",
    )
    return replace(task, code=one_hot(most), trial_steps=task.num_steps)


def identity(task: MetaTask) -> str:
    """A word that meta-tasks share which differ in names alone: how long trials last, and whether
    variables move on within an instance, count here."""
    return f"{canonical_form(task.machine())}-{task.num_steps}-{task.switch:g}"
