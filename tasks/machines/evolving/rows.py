"""Mutations of where actions lead, of states, and of what they show."""

from __future__ import annotations

from dataclasses import replace

from tasks.machines.dice import Dice
from tasks.machines.evolving.limits import LEAST_STATES, MOST_VARIABLES, Limits
from tasks.machines.metatasks.form import MetaTask
from tasks.machines.state_machine import (
    ANY,
    FlagRule,
    RewardRule,
    State,
    StateVariable,
    StimulusVariable,
)

Row = tuple[float, ...]
STRAYS = (0.1, 0.2, 0.3)  # chances that an action leads elsewhere
STEP = 0.5  # chance that all actions of a state are changed alike
NO_STIMULUS, VARIABLE = 0.2, 0.3


def redirect(task: MetaTask, dice: Dice, limits: Limits) -> MetaTask | None:
    """An action, or all of a state, leads to another state for sure."""
    s, o = dice.below(len(task.states)), dice.below(len(task.actions))
    new = _other(dice, len(task.states), _likeliest(task.transitions[s][o]))
    return _with_row(task, s, None if dice.happens(STEP) else o, _sure(len(task.states), new))


def stray(task: MetaTask, dice: Dice, limits: Limits) -> MetaTask | None:
    """An action now and then leads elsewhere."""
    s, o = dice.below(len(task.states)), dice.below(len(task.actions))
    to = _likeliest(task.transitions[s][o])
    other, share = _other(dice, len(task.states), to), dice.one_of(STRAYS)
    row = tuple(
        1 - share if each == to else share if each == other else 0.0
        for each in range(len(task.states))
    )
    return _with_row(task, s, o, row)


def settle(task: MetaTask, dice: Dice, limits: Limits) -> MetaTask | None:
    """An action leads for sure where it led most often."""
    places = [
        (s, o)
        for s, rows in enumerate(task.transitions)
        for o, row in enumerate(rows)
        if max(row) < 1
    ]
    if not places:
        return None
    s, o = dice.one_of(places)
    return _with_row(task, s, o, _sure(len(task.states), _likeliest(task.transitions[s][o])))


def add_state(task: MetaTask, dice: Dice, limits: Limits) -> MetaTask | None:
    """A state on the way from one to another; some of its actions may lead back to the start."""
    S, O = len(task.states), len(task.actions)
    if limits.states <= S:
        return None
    s, o = dice.below(S), dice.below(O)
    to = _likeliest(task.transitions[s][o])
    through = range(O) if dice.happens(STEP) else (o,)
    onward = dice.below(O)
    rows = [[(*row, 0.0) for row in each] for each in task.transitions]
    for each in through:
        rows[s][each] = _sure(S + 1, S)
    rows.append([_sure(S + 1, to if a == onward or dice.happens(STEP) else 0) for a in range(O)])
    return replace(
        task,
        states=(*task.states, _new_name("s", task.states)),
        transitions=tuple(map(tuple, rows)),
        stimuli=(*task.stimuli, dice.below(limits.stimuli - len(limits.pool))),
        trial_steps=min(task.num_steps + 1, limits.steps),
    )


def drop_state(task: MetaTask, dice: Dice, limits: Limits) -> MetaTask | None:
    """A state goes, with the rules about it; who came there comes to where it led."""
    S = len(task.states)
    if S <= LEAST_STATES:
        return None
    gone = 1 + dice.below(S - 1)
    to = _likeliest(task.transitions[gone][0])
    to = 0 if to == gone else to
    left = [s for s in range(S) if s != gone]
    ranges = [
        each._replace(states=tuple(left.index(s) for s in each.states if s != gone))
        for each in task.state_variables
    ]
    if not all(len(each.states) > 1 for each in ranges):
        return None

    def row(old: Row) -> Row:
        moved = [old[s] + (old[gone] if s == to else 0.0) for s in left]
        return tuple(moved)

    def kept(rule: RewardRule | FlagRule) -> bool:
        return gone not in (rule.old, rule.new)

    def number(state: State) -> State:
        return state if isinstance(state, StateVariable) or state == ANY else left.index(state)

    rewards = [replace(r, old=number(r.old), new=number(r.new)) for r in task.rewards if kept(r)]
    flags = [replace(r, old=number(r.old), new=number(r.new)) for r in task.flags if kept(r)]
    return replace(
        task,
        states=tuple(task.states[s] for s in left),
        transitions=tuple(tuple(map(row, task.transitions[s])) for s in left),
        stimuli=tuple(task.stimuli[s] for s in left),
        rewards=tuple(rewards),
        flags=tuple(flags),
        ends=tuple(number(s) for s in task.ends if s != gone),
        holds=tuple(left.index(s) for s in task.holds if s != gone),
        state_variables=tuple(ranges),
    )


def show(task: MetaTask, dice: Dice, limits: Limits) -> MetaTask | None:
    """A state shows something else: nothing, a stimulus, or one that varies between instances."""
    s = dice.below(len(task.states))
    shown: int | StimulusVariable | None = dice.below(limits.stimuli - len(limits.pool))
    names, pool = task.stimulus_variables, task.stimulus_pool
    if dice.happens(NO_STIMULUS):
        shown = None
    elif dice.happens(VARIABLE):
        number = dice.below(min(len(names) + 1, MOST_VARIABLES, len(limits.pool)))
        if number == len(names):
            names = (*names, _new_name("v", names))
        shown, pool = StimulusVariable(number), pool or limits.pool
    stimuli = (*task.stimuli[:s], shown, *task.stimuli[s + 1 :])
    return replace(task, stimuli=stimuli, stimulus_variables=names, stimulus_pool=pool)


def _with_row(task: MetaTask, s: int, o: int | None, row: Row) -> MetaTask:
    rows = tuple(row if o in (None, at) else old for at, old in enumerate(task.transitions[s]))
    return replace(task, transitions=(*task.transitions[:s], rows, *task.transitions[s + 1 :]))


def _sure(size: int, to: int) -> Row:
    return tuple(float(each == to) for each in range(size))


def _likeliest(row: Row) -> int:
    return max(range(len(row)), key=row.__getitem__)


def _other(dice: Dice, size: int, than: int) -> int:
    """Any other number below `size`."""
    drawn = dice.below(size - 1)
    return drawn + (drawn >= than)


def _new_name(letter: str, names: tuple[str, ...]) -> str:
    return next(f"{letter}{k}" for k in range(len(names) + 1) if f"{letter}{k}" not in names)
