"""JSON of the published generator of meta-tasks (Miconi 2023, Meta-Task-Generator).

    T                  [s][a][s'] probability of the next state
    rewardconditions   [old state, new state, action, probability, value, flag]
    flagconditions     [old state, new state, action, new value]
    stimuli            one of each state
    statevarranges     the states that each state variable is drawn from

-1 stands for any, or for no stimulus. Numbers from 100 are state variables, from 1000 probability
variables, from 2000 one minus them, from 10000 stimulus variables. The generator also writes 4000
+ k where it draws "one minus variable k" (its factor 2000 is doubled by chance), so that is read as
one minus. It says nothing of when a trial ends and what a stimulus shows: here after `TRIAL_STEPS`
actions (set `trial_steps` for another number), and on a channel of its own; variables take one of
`POOL` further stimuli.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evoplastic.checks import UsageError, require
from tasks.machines.metatasks.form import MetaTask, ProbabilityRange, StateRange
from tasks.machines.state_machine import (
    ANY,
    FlagRule,
    ProbabilityVariable,
    RewardRule,
    State,
    StateVariable,
    StimulusVariable,
)

KEYS = ("T", "rewardconditions", "flagconditions", "stimuli", "statevarranges")
TRIAL_STEPS = 10
POOL = 6
STATES, CHANCES, COMPLEMENTS, DOUBLED, STIMULI = 100, 1000, 2000, 4000, 10000
MOST_VARIABLES = 100
SOURCE = "Miconi 2023 (arXiv 2302.05583), Meta-Task-Generator"


def is_published(content: Mapping[str, Any]) -> bool:
    """Whether keys are those of the published generator."""
    return "T" in content and "rewardconditions" in content


def read_published(content: Mapping[str, Any], *, name: str, where: str) -> MetaTask:
    """The meta-task of the published generator's JSON.

    Args:
        content: the values of the JSON.
        name: what it shall be called.
        where: what it is, for messages.

    Raises:
        UsageError: keys or numbers that the generator never writes, or no sound meta-task.
    """
    missing = [key for key in KEYS if key not in content]
    require(
        not missing and len(content) == len(KEYS),
        f"{where} has the keys {', '.join(content)}, expected those of the published generator: "
        f"{', '.join(KEYS)}",
    )
    try:
        return _read(content, name, where)
    except (TypeError, ValueError, IndexError) as error:
        raise UsageError(
            f"{where} does not hold what the published generator writes: {error}; expected lists "
            "of numbers, six in a reward condition, four in a flag condition"
        ) from error


def _read(content: Mapping[str, Any], name: str, where: str) -> MetaTask:
    rows = tuple(tuple(tuple(map(float, row)) for row in each) for each in content["T"])
    stimuli = tuple(_stimulus(int(each), where) for each in content["stimuli"])
    fixed = [each for each in stimuli if isinstance(each, int)]
    variables = [each.number for each in stimuli if isinstance(each, StimulusVariable)]
    first, count = max(fixed, default=-1) + 1, max(variables, default=-1) + 1
    pool = tuple(range(first, first + max(POOL, count))) if count else ()
    total = max(first + len(pool), 1)
    rewards = tuple(_reward(rule, where) for rule in content["rewardconditions"])
    chances = [
        r.probability.number for r in rewards if isinstance(r.probability, ProbabilityVariable)
    ]
    return MetaTask(
        name=name,
        source=SOURCE,
        states=tuple(f"s{number}" for number in range(len(rows))),
        actions=tuple(f"a{number}" for number in range(len(rows[0]))),
        transitions=rows,
        stimuli=stimuli,
        code=tuple(tuple(float(i == y) for i in range(total)) for y in range(total)),
        rewards=rewards,
        flags=tuple(
            FlagRule(
                old=_state(rule[0], where),
                new=_state(rule[1], where),
                action=int(rule[2]),
                value=int(rule[3]),
            )
            for rule in content["flagconditions"]
        ),
        state_variables=tuple(
            StateRange(f"x{number}", tuple(map(int, states)))
            for number, states in enumerate(content["statevarranges"])
        ),
        probability_variables=tuple(
            ProbabilityRange(f"p{number}") for number in range(max(chances, default=-1) + 1)
        ),
        stimulus_variables=tuple(f"v{number}" for number in range(count)),
        stimulus_pool=pool,
        trial_steps=TRIAL_STEPS,
    )


def _reward(rule: Any, where: str) -> RewardRule:
    old, new, action, chance, value, flag = rule
    probability: float | ProbabilityVariable = float(chance)
    if chance > 1:
        base = next((b for b in (DOUBLED, COMPLEMENTS, CHANCES) if chance >= b), None)
        number = -1 if base is None else int(chance) - base
        require(
            0 <= number < MOST_VARIABLES,
            f"{where}: probability {chance:g}, expected 0 to 1, 1000 + k or 2000 + k",
        )
        probability = ProbabilityVariable(number, complement=base != CHANCES)
    return RewardRule(
        old=_state(old, where),
        new=_state(new, where),
        action=int(action),
        probability=probability,
        value=float(value),
        flag=int(flag),
    )


def _state(given: Any, where: str) -> State:
    number = int(given)
    require(
        ANY <= number < STATES + MOST_VARIABLES,
        f"{where}: a rule names state {number}, expected -1, a state, or 100 + k",
    )
    return StateVariable(number - STATES) if number >= STATES else number


def _stimulus(number: int, where: str) -> int | StimulusVariable | None:
    low = STIMULI if number >= STIMULI else CHANCES  # an older version counts from 1000
    require(
        ANY <= number < low + MOST_VARIABLES,
        f"{where}: stimulus {number}, expected -1, a stimulus, or 10000 + k",
    )
    if number >= CHANCES:
        return StimulusVariable(number - low)
    return None if number == ANY else number
