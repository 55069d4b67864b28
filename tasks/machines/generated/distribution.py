"""Random meta-tasks with the distribution of the published generator (Miconi 2023).

Four states, two actions; one state variable, two probability variables, two stimulus variables and
three fixed stimuli at most, of which what no rule and no state refers to is left out. How many
rules, and how often they speak of an action, a flag or a variable, is drawn for each meta-task.

Five things of the published code are mended:

- The guard against rules that never apply, "in state 0 with the flag up", tests state 1. Here 0.
- What a refused draw of a rule said (its action, its flag) stays for the next draw. Here it is
  drawn anew.
- A probability variable is written as 1000 or 2000 + k with equal chance, "one minus" it as 2000 or
  4000 + k: plain ones are rare, and 4000 + k means nothing. Here both are as likely.
- The coin for swapped outcomes is a normal number below 0.5 (69 %). Here 50 %.
- Variables that nothing refers to count as variation. Here they are not there.

Source: Miconi 2023 (arXiv 2302.05583), Meta-Task-Generator, metataskgen.py; how long a trial and an
instance last is not said there.
"""

from __future__ import annotations

from typing import NamedTuple

from evoplastic.random.counters import Purpose
from tasks.machines.dice import Dice
from tasks.machines.metatasks.codes import one_hot
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
    StimulusVariable,
)

SOURCE = "generated, after Miconi 2023 (arXiv 2302.05583)"
NUM_STATES, NUM_ACTIONS = 4, 2
FIXED_STIMULI, VARIABLE_STIMULI, PROBABILITIES = 3, 2, 2
POOL = 6  # stimuli that variable ones are drawn from


class Parts(NamedTuple):
    """What is drawn; it need not be a sound meta-task."""

    transitions: tuple[tuple[tuple[float, ...], ...], ...]
    stimuli: tuple[int | StimulusVariable | None, ...]
    state_range: tuple[int, ...]
    rewards: tuple[RewardRule, ...]
    flags: tuple[FlagRule, ...]


def draw_parts(seed: int, number: int) -> Parts:
    """The parts of one random meta-task: a function of seed and number."""
    dice = Dice(seed, number, Purpose.WORLD)
    num_rewards = dice.one_of((1, 1, 1, 2, 3))
    num_flags = dice.one_of((1, 1, 1, 2))
    variable_state = dice.one_of((0.0, 0.0, 0.5))
    uncertain = dice.one_of((0.0, 0.0, 0.0, 1.0))
    variable_chance = dice.one_of((0.2, 0.5, 0.8))
    uses_flag = dice.one_of((0.0, 0.0, 0.5))
    size = 2 if dice.happens(0.5) else 2 + dice.below(NUM_STATES - 2)
    state_range = tuple(sorted(dice.some_of(range(1, NUM_STATES), size)))
    stimuli = _stimuli(dice)
    rows = tuple(_rows(dice) for _ in range(NUM_STATES))
    rewards = [
        _reward(dice, variable_state, uncertain, variable_chance, uses_flag)
        for _ in range(num_rewards)
    ]
    flags = [_flag(dice, variable_state, always_up=n == 0) for n in range(num_flags)]
    return Parts(rows, stimuli, state_range, tuple(rewards), tuple(flags))


def _stimuli(dice: Dice) -> tuple[int | StimulusVariable | None, ...]:
    """A single variable stimulus says nothing new: it is the one that is not one of the others."""
    while True:
        shown: list[int | StimulusVariable | None] = []
        for _ in range(NUM_STATES):
            stimulus: int | StimulusVariable | None
            if dice.happens(2 / 3):
                stimulus = dice.below(FIXED_STIMULI)
            else:
                stimulus = StimulusVariable(dice.below(VARIABLE_STIMULI))
            shown.append(None if dice.happens(0.2) else stimulus)
        if len({each for each in shown if isinstance(each, StimulusVariable)}) != 1:
            return tuple(shown)


def _rows(dice: Dice) -> tuple[tuple[float, ...], ...]:
    """Where the actions of one state lead."""
    weights = [_weights(dice) for _ in range(NUM_ACTIONS)]
    if dice.happens(0.5):  # all actions alike, or all but one with two outcomes swapped
        weights = [list(weights[0]) for _ in range(NUM_ACTIONS)]
        possible = [new for new, weight in enumerate(weights[0]) if weight]
        if len(possible) > 1 and dice.happens(0.5):
            kept = dice.below(NUM_ACTIONS)
            one, other = dice.some_of(possible, 2)
            for action, row in enumerate(weights):
                if action != kept:
                    row[one], row[other] = row[other], row[one]
    return tuple(tuple(weight / sum(row) for weight in row) for row in weights)


