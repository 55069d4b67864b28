"""A meta-task: states, transitions, a flag, reward rules, and variables redrawn per instance.

The language of Miconi 2023 (arXiv 2302.05583) with names, and with what that text leaves open: when
a trial ends, how long an instance lasts, and what a stimulus shows. `MetaTask.machine` is the
`StateMachine` whose instances `tasks.machines` draws into trials, so every engine runs them.

Axes: S states, O actions, Y stimuli, I channels; states, actions and stimuli are numbers here, and
state 0 is where a trial begins.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from evoplastic.checks import require
from tasks.machines.metatasks.graph import cycle_without_end, longest_way, reached
from tasks.machines.state_machine import (
    FlagRule,
    ProbabilityVariable,
    RewardRule,
    State,
    StateMachine,
    StateVariable,
    StimulusVariable,
)

ROUNDING = 1e-6  # by which a row may miss 1, as files round


class StateRange(NamedTuple):
    """A state variable and the states it is drawn from."""

    name: str
    states: tuple[int, ...]


class ProbabilityRange(NamedTuple):
    """A probability variable, uniform from low to high."""

    name: str
    low: float = 0.0
    high: float = 1.0


@dataclass(frozen=True, kw_only=True)
class MetaTask:
    """A family of tasks that differ in the values of their variables.

    Raises:
        UsageError: parts that contradict each other: a row that does not add up to one, a state
            that cannot be reached, a rule for a state that is not there, a variable without a
            range, a trial that need not end.
    """

    name: str
    states: tuple[str, ...]
    actions: tuple[str, ...]
    transitions: tuple[tuple[tuple[float, ...], ...], ...]  # [s][o][s'] probability of s'
    stimuli: tuple[int | StimulusVariable | None, ...]  # of each state; None shows nothing
    code: tuple[tuple[float, ...], ...]  # [y][i] what stimulus y shows on channel i
    rewards: tuple[RewardRule, ...]  # of those that match, the last one counts
    flags: tuple[FlagRule, ...] = ()
    state_variables: tuple[StateRange, ...] = ()
    probability_variables: tuple[ProbabilityRange, ...] = ()
    stimulus_variables: tuple[str, ...] = ()
    stimulus_pool: tuple[int, ...] = ()  # that stimulus variables are drawn from, each once
    trial_steps: int | None = None  # actions of the longest trial; None = until a state ends it
    ends: tuple[State, ...] = ()  # states whose entry ends the trial
    holds: tuple[int, ...] = ()  # states that ask for something on the way to an answer
    switch: float = 0.0  # chance, before each trial, that each state variable moves on
    instance_trials: int = 50  # for which the variables stay
    dwell_steps: int = 1  # network steps that a state is shown
    about: str = ""  # what it asks, in a sentence
    source: str = ""  # author and year

    def __post_init__(self) -> None:
        self._check_names()
        self._check_rows()
        self._check_variables()
        self._check_rules()
        self._check_ways()
        _ = self.machine()  # the rest: probabilities, counts

    @cached_property
    def num_steps(self) -> int:
        """Actions of the longest trial."""
        if self.trial_steps is not None:
            return self.trial_steps
        return longest_way(self._next, self._fixed_ends)

    def machine(self, dt_ms: float = 20.0) -> StateMachine:
        """The state machine that draws instances of it into trials.

        Raises:
            UsageError: parts that contradict each other.
        """
        rows_SOS = np.array(self.transitions, dtype=np.float64)
        return StateMachine(
            name=self.name,
            transition_SOS=rows_SOS / rows_SOS.sum(axis=2, keepdims=True),
            stimuli=self.stimuli,
            code_YI=np.array(self.code, dtype=np.float32).reshape(len(self.code), -1),
            rewards=self.rewards,
            flags=self.flags,
            num_steps=self.num_steps,
            ends=self.ends,
            holds=self.holds,
            state_ranges=tuple(each.states for each in self.state_variables),
            probability_ranges=tuple((each.low, each.high) for each in self.probability_variables),
            stimulus_pool=self.stimulus_pool,
            switch=self.switch,
            instance_trials=self.instance_trials,
            dwell_steps=self.dwell_steps,
            dt_ms=dt_ms,
        )

    @property
    def _who(self) -> str:
        return f"meta-task {self.name!r}"

    @cached_property
    def _next(self) -> list[set[int]]:
        """The states that each state may lead to."""
        return [
            {new for row in rows for new, chance in enumerate(row) if chance > 0}
            for rows in self.transitions
        ]

    @property
    def _fixed_ends(self) -> set[int]:
        return {state for state in self.ends if isinstance(state, int)}

    def _check_names(self) -> None:
        for what, names, least in (("states", self.states, 1), ("actions", self.actions, 2)):
            require(
                len(names) >= least,
                f"{self._who} has {len(names)} {what}, expected at least {least}",
            )
            require(
                len(set(names)) == len(names),
                f"{self._who} names {what} {', '.join(names)}, of which some are alike; give each "
                "a name of its own",
            )

    def _check_rows(self) -> None:
        S, O = len(self.states), len(self.actions)
        sound = len(self.transitions) == S and all(
            len(rows) == O and all(len(row) == S for row in rows) for rows in self.transitions
        )
        require(
            sound,
            f"transitions of {self._who} are not of the shape (S, O, S) = ({S}, {O}, {S}) of its "
            "states and actions",
        )
        for state, rows in enumerate(self.transitions):
            for action, row in enumerate(rows):
                total = sum(row)
                require(
                    min(row) >= 0 and abs(total - 1) <= ROUNDING,
                    f"{self._who}: the transitions from state {self.states[state]!r} by action "
                    f"{self.actions[action]!r} add up to {total:g} (least {min(row):g}), expected "
                    "probabilities that add up to 1; give the rest to a state, or scale the row",
                )

    def _check_variables(self) -> None:
        for name, states in self.state_variables:
            require(
                bool(states),
                f"{self._who}: state variable {name!r} has no range; list the states that it is "
                "drawn from",
            )
        for name, low, high in self.probability_variables:
            require(
                0 <= low <= high <= 1,
                f"{self._who}: probability variable {name!r} has the range [{low:g}, {high:g}], "
                "expected 0 <= low <= high <= 1",
            )
        count, pool = len(self.stimulus_variables), self.stimulus_pool
        require(
            len(set(pool)) == len(pool) >= count,
            f"{self._who}: {count} stimulus variables are drawn from a pool of {len(set(pool))} "
            "stimuli, each once; give the pool at least as many",
        )

    def _check_rules(self) -> None:
        counts = {
            "state variable": len(self.state_variables),
            "probability variable": len(self.probability_variables),
            "stimulus variable": len(self.stimulus_variables),
            "state": len(self.states),
        }
        for what, place, number in self._references():
            require(
                number < counts[what],
                f"{self._who}: {place} names {what} {number}, but there are {counts[what]}; "
                + ("declare its range" if "variable" in what else "states count from 0"),
            )

    def _references(self) -> Iterator[tuple[str, str, int]]:
        """All that rules, ends and states refer to: what, where from, number."""
        rules: Sequence[RewardRule | FlagRule] = (*self.rewards, *self.flags)
        for place, states in (
            *((f"rule {n}", (rule.old, rule.new)) for n, rule in enumerate(rules)),
            ("ends", self.ends),
            *((f"the range of {name!r}", states) for name, states in self.state_variables),
        ):
            for state in states:
                if isinstance(state, StateVariable):
                    yield "state variable", place, state.number
                else:
                    yield "state", place, state
        for n, reward in enumerate(self.rewards):
            if isinstance(reward.probability, ProbabilityVariable):
                yield "probability variable", f"rule {n}", reward.probability.number
        for name, stimulus in zip(self.states, self.stimuli, strict=False):
            if isinstance(stimulus, StimulusVariable):
                yield "stimulus variable", f"state {name!r}", stimulus.number

    def _check_ways(self) -> None:
        met = reached(self._next, self._fixed_ends)
        lost = [name for number, name in enumerate(self.states) if number not in met]
        require(
            not lost,
            f"{self._who}: no way leads from {self.states[0]!r}, where trials begin, to "
            f"{', '.join(map(repr, lost))}; leave them out, or give a transition that leads there",
        )
        if self.trial_steps is None:
            cycle = cycle_without_end(self._next, self._fixed_ends)
            require(
                cycle is None,
                f"{self._who}: a trial need not end: it can go "
                f"{' -> '.join(self.states[state] for state in cycle or ())} for ever; give "
                "trial_steps, or list a state of this circle in ends",
            )
