"""Mutants of meta-tasks: sound, within limits, repeatable, and of every kind."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from evoplastic.checks import UsageError
from evoplastic.random.counters import Purpose
from tasks.machines.dice import Dice
from tasks.machines.evolving.judging import Screened, measured, screened
from tasks.machines.evolving.limits import Limits, evolvable, identity
from tasks.machines.evolving.mutation import MUTATIONS, mutate, tidied
from tasks.machines.generated.filters import Levels
from tasks.machines.metatasks.catalogue import META_TASKS
from tasks.machines.metatasks.form import MetaTask, ProbabilityRange, StateRange
from tasks.machines.metatasks.reading import from_plain
from tasks.machines.metatasks.writing import to_plain
from tasks.machines.state_machine import StateVariable, StimulusVariable
from tasks.machines.states import machine_nodes

LIMITS = Limits(stimuli=6)


def dice(number: int) -> Dice:
    return Dice(7, number, Purpose.COEVOLUTION)


def seed_task() -> MetaTask:
    return evolvable(META_TASKS["t-maze"](), LIMITS)


def line(length: int) -> list[MetaTask]:
    """Mutants of mutants."""
    found, number = [seed_task()], 0
    while len(found) < length:
        mutant = mutate(found[-1], LIMITS, dice(number))
        number += 1
        if mutant is not None:
            found.append(mutant)
    return found


def test_a_mutant_is_a_function_of_parent_and_dice() -> None:
    first, second = ([mutate(seed_task(), LIMITS, dice(n)) for n in range(20)] for _ in range(2))
    assert first == second
    assert len({each.machine().transition_SOS.tobytes() for each in first if each}) > 2


def test_a_line_of_mutants_stays_sound_small_and_readable() -> None:
    mutants = line(60)
    assert all(identity(a) != identity(b) for a, b in pairwise(mutants))
    for each in mutants:
        assert 2 <= len(each.states) <= LIMITS.states
        assert 1 <= each.num_steps <= LIMITS.steps
        assert 1 <= len(each.rewards) <= LIMITS.rewards
        assert np.shape(each.code) == (6, 6)
        assert from_plain(to_plain(each), "a mutant") == each
        assert tidied(each) == each
    assert len({len(each.states) for each in mutants}) > 1
    machine_nodes(mutants[-1].machine(), 40, 0)


def test_every_kind_of_mutation_happens_and_changes_something() -> None:
    done: Counter[str] = Counter()
    parents = line(24)
    for number, parent in enumerate(parents * 3):
        for name, change in MUTATIONS.items():
            try:
                mutant = change(parent, dice(number), LIMITS)
            except UsageError:
                continue
            done[name] += mutant is not None and mutant != parent
    assert not set(MUTATIONS) - set(+done), "kinds that never change anything"


def test_what_nothing_refers_to_is_left_out() -> None:
    task = replace(
        seed_task(),
        state_variables=(StateRange("idle", (0, 1)), *seed_task().state_variables),
        rewards=tuple(replace(r, new=StateVariable(1)) for r in seed_task().rewards),
        probability_variables=(ProbabilityRange("unread"),),
        stimuli=(0, StimulusVariable(1), None, None),
        stimulus_variables=("a", "b"),
        stimulus_pool=LIMITS.pool,
    )
    tidy = tidied(task)
    assert tidy.state_variables == seed_task().state_variables
    assert tidy.rewards == seed_task().rewards
    assert tidy.probability_variables == ()
    assert (tidy.stimuli[1], tidy.stimulus_variables) == (StimulusVariable(0), ("b",))


def test_names_do_not_make_a_task_another_one_but_its_length_does() -> None:
    task = seed_task()
    renamed = replace(task, name="other", states=("a", "b", "c", "d"), actions=("up", "down"))
    assert identity(renamed) == identity(task)
    assert identity(replace(task, trial_steps=3)) != identity(task)
    assert identity(replace(task, switch=0.1)) != identity(task)


def test_mutants_pass_the_filters_of_generated_tasks() -> None:
    task = seed_task()
    fixed = replace(task, rewards=(replace(task.rewards[0], new=2),), state_variables=())
    assert screened(fixed, 0.1, ()) == "nothing varies"
    assert screened(task, 0.6, ()) == "gap"
    passed = screened(task, 0.1, ())
    assert isinstance(passed, Screened)
    assert screened(task, 0.1, {passed.form}) == "duplicate"
    levels = measured(passed, 0.1)
    assert isinstance(levels, Levels)
    assert (levels.fixed, round(levels.adaptive, 3), levels.oracle) == (0.5, 0.95, 1.0)
    assert (passed.fixed, passed.oracle) == (levels.fixed, levels.oracle)
    assert measured(passed, 0.46) == "gap", "the oracle clears it, who has to find out does not"


@pytest.mark.parametrize(
    ("name", "limits", "reason"),
    [
        ("cue-reward", LIMITS, "one channel for each, at most 6"),
        ("t-maze", Limits(stimuli=6, states=3), "expected at most 3"),
        ("t-maze", Limits(stimuli=6, steps=1), "expected at most 1; begin with a shorter one"),
    ],
)
def test_what_cannot_evolve_is_refused(name: str, limits: Limits, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        evolvable(META_TASKS[name](), limits)


def test_more_states_than_can_be_told_apart_are_refused() -> None:
    with pytest.raises(UsageError, match="expected 2 to 6, of which all renamings can be tried"):
        Limits(stimuli=6, states=7)