def _weights(dice: Dice) -> list[int]:
    row = [0] * NUM_STATES
    row[dice.below(NUM_STATES)] = 5 if dice.happens(1 / 3) else 1
    for odds in (1 / 2, 1 / 3, 1 / 3):
        if not dice.happens(odds):
            break
        row[dice.below(NUM_STATES)] = 1  # may be one that is there
    return row


def _reward(
    dice: Dice, variable_state: float, uncertain: float, variable_chance: float, uses_flag: float
) -> RewardRule:
    while True:
        old: State = dice.below(NUM_STATES)
        action = dice.below(NUM_ACTIONS) if dice.happens(1 / 3) else ANY
        if dice.happens(variable_state):
            old = StateVariable(0)
        flag = dice.one_of((UP, UP, UP, DOWN)) if dice.happens(uses_flag) else ANY
        chance: float | ProbabilityVariable = 1.0
        if dice.happens(uncertain):
            chance = dice.one_of((0.2, 0.5, 0.8, 1.0))
            if dice.happens(variable_chance):
                complement = dice.happens(0.5)
                chance = ProbabilityVariable(dice.below(PROBABILITIES), complement)
        if (old, flag) != (0, UP):  # in state 0 the flag is down
            return RewardRule(old=old, action=action, probability=chance, flag=flag)


def _flag(dice: Dice, variable_state: float, *, always_up: bool) -> FlagRule:
    while True:
        old: State = dice.below(NUM_STATES)
        action = dice.below(NUM_ACTIONS) if dice.happens(1 / 3) else ANY
        value = UP if dice.one_of((True, True, True, False)) else DOWN
        if old == 0 and action == ANY:  # the start does not raise the flag by itself
            continue
        if dice.happens(variable_state):
            old = StateVariable(0)
        return FlagRule(old=old, action=action, value=UP if always_up else value)


def as_meta_task(parts: Parts, name: str, *, trial_steps: int, instance_trials: int) -> MetaTask:
    """A meta-task of drawn parts, without what nothing refers to.

    Args:
        parts: what was drawn.
        name: what it is called.
        trial_steps: actions of a trial.
        instance_trials: trials for which its variables stay.

    Raises:
        UsageError: a state that cannot be reached.
    """
    flags = parts.flags if any(rule.flag != ANY for rule in parts.rewards) else ()
    rules: tuple[RewardRule | FlagRule, ...] = (*parts.rewards, *flags)
    has_state = any(isinstance(rule.old, StateVariable) for rule in rules)
    chances: dict[int, int] = {}  # numbers that are used, as they come
    rewards = []
    for rule in parts.rewards:
        chance = rule.probability
        if isinstance(chance, ProbabilityVariable):
            number = chances.setdefault(chance.number, len(chances))
            chance = ProbabilityVariable(number, chance.complement)
        rewards.append(
            RewardRule(old=rule.old, action=rule.action, probability=chance, flag=rule.flag)
        )
    shown = sorted({each for each in parts.stimuli if isinstance(each, int)})
    varies = any(isinstance(each, StimulusVariable) for each in parts.stimuli)
    pool = tuple(range(len(shown), len(shown) + POOL)) if varies else ()
    return MetaTask(
        name=name,
        source=SOURCE,
        states=tuple(f"s{s}" for s in range(NUM_STATES)),
        actions=tuple(f"a{o}" for o in range(NUM_ACTIONS)),
        transitions=parts.transitions,
        stimuli=tuple(shown.index(y) if isinstance(y, int) else y for y in parts.stimuli),
        code=one_hot(len(shown) + len(pool)),
        rewards=tuple(rewards),
        flags=flags,
        state_variables=(StateRange("x", parts.state_range),) if has_state else (),
        probability_variables=tuple(ProbabilityRange(f"p{k}") for k in range(len(chances))),
        stimulus_variables=tuple(f"v{k}" for k in range(VARIABLE_STIMULI)) if varies else (),
        stimulus_pool=pool,
        trial_steps=trial_steps,
        instance_trials=instance_trials,
    )
