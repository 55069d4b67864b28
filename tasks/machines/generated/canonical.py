"""One form of all meta-tasks that differ in names and in how their rules are said.

The rules are written out as tables: what each step that can happen pays and where the flag goes,
for each value of the state variables. Tables are put into one row for each renaming of states
(the first one stays), actions and values of state variables; variables of probability and stimuli
are called by the order in which they occur there. The form is the least of these rows.

Left out: names, how long trials and instances last, what stimuli show, flags that nothing reads.
"""

from __future__ import annotations

import hashlib
from itertools import permutations, product

import numpy as np

from evoplastic.checks import require
from evoplastic.types import Int64Array
from tasks.machines.state_machine import (
    ANY,
    FlagRule,
    ProbabilityVariable,
    RewardRule,
    State,
    StateMachine,
    StateVariable,
    StimulusVariable,
)

PLACES = 4  # digits of a probability and of a value that count
FIRST_VARIABLE = 10**9  # codes from here on are variables, two for each
MOST_STATES, MOST_WORLDS = 6, 6


def canonical_form(machine: StateMachine) -> str:
    """A word that is the same for machines that are the same but for renaming.

    Raises:
        UsageError: too many states or values of state variables to try all renamings.
    """
    S, O = machine.num_states, machine.num_actions
    values = list(product(*machine.state_ranges)) or [()]
    require(
        S <= MOST_STATES and len(values) <= MOST_WORLDS,
        f"machine {machine.name!r} has {S} states and {len(values)} values of state variables; a "
        f"canonical form is found for at most {MOST_STATES} and {MOST_WORLDS}",
    )
    tables = [_table(machine, each) for each in values]
    tables = tables[:1] if all((table == tables[0]).all() for table in tables) else tables
    moves_SOS = np.rint(machine.transition_SOS * 10**PLACES).astype(np.int64)
    shown = [_shown(each) for each in machine.stimuli]
    symmetric = [abs(low + high - 1) < 1e-9 for low, high in machine.probability_ranges]
    best: bytes | None = None
    for rest in permutations(range(1, S)):
        order = np.array((0, *rest))
        stimuli = _numbered(np.array(shown)[order])
        for actions in permutations(range(O)):
            pick = np.ix_(order, np.array(actions), order)
            head = np.concatenate([[S, O, len(tables)], moves_SOS[pick].ravel(), stimuli])
            moved = [table[pick].reshape(-1, 4) for table in tables]
            if best is not None and head.astype(">i8").tobytes() > best[: 8 * len(head)]:
                continue
            for worlds in permutations(moved):
                rows = _named(np.stack(worlds).ravel(), symmetric)
                row = np.concatenate([head, rows]).astype(">i8").tobytes()
                best = row if best is None else min(best, row)
    assert best is not None
    return hashlib.sha256(best).hexdigest()[:16]


def _table(machine: StateMachine, values: tuple[int, ...]) -> Int64Array:
    """Of each step: what it pays by a flag that is down or up, then where the flag goes, [S, O, S,
    4], -1 where it cannot happen."""
    S, O = machine.num_states, machine.num_actions
    pays = np.zeros((S, O, S, 2), dtype=np.int64)
    flag = np.broadcast_to(np.arange(2), (S, O, S, 2)).copy()
    for rule in machine.rewards:
        pays[_matches(rule, values, S, O)] = _paid(rule)
    for each in machine.flags:
        flag[_matches(each, values, S, O)] = each.value
    flag[:, :, 0] = 0
    ends = {_value(state, values) for state in machine.ends}
    possible = machine.transition_SOS > 0
    met = {(0, 0)}
    todo = [(0, 0)]
    while todo:
        s, f = todo.pop()
        for o, new in np.argwhere(possible[s]).tolist():
            to = (new, int(flag[s, o, new, f]))
            if new not in ends and to not in met:
                met.add(to)
                todo.append(to)
    table = np.full((S, O, S, 4), -1, dtype=np.int64)
    for s, f in met:
        table[s, :, :, f] = np.where(possible[s], pays[s, :, :, f], -1)
        table[s, :, :, 2 + f] = np.where(possible[s], flag[s, :, :, f], -1)
    both = [s for s in range(S) if {(s, 0), (s, 1)} <= met]
    read = any((table[s, ..., 0] != table[s, ..., 1]).any() for s in both)
    if not read:  # what a step pays is known without the flag
        table[..., 0] = table[..., :2].max(axis=-1)
        table[..., 1:] = -1
    for end in ends:  # no matter where the flag would be
        table[:, :, end, 2:] = -2
    return table


def _matches(
    rule: RewardRule | FlagRule, values: tuple[int, ...], S: int, O: int
) -> tuple[np.ndarray, ...]:
    flag = rule.flag if isinstance(rule, RewardRule) else ANY
    sizes = (S, O, S, 2)
    wanted = (_value(rule.old, values), rule.action, _value(rule.new, values), flag)
    return np.ix_(
        *(range(n) if each == ANY else [each] for each, n in zip(wanted, sizes, strict=True))
    )


def _value(state: State, values: tuple[int, ...]) -> int:
    return values[state.number] if isinstance(state, StateVariable) else state


def _paid(rule: RewardRule) -> int:
    """A code of how much is paid with which probability; 0 = nothing."""
    value = round(rule.value * 10**PLACES)
    if not value:
        return 0
    chance = rule.probability
    if isinstance(chance, ProbabilityVariable):
        code = FIRST_VARIABLE + 2 * chance.number + chance.complement
    else:
        code = round(chance * 10**PLACES)
    return code and code + (value % 2**28) * 2**32


def _shown(stimulus: int | StimulusVariable | None) -> int:
    if stimulus is None:
        return -1
    if isinstance(stimulus, StimulusVariable):
        return 1000 + stimulus.number
    return stimulus


def _numbered(stimuli: Int64Array) -> Int64Array:
    """Stimuli by the order in which they occur."""
    names: dict[int, int] = {-1: -1}
    for each in stimuli.tolist():
        kind = 1000 * (each >= 1000)
        names.setdefault(
            each, kind + sum(1 for y in names if y >= 0 and 1000 * (y >= 1000) == kind)
        )
    return np.array([names[each] for each in stimuli.tolist()])


def _named(row: Int64Array, symmetric: list[bool]) -> Int64Array:
    """Probability variables by the order in which they occur; where a range is as far from 0 as
    from 1, one minus a variable is a variable."""
    if not symmetric:
        return row
    low = row % 2**32
    places = np.flatnonzero((row > 0) & (low >= FIRST_VARIABLE))
    names: dict[int, tuple[int, int]] = {}
    row = row.copy()
    for place in places.tolist():
        number, complement = divmod(int(low[place]) - FIRST_VARIABLE, 2)
        name, turned = names.setdefault(
            number, (len(names), complement if symmetric[number] else 0)
        )
        row[place] += 2 * (name - number) + (complement ^ turned) - complement
    return row
