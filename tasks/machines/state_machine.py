"""Finite-state tasks in a compact form: bandits, two-step tasks, mazes, Harlow and meta-RL tasks.

A trial begins in state 0 with the flag down. At each step the state shows its stimulus, an action
is taken, the next state is drawn from `transition_SOS[state, action]`, and of the reward rules that
match the last one pays its value with its probability. Variables (states, probabilities and stimuli
that rules and states refer to) are drawn for each instance, `instance_trials` trials in a row: an
instance is what a lifetime can learn. `tasks.machines.states` turns the form into trials.

Axes here: S states, Y stimuli, I channels, O actions.

Source: the language of Miconi 2023 (arXiv 2302.05583), whose rules "later ones override" are kept;
that text leaves open when the flag is read: here before the step, and state 0 lowers it afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from evoplastic.checks import require
from evoplastic.types import Float32Array

ANY = -1  # of a rule: whatever the state, action or flag
DOWN, UP = 0, 1  # the flag


@dataclass(frozen=True)
class StateVariable:
    """A state drawn for each instance from `state_ranges[number]`."""

    number: int


@dataclass(frozen=True)
class ProbabilityVariable:
    """A probability drawn for each instance from `probability_ranges[number]`, or one minus it."""

    number: int
    complement: bool = False


@dataclass(frozen=True)
class StimulusVariable:
    """A stimulus drawn for each instance from `stimulus_pool`, never one that another one has."""

    number: int


State = int | StateVariable


@dataclass(frozen=True, kw_only=True)
class RewardRule:
    """Pays `value` with `probability` for going from `old` to `new` by `action`."""

    old: State = ANY
    new: State = ANY
    action: int = ANY
    probability: float | ProbabilityVariable = 1.0
    value: float = 1.0
    flag: int = ANY  # as it stood before the step


@dataclass(frozen=True, kw_only=True)
class FlagRule:
    """Puts the flag UP or DOWN on going from `old` to `new` by `action`."""

    old: State = ANY
    new: State = ANY
    action: int = ANY
    value: int = UP


@dataclass(frozen=True, kw_only=True, eq=False)
class StateMachine:
    """A task of finitely many states.

    The target is, where not stated, each action of highest expected reward to the trial's end for
    somebody who knows the variables; where all actions are worth the same, there is none.

    Raises:
        UsageError: parts that contradict each other.
    """

    name: str
    transition_SOS: NDArray[np.float64]  # probability of the next state
    stimuli: tuple[int | StimulusVariable | None, ...]  # of each state; None shows zeros
    code_YI: Float32Array  # what a stimulus shows on the channels
    rewards: tuple[RewardRule, ...]  # of those that match, the last one counts
    num_steps: int  # actions until the trial is over at the latest
    flags: tuple[FlagRule, ...] = ()
    ends: tuple[State, ...] = ()  # states whose entry ends the trial
    holds: tuple[int, ...] = ()  # states that ask for something on the way to an answer
    target_actions: tuple[int | None, ...] | None = None  # action of each state; None = derived
    state_ranges: tuple[tuple[int, ...], ...] = ()
    probability_ranges: tuple[tuple[float, float], ...] = ()
    stimulus_pool: tuple[int, ...] = ()
    switch: float = 0.0  # chance, before each trial, that each state variable takes its next value
    instance_trials: int = 1  # trials for which the variables stay
    dwell_steps: int = 1  # network steps that a state is shown; the last one takes the action
    dt_ms: float = field(default=20.0)

    def __post_init__(self) -> None:
        S, O = self.num_states, self.num_actions
        require(
            self.transition_SOS.shape == (S, O, S) and S >= 1 and O >= 2,
            f"transition_SOS of machine {self.name!r} has shape {self.transition_SOS.shape}, "
            "expected (S, O, S) with at least 2 actions",
        )
        require(
            bool((self.transition_SOS >= 0).all())
            and bool(np.allclose(self.transition_SOS.sum(axis=2), 1.0)),
            f"transition_SOS of machine {self.name!r} must hold probabilities that add up to 1 "
            "over the next state",
        )
        require(
            len(self.stimuli) == S,
            f"machine {self.name!r} has {len(self.stimuli)} stimuli for {S} states, expected one "
            "for each",
        )
        for name in ("num_steps", "instance_trials", "dwell_steps"):
            value = getattr(self, name)
            require(value >= 1, f"{name} of machine {self.name!r} is {value}, expected at least 1")
        require(
            0.0 <= self.switch <= 1.0,
            f"switch of machine {self.name!r} is {self.switch}, expected a probability",
        )
        require(
            self.target_actions is None or len(self.target_actions) == S,
            f"machine {self.name!r} states the target action in some of its {S} states, expected "
            "an action or None for each",
        )
        self._check_numbers()

    def _check_numbers(self) -> None:
        S, O, Y = self.num_states, self.num_actions, len(self.code_YI)
        rules: list[RewardRule | FlagRule] = [*self.rewards, *self.flags]
        states = [state for rule in rules for state in (rule.old, rule.new)]
        self._check("states of rules", [s for s in states if isinstance(s, int)], ANY, S)
        self._check("actions of rules", [rule.action for rule in rules], ANY, O)
        ends = [state for state in self.ends if isinstance(state, int)]
        self._check("ends and holds", [*ends, *self.holds], 0, S)
        self._check("state_ranges", [s for each in self.state_ranges for s in each], 0, S)
        self._check("target actions", [a for a in self.target_actions or () if a is not None], 0, O)
        fixed = [stimulus for stimulus in self.stimuli if isinstance(stimulus, int)]
        self._check("stimuli", [*fixed, *self.stimulus_pool], 0, Y)
        named = (*states, *self.ends)
        variables = [state for state in named if isinstance(state, StateVariable)]
        self._check(
            "state variables", [v.number for v in variables], 0, sum(map(bool, self.state_ranges))
        )
        chances = [rule.probability for rule in self.rewards]
        drawn = [p.number for p in chances if isinstance(p, ProbabilityVariable)]
        self._check("probability variables", drawn, 0, len(self.probability_ranges))
        self._check("stimulus variables", self._stimulus_numbers, 0, len(self.stimulus_pool))
        given = [p for p in chances if not isinstance(p, ProbabilityVariable)]
        bounds = [bound for each in self.probability_ranges for bound in each]
        require(
            all(0.0 <= p <= 1.0 for p in (*given, *bounds)),
            f"machine {self.name!r} has probabilities {sorted({*given, *bounds})}, expected 0 to 1",
        )

    def _check(self, what: str, numbers: list[int], low: int, stop: int) -> None:
        outside = [number for number in numbers if not low <= number < stop]
        require(
            not outside,
            f"{what} of machine {self.name!r} hold {outside}, expected {low} to {stop - 1}",
        )

    @property
    def num_states(self) -> int:
        """S."""
        return self.transition_SOS.shape[0]

    @property
    def num_actions(self) -> int:
        """O."""
        return self.transition_SOS.shape[1]

    @property
    def num_stimulus_variables(self) -> int:
        """How many different stimuli an instance draws."""
        return max(self._stimulus_numbers, default=-1) + 1

    @property
    def _stimulus_numbers(self) -> list[int]:
        return [each.number for each in self.stimuli if isinstance(each, StimulusVariable)]
