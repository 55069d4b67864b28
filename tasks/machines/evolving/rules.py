"""Mutations of what is paid, of flags, and of what varies between instances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tasks.machines.dice import Dice
from tasks.machines.evolving.limits import MOST_RANGE, MOST_VARIABLES, Limits
from tasks.machines.metatasks.form import MetaTask, ProbabilityRange, StateRange
from tasks.machines.state_machine import (
    ANY,
    DOWN,
    UP,
    FlagRule,
    ProbabilityVariable,
    RewardRule,
    State,
    StateVariable,
)

CHANCES = (0.2, 0.5, 0.8, 0.9, 1.0, 1.0)  # of a reward
BOUNDS = (0.0, 0.1, 0.2, 0.3, 0.4)  # how far a chance that varies stays from 0 and from 1
SWITCHES = (0.0, 0.0, 0.02, 0.05)
VARIES = 0.4  # share of new chances that vary
ON_ACTION = 1 / 3  # share of new rules that are about an action
ON_ENTRY = 0.5  # share of new rules about the state that is come to, not left
FLAG_DOWN = 0.2


def add_reward(task: MetaTask, dice: Dice, limits: Limits) -> MetaTask | None:
    """One more rule, which overrides those before it."""
    if len(task.rewards) >= limits.rewards:
        return None
    rule = RewardRule(probability=dice.one_of(CHANCES), **_place(task, dice))
    return replace(task, rewards=(*task.rewards, rule))


def drop_reward(task: MetaTask, dice: Dice, limits: Limits) -> MetaTask | None:
    """One rule goes."""
    if len(task.rewards) < 2:
        return None
    gone = dice.below(len(task.rewards))
    return replace(task, rewards=task.rewards[:gone] + task.rewards[gone + 1 :])


def move_reward(task: MetaTask, dice: Dice, limits: Limits) -> MetaTask | None:
    """A rule is about another state or action."""
    at = dice.below(len(task.rewards))
    return _with_reward(task, at, replace(task.rewards[at], **_place(task, dice)))


def change_chance(task: MetaTask, dice: Dice, limits: Limits) -> MetaTask | None:
    """A rule pays with another chance, which may vary between instances."""
    at, chances = dice.below(len(task.rewards)), task.probability_variables
    chance: float | ProbabilityVariable = dice.one_of(CHANCES)
    if dice.happens(VARIES):
        number = dice.below(min(len(chances) + 1, MOST_VARIABLES))
        if number == len(chances):
            chances = (*chances, ProbabilityRange(_new_name("p", [each.name for each in chances])))
        chance = ProbabilityVariable(number, complement=dice.happens(0.5))
    rule = replace(task.rewards[at], probability=chance)
    rewards = (*task.rewards[:at], rule, *task.rewards[at + 1 :])
    return replace(task, rewards=rewards, probability_variables=chances)


def change_bounds(task: MetaTask, dice: Dice, limits: Limits) -> MetaTask | None:
    """A chance that varies comes nearer to 0 and 1, or stays farther away."""
    chances = list(task.probability_variables)
    if not chances:
        return None
    at, bound = dice.below(len(chances)), dice.one_of(BOUNDS)
    chances[at] = chances[at]._replace(low=bound, high=1 - bound)
    return replace(task, probability_variables=tuple(chances))


def vary_state(task: MetaTask, dice: Dice, limits: Limits) -> MetaTask | None:
    """The state that a rule is about varies between instances, or its range changes."""
    at, S = dice.below(len(task.rewards)), len(task.states)
    rule, ranges = task.rewards[at], list(task.state_variables)
    key = "old" if rule.old != ANY else "new"
    place = getattr(rule, key)
    if isinstance(place, StateVariable):
        known = ranges[place.number]
        drawn = dice.below(S)
        states = set(known.states) ^ {drawn}
        if not 2 <= len(states) <= MOST_RANGE:
            return None
        ranges[place.number] = known._replace(states=tuple(sorted(states)))
        return replace(task, state_variables=tuple(ranges))
    number = dice.below(min(len(ranges) + 1, MOST_VARIABLES))
    if number == len(ranges):
        first = dice.below(S) if place == ANY else place
        other = (first + 1 + dice.below(S - 1)) % S
        name = _new_name("x", [each.name for each in ranges])
        ranges.append(StateRange(name, tuple(sorted((first, other)))))
    variable = StateVariable(number)
    varied = replace(rule, old=variable) if key == "old" else replace(rule, new=variable)
    rewards = (*task.rewards[:at], varied, *task.rewards[at + 1 :])
    return replace(task, rewards=rewards, state_variables=tuple(ranges))


def ask_flag(task: MetaTask, dice: Dice, limits: Limits) -> MetaTask | None:
    """A rule pays by the flag alone, which something puts up; or no longer asks for it."""
    at = dice.below(len(task.rewards))
    rule, flags = task.rewards[at], task.flags
    if rule.flag != ANY:
        return _with_reward(task, at, replace(rule, flag=ANY))
    if not flags:
        flags = (FlagRule(**_place(task, dice)),)
    rewards = (*task.rewards[:at], replace(rule, flag=UP), *task.rewards[at + 1 :])
    return replace(task, rewards=rewards, flags=flags)


def change_flag(task: MetaTask, dice: Dice, limits: Limits) -> MetaTask | None:
    """Something else puts the flag up, or a further rule puts it up or down."""
    flags = list(task.flags)
    if not flags:
        return None
    at = dice.below(min(len(flags) + 1, limits.rewards))
    value = DOWN if at and dice.happens(FLAG_DOWN) else UP
    flags[at : at + 1] = [FlagRule(value=value, **_place(task, dice))]
    return replace(task, flags=tuple(flags))


def change_length(task: MetaTask, dice: Dice, limits: Limits) -> MetaTask | None:
    """Trials have an action more or less."""
    steps = task.num_steps + (1 if dice.happens(0.5) else -1)
    return replace(task, trial_steps=steps) if 1 <= steps <= limits.steps else None


def change_end(task: MetaTask, dice: Dice, limits: Limits) -> MetaTask | None:
    """A state ends the trial, or no longer does."""
    s = 1 + dice.below(len(task.states) - 1)
    return replace(
        task,
        ends=tuple(each for each in task.ends if each != s) if s in task.ends else (*task.ends, s),
    )


def change_switch(task: MetaTask, dice: Dice, limits: Limits) -> MetaTask | None:
    """Variable states move on within an instance, now and then, or stay."""
    return replace(task, switch=dice.one_of(SWITCHES)) if task.state_variables else None


def _place(task: MetaTask, dice: Dice) -> dict[str, Any]:
    """What a rule is about: a state, which may be a variable, and maybe an action."""
    S, X = len(task.states), len(task.state_variables)
    drawn = dice.below(S + X)
    state: State = drawn if drawn < S else StateVariable(drawn - S)
    key, other = ("new", "old") if dice.happens(ON_ENTRY) else ("old", "new")
    action = dice.below(len(task.actions)) if dice.happens(ON_ACTION) else ANY
    return {key: state, other: ANY, "action": action}


def _with_reward(task: MetaTask, at: int, rule: RewardRule) -> MetaTask:
    return replace(task, rewards=(*task.rewards[:at], rule, *task.rewards[at + 1 :]))


def _new_name(letter: str, names: Sequence[str]) -> str:
    return next(f"{letter}{k}" for k in range(len(names) + 1) if f"{letter}{k}" not in names)
