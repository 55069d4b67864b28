"""Meta-tasks from files: YAML or JSON that is read strictly (`writing.py` writes it).

    name: t_maze
    states: [stem, junction, left_arm, right_arm]      # a trial begins in the first one
    actions: [left, right]
    transitions:                                       # later ones override
      - {from: stem, to: junction}                     # by any action
      - {from: junction, action: left, to: left_arm}
      - {from: junction, action: right, to: {right_arm: 0.9, left_arm: 0.1}}
    stimuli: {stem: 0, junction: 1}                    # a number, $VARIABLE, or nothing
    code: one_hot                                      # {random_bits: 20, count: 64}, or rows
    variables:
      states: {goal: [left_arm, right_arm]}
      probabilities: {p: [0.0, 1.0]}
      stimuli: {names: [object], pool: [2, 3, 4]}
    flags: [{to: stem, set: up}]                       # from, to, action; set: up or down
    rewards: [{to: $goal, probability: 1 - $p, value: 1, flag: up}]   # later ones override
    ends: [left_arm, right_arm]
    trial_steps: 2
    instance_trials: 50

Further keys are fields of `MetaTask`. States that end the trial need no transitions.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from evoplastic.checks import nearest, require, require_known, whole_number
from evoplastic.reading import parse_object, parse_yaml, read_text
from tasks.machines.metatasks.codes import one_hot, random_bits
from tasks.machines.metatasks.collection import MOST_BYTES, member
from tasks.machines.metatasks.fields import Fields
from tasks.machines.metatasks.form import MetaTask, ProbabilityRange, StateRange
from tasks.machines.metatasks.published import is_published, read_published
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

KEYS = (
    *("name", "about", "source", "states", "actions", "transitions", "stimuli", "code"),
    *("variables", "flags", "rewards", "ends", "holds", "trial_steps", "switch"),
    *("instance_trials", "dwell_steps"),
)
NUMBERS = ("trial_steps", "instance_trials", "dwell_steps")
WAYS = {"up": UP, "down": DOWN}


def read_meta_task(path: Path, text: str | None = None, name: str | None = None) -> MetaTask:
    """The meta-task of a file; JSON of the published generator is taken too.

    Args:
        path: a YAML or JSON file.
        text: read in place of what lies there.
        name: of a meta-task where the file holds many.

    Raises:
        UsageError: no such file, no such name in it, or no sound meta-task.
    """
    where = f"meta-task file {path}"
    text = read_text(path, "meta-task file", MOST_BYTES) if text is None else text
    return _parsed(member(text, name, where), path, where)


@lru_cache(maxsize=2048)
def _parsed(text: str, path: Path, where: str) -> MetaTask:
    """A text is read once: a suite asks for each of its tasks several times."""
    if path.suffix == ".json":
        content: Any = parse_object(text, where)
    else:
        content = parse_yaml(text, where)
    require(isinstance(content, dict), f"{where} holds no keys with values")
    if is_published(content):
        return read_published(content, name=path.stem, where=where)
    return from_plain({"name": path.stem} | content, where)


def from_plain(content: Mapping[str, Any], where: str) -> MetaTask:
    """The meta-task that plain keys and values say.

    Args:
        content: what a file holds.
        where: what it is, for messages.

    Raises:
        UsageError: a key or a name that is not known, or parts that contradict each other.
    """
    return _Reader(content, where).meta_task()


class _Reader(Fields):
    """Reads one meta-task; messages begin with where it is from."""

    def __init__(self, content: Mapping[str, Any], where: str) -> None:
        super().__init__(content, where)
        for key in content:
            require_known(f"key in {where}:", str(key), KEYS)
        for key in ("states", "actions", "rewards"):
            require(key in content, f"{where} has no {key}; expected a list of them")
        self.states, self.actions = self.names("states"), self.names("actions")
        given = content.get("variables") or {}
        self.expect(isinstance(given, dict), "variables", "states, probabilities, stimuli")
        for key in given:
            require_known(
                f"key of variables in {where}:", key, ("states", "probabilities", "stimuli")
            )
        self.variables: Mapping[str, Any] = given
        self.ranges = self.mapping(given.get("states"), "states of variables")
        self.chances = self.mapping(given.get("probabilities"), "probabilities of variables")
        objects = self.mapping(given.get("stimuli"), "stimuli of variables")
        self.keys(objects, "stimuli of variables", ("names", "pool"))
        self.objects, self.pool = objects.get("names", []), objects.get("pool", [])

    def meta_task(self) -> MetaTask:
        content = self.content
        stimuli = self.stimuli()
        numbers: dict[str, Any] = {
            key: whole_number(f"{key} in {self.where}", content[key], 1)
            for key in NUMBERS
            if content.get(key) is not None
        }
        if "switch" in content:
            numbers["switch"] = self.number(content["switch"], "switch")
        return MetaTask(
            name=self.text("name"),
            about=self.text("about"),
            source=self.text("source"),
            states=self.states,
            actions=self.actions,
            transitions=self.transitions(),
            stimuli=stimuli,
            code=self.code(stimuli),
            rewards=tuple(self.reward(rule) for rule in self.rules("rewards")),
            flags=tuple(self.flag(rule) for rule in self.rules("flags")),
            state_variables=tuple(
                StateRange(name, tuple(self.plain_state(s, f"variable {name!r}") for s in states))
                for name, states in self.lists(self.ranges)
            ),
            probability_variables=tuple(
                ProbabilityRange(name, *self.bounds(name, bounds))
                for name, bounds in self.lists(self.chances)
            ),
            stimulus_variables=tuple(self.objects),
            stimulus_pool=tuple(whole_number("a stimulus of the pool", y, 0) for y in self.pool),
            ends=tuple(self.state(each, "ends") for each in self.sequence("ends")),
            holds=tuple(self.plain_state(each, "holds") for each in self.sequence("holds")),
            **numbers,
        )

    def transitions(self) -> tuple[tuple[tuple[float, ...], ...], ...]:
        S, O = len(self.states), len(self.actions)
        rows: list[list[tuple[float, ...] | None]] = [[None] * O for _ in range(S)]
        for state in self.sequence("ends"):
            if state in self.states:  # nobody acts there; back to the start, as a table needs rows
                rows[self.states.index(state)] = [tuple(float(s == 0) for s in range(S))] * O
        for rule in self.rules("transitions"):
            self.keys(rule, "transitions", ("from", "action", "to"))
            row = self.row(rule.get("to"))
            old = self.plain_state(rule.get("from"), "transitions")
            action = self.action(rule.get("action"), "transitions")
            for o in range(O) if action == ANY else (action,):
                rows[old][o] = row
        for state, name in enumerate(self.states):
            for o, action_name in enumerate(self.actions):
                require(
                    rows[state][o] is not None,
                    f"{self.where}: nothing says where action {action_name!r} leads from state "
                    f"{name!r}; add {{from: {name}, to: STATE}} to transitions, or list it in ends",
                )
        return tuple(tuple(row or () for row in each) for each in rows)

    def row(self, given: Any) -> tuple[float, ...]:
        chances = {given: 1.0} if isinstance(given, str) else given
        self.expect(
            isinstance(chances, dict) and bool(chances),
            "transitions",
            "to: STATE, or to: {STATE: PROBABILITY}",
        )
        row = [0.0] * len(self.states)
        for name, chance in chances.items():
            row[self.plain_state(name, "transitions")] = self.number(chance, "transitions")
        return tuple(row)

    def stimuli(self) -> tuple[int | StimulusVariable | None, ...]:
        given = self.mapping(self.content.get("stimuli"), "stimuli")
        shown: list[int | StimulusVariable | None] = [None] * len(self.states)
        for state, stimulus in given.items():
            place = self.plain_state(state, "stimuli")
            if isinstance(stimulus, str):
                number = self.variable(stimulus, self.objects, "stimuli", "stimulus variable")
                shown[place] = StimulusVariable(number)
            elif stimulus is not None:
                shown[place] = whole_number(
                    f"the stimulus of {state!r} in {self.where}", stimulus, 0
                )
        return tuple(shown)

    def code(self, stimuli: tuple[Any, ...]) -> tuple[tuple[float, ...], ...]:
        given = self.content.get("code", "one_hot")
        if given == "one_hot":
            fixed = [each for each in stimuli if isinstance(each, int)]
            return one_hot(max([*fixed, *self.pool], default=-1) + 1)
        if isinstance(given, dict):
            self.keys(given, "code", ("random_bits", "count", "seed"))
            sizes = (given.get("random_bits"), given.get("count"))
            bits, count = (whole_number("random_bits and count of code", n, 1) for n in sizes)
            return random_bits(bits, count, whole_number("seed of code", given.get("seed", 0), 0))
        sound = isinstance(given, list) and all(isinstance(row, list) and row for row in given)
        self.expect(
            sound and len({len(row) for row in given}) == 1,
            "code",
            "one_hot, {random_bits: BITS, count: STIMULI}, or rows of equal length",
        )
        return tuple(tuple(self.number(each, "code") for each in row) for row in given)

    def reward(self, rule: Mapping[str, Any]) -> RewardRule:
        self.keys(rule, "rewards", ("from", "to", "action", "flag", "probability", "value"))
        probability = rule.get("probability", 1.0)
        if isinstance(probability, str):
            plain = probability.replace(" ", "")
            name = plain.removeprefix("1-")
            number = self.variable(name, self.chances, "rewards", "probability variable")
            probability = ProbabilityVariable(number, complement=plain != name)
        else:
            probability = self.number(probability, "rewards")
        return RewardRule(
            **self.ends_of(rule, "rewards"),
            probability=probability,
            value=self.number(rule.get("value", 1.0), "rewards"),
            flag=self.way(rule["flag"], "flag") if "flag" in rule else ANY,
        )

    def flag(self, rule: Mapping[str, Any]) -> FlagRule:
        self.keys(rule, "flags", ("from", "to", "action", "set"))
        return FlagRule(**self.ends_of(rule, "flags"), value=self.way(rule.get("set", "up"), "set"))

    def ends_of(self, rule: Mapping[str, Any], key: str) -> dict[str, Any]:
        return {
            "old": self.state(rule["from"], key) if "from" in rule else ANY,
            "new": self.state(rule["to"], key) if "to" in rule else ANY,
            "action": self.action(rule.get("action"), key),
        }

    def state(self, given: Any, key: str) -> State:
        if isinstance(given, str) and given.startswith("$"):
            return StateVariable(self.variable(given, self.ranges, key, "state variable"))
        return self.plain_state(given, key)

    def plain_state(self, given: Any, key: str) -> int:
        known = isinstance(given, str) and given in self.states
        hint = "" if known else nearest(str(given), self.states)
        require(known, f"{self.where}: {key} names state {given!r}, which is not there; {hint}")
        return self.states.index(given)

    def action(self, given: Any, key: str) -> int:
        if given is None:
            return ANY
        known = isinstance(given, str) and given in self.actions
        hint = "" if known else nearest(str(given), self.actions)
        require(known, f"{self.where}: {key} names action {given!r}, which is not there; {hint}")
        return self.actions.index(given)

    def variable(self, given: str, known: Any, key: str, what: str) -> int:
        names = list(known)
        require(
            given.startswith("$") and given[1:] in names,
            f"{self.where}: {key} names {what} {given!r}, which has no range; expected $NAME of "
            f"one of variables: {', '.join(names) or 'none is declared'}",
        )
        return names.index(given[1:])

    def way(self, given: Any, key: str) -> int:
        self.expect(given in WAYS, key, "up or down")
        return WAYS[given]

    def bounds(self, name: str, given: list[Any]) -> tuple[float, float]:
        self.expect(len(given) == 2, f"probability variable {name!r}", "a range [LOW, HIGH]")
        low, high = (self.number(bound, f"variable {name!r}") for bound in given)
        return low, high

    def lists(self, given: Mapping[str, Any]) -> list[tuple[str, list[Any]]]:
        for name, value in given.items():
            require(
                isinstance(value, list) and bool(value),
                f"{self.where}: variable {name!r} has no range ({value!r}), expected a list",
            )
        return list(given.items())
