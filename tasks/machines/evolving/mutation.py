"""A meta-task from another one: one or two small changes, each of some kind.

What a mutant is, is a function of its parent, the limits, and the address of its dice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from evoplastic.checks import UsageError
from tasks.machines.dice import Dice
from tasks.machines.evolving import rows, rules
from tasks.machines.evolving.limits import Limits, identity
from tasks.machines.generated.canonical import is_small
from tasks.machines.metatasks.form import MetaTask
from tasks.machines.state_machine import (
    ANY,
    FlagRule,
    ProbabilityVariable,
    RewardRule,
    State,
    StateVariable,
    StimulusVariable,
)

Change = Callable[[MetaTask, Dice, Limits], MetaTask | None]

MUTATIONS: dict[str, Change] = {
    change.__name__: change
    for change in (
        rows.redirect,
        rows.stray,
        rows.settle,
        rows.add_state,
        rows.drop_state,
        rows.show,
        rules.add_reward,
        rules.drop_reward,
        rules.move_reward,
        rules.change_chance,
        rules.change_bounds,
        rules.vary_state,
        rules.ask_flag,
        rules.change_flag,
        rules.change_length,
        rules.change_end,
        rules.change_switch,
    )
}
MOST_CHANGES = 2
TRIES = 24  # of a change, before the mutant is given up


def mutate(task: MetaTask, limits: Limits, dice: Dice) -> MetaTask | None:
    """A mutant that is sound, within the limits, and another meta-task than its parent.

    None where the draws led to none.
    """
    mutant = task
    for _ in range(1 + dice.below(MOST_CHANGES)):
        changed = _changed(mutant, limits, dice)
        if changed is None:
            return None
        mutant = changed
    return None if identity(mutant) == identity(task) else mutant


def _changed(task: MetaTask, limits: Limits, dice: Dice) -> MetaTask | None:
    for _ in range(TRIES):
        change = dice.one_of(tuple(MUTATIONS.values()))
        try:
            changed = change(task, dice, limits)
            tidy = None if changed is None else tidied(changed)
        except UsageError:  # a state that cannot be reached, say
            continue
        if tidy is not None and tidy != task and tidy.rewards and is_small(tidy.machine()):
            return tidy
    return None


def tidied(task: MetaTask) -> MetaTask:
    """A meta-task without what nothing refers to: variables, and flags that no rule asks for."""
    flags = task.flags if any(rule.flag != ANY for rule in task.rewards) else ()
    kept: list[RewardRule | FlagRule] = [*task.rewards, *flags]
    places = [state for rule in kept for state in (rule.old, rule.new)]
    states = _used(each.number for each in (*places, *task.ends) if isinstance(each, StateVariable))
    paid = [rule.probability for rule in task.rewards]
    chances = _used(each.number for each in paid if isinstance(each, ProbabilityVariable))
    shown = _used(each.number for each in task.stimuli if isinstance(each, StimulusVariable))

    def state(each: State) -> State:
        return StateVariable(states[each.number]) if isinstance(each, StateVariable) else each

    rewards = [
        replace(
            rule,
            old=state(rule.old),
            new=state(rule.new),
            probability=replace(rule.probability, number=chances[rule.probability.number])
            if isinstance(rule.probability, ProbabilityVariable)
            else rule.probability,
        )
        for rule in task.rewards
    ]
    return replace(
        task,
        rewards=tuple(rewards),
        flags=tuple(replace(rule, old=state(rule.old), new=state(rule.new)) for rule in flags),
        ends=tuple(state(each) for each in task.ends),
        stimuli=tuple(
            StimulusVariable(shown[each.number]) if isinstance(each, StimulusVariable) else each
            for each in task.stimuli
        ),
        state_variables=tuple(task.state_variables[number] for number in states),
        probability_variables=tuple(task.probability_variables[number] for number in chances),
        stimulus_variables=tuple(task.stimulus_variables[number] for number in shown),
        stimulus_pool=task.stimulus_pool if shown else (),
        switch=task.switch if states else 0.0,
    )


def _used(numbers: Iterable[int]) -> dict[int, int]:
    """What each variable that is used is called when the others are gone, in their order."""
    return {number: place for place, number in enumerate(sorted(set(numbers)))}
