"""Fixed levels against a scalar reckoning, and canonical forms under renaming."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from tasks.machines.generated.canonical import canonical_form
from tasks.machines.generated.distribution import as_meta_task, draw_parts
from tasks.machines.generated.filters import Filters
from tasks.machines.generated.fixed import fixed_level, oracle_level
from tasks.machines.metatasks.catalogue import META_TASKS
from tasks.machines.metatasks.form import MetaTask
from tasks.machines.metatasks.graph import reached
from tasks.machines.state_machine import (
    ANY,
    FlagRule,
    ProbabilityVariable,
    RewardRule,
    State,
    StateVariable,
    StimulusVariable,
)


def sound(count: int) -> list[MetaTask]:
    """The first generated ones whose states can all be reached."""
    found: list[MetaTask] = []
    number = 0
    while len(found) < count:
        parts = draw_parts(3, number)
        leads = [{s for row in each for s, p in enumerate(row) if p} for each in parts.transitions]
        if len(reached(leads, ())) == len(leads):
            found.append(as_meta_task(parts, f"w{number}", trial_steps=3, instance_trials=5))
        number += 1
    return found


def scalar_worth(task: MetaTask, action_of: tuple[int, ...]) -> float:
    """Mean reward of a trial of a map from states to actions, step by step."""
    ranges = [each.states for each in task.state_variables]
    worlds = list(product(*ranges))

    def fits(rule: RewardRule | FlagRule, x: tuple[int, ...], s: int, f: int) -> bool:
        old = x[rule.old.number] if isinstance(rule.old, StateVariable) else rule.old
        flag = rule.flag if isinstance(rule, RewardRule) else ANY
        return old == s and rule.action in (ANY, action_of[s]) and flag in (ANY, f)

    def worth(x: tuple[int, ...], s: int, f: int, t: int) -> float:
        if t == 0:
            return 0.0
        paid = 0.0
        for rule in task.rewards:
            if fits(rule, x, s, f):
                chance = rule.probability
                paid = 0.5 if isinstance(chance, ProbabilityVariable) else chance
        after = f
        for each in task.flags:
            if fits(each, x, s, f):
                after = each.value
        later = (
            p * worth(x, new, after if new else 0, t - 1)
            for new, p in enumerate(task.transitions[s][action_of[s]])
            if p
        )
        return paid + sum(later)

    return sum(worth(x, 0, 0, task.num_steps) for x in worlds) / len(worlds)


def check_fixed_levels(count: int) -> None:
    equal = 0
    for task in sound(count):
        machine = task.machine()
        level = fixed_level(machine)
        if any(isinstance(each, StimulusVariable) for each in task.stimuli):
            continue
        shown = list(dict.fromkeys(task.stimuli))
        maps = product(range(2), repeat=len(shown))
        best = max(
            scalar_worth(task, tuple(each[shown.index(y)] for y in task.stimuli)) for each in maps
        )
        assert level >= best - 1e-12, task.name
        equal += level <= best + 1e-12
        assert oracle_level(machine) >= best - 1e-12
    assert equal > count / 10, "hardly a level was that of a map, the test sees little"


def test_fixed_levels_are_those_of_the_best_map() -> None:
    check_fixed_levels(12)


@pytest.mark.exhaustive
def test_many_fixed_levels_are_those_of_the_best_map() -> None:
    check_fixed_levels(300)


@pytest.mark.parametrize(
    ("name", "fixed"),
    [("independent-bandit", 0.5), ("dependent-bandit", 0.5), ("harlow", 0.5), ("t-maze", 0.5)],
)
def test_fixed_levels_of_known_tasks(name: str, fixed: float) -> None:
    assert fixed_level(META_TASKS[name]().machine()) == pytest.approx(fixed)


def test_two_pictures_may_be_answered_differently_by_a_fixed_map() -> None:
    """Left at one picture and right at the other: of six pictures of the pool three go left, and
    two drawn pictures are then right with 3/6 * 3/5."""
    task = MetaTask(
        name="pictures",
        states=("one", "two", "won"),
        actions=("left", "right"),
        transitions=(
            ((0, 1, 0), (1, 0, 0)),
            ((1, 0, 0), (0, 0, 1)),
            ((0, 0, 1), (0, 0, 1)),
        ),
        stimuli=(StimulusVariable(0), StimulusVariable(1), None),
        code=tuple(tuple(float(i == y) for i in range(6)) for y in range(6)),
        rewards=(RewardRule(old=1, new=2),),
        stimulus_variables=("a", "b"),
        stimulus_pool=tuple(range(6)),
        trial_steps=2,
    )
    assert fixed_level(task.machine()) == pytest.approx(0.3)
    assert oracle_level(task.machine()) == pytest.approx(1.0)


def renamed(task: MetaTask, rng: np.random.Generator) -> MetaTask:
    """The same with other numbers for states, actions, stimuli and variables, and a rule twice."""
    S, O = len(task.states), len(task.actions)
    new_S = [0, *(1 + rng.permutation(S - 1)).tolist()]
    new_O = rng.permutation(O).tolist()
    old_S, old_O = np.argsort(new_S).tolist(), np.argsort(new_O).tolist()

    def place(state: State) -> State:
        return state if isinstance(state, StateVariable) or state == ANY else new_S[state]

    def action(number: int) -> int:
        return number if number == ANY else int(new_O[number])

    def chance(given: float | ProbabilityVariable) -> float | ProbabilityVariable:
        if not isinstance(given, ProbabilityVariable):
            return given
        return ProbabilityVariable(
            len(task.probability_variables) - 1 - given.number, not given.complement
        )

    fixed = rng.permutation(10).tolist()

    def look(y: int | StimulusVariable | None) -> int | StimulusVariable | None:
        if isinstance(y, StimulusVariable):
            return StimulusVariable(1 - y.number)
        return None if y is None else int(fixed[y])

    rewards = [
        replace(
            rule,
            old=place(rule.old),
            new=place(rule.new),
            action=action(rule.action),
            probability=chance(rule.probability),
        )
        for rule in task.rewards
    ]
    return replace(
        task,
        transitions=tuple(
            tuple(tuple(task.transitions[s][o][old_S[n]] for n in range(S)) for o in old_O)
            for s in old_S
        ),
        stimuli=tuple(look(task.stimuli[s]) for s in old_S),
        code=tuple(tuple(float(i == y) for i in range(20)) for y in range(20)),
        stimulus_pool=tuple(range(10, 16)) if task.stimulus_pool else (),
        rewards=(rewards[0], *rewards),
        flags=tuple(
            replace(rule, old=place(rule.old), new=place(rule.new), action=action(rule.action))
            for rule in task.flags
        ),
        state_variables=tuple(
            each._replace(states=tuple(int(new_S[s]) for s in each.states[::-1]))
            for each in task.state_variables
        ),
    )


def check_forms(count: int) -> None:
    rng = np.random.default_rng(4)
    forms = set()
    tasks = sound(count)
    for task in tasks:
        form = canonical_form(task.machine())
        assert canonical_form(renamed(task, rng).machine()) == form, task.name
        half = replace(task, rewards=tuple(replace(rule, value=0.5) for rule in task.rewards))
        long = replace(task, trial_steps=12)
        pays = oracle_level(long.machine()) > 0  # else no rule ever applies
        assert (canonical_form(half.machine()) != form) == pays, task.name
        forms.add(form)
    assert len(forms) > 0.9 * count


def test_forms_stay_under_renaming() -> None:
    check_forms(8)


@pytest.mark.exhaustive
def test_many_forms_stay_under_renaming() -> None:
    check_forms(200)


def test_forms_tell_known_tasks_apart() -> None:
    names = ("independent-bandit", "dependent-bandit", "harlow", "t-maze", "two-step", "key-door")
    forms = {canonical_form(META_TASKS[name]().machine()) for name in names}
    assert len(forms) == len(names)


def test_the_same_drawn_twice_is_a_duplicate() -> None:
    filters = Filters(0.1, trial_steps=4, instance_trials=20)
    parts = draw_parts(0, 56)
    assert not isinstance(filters.judge(parts, "once"), str)
    assert filters.judge(parts, "again") == "duplicate"
