"""Random meta-tasks, and a scalar interpreter that lives a trial from the words of a file alone."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from evoplastic.checks import UsageError
from evoplastic.random.counters import Purpose, philox, purpose_word, seed_key
from tasks.machines.metatasks.form import MetaTask
from tasks.machines.metatasks.reading import from_plain


def random_plain(number: int) -> dict[str, Any]:
    """The words of a random meta-task with everything that the language has; unsound ones too."""
    rng = np.random.default_rng([1611, number])
    S, O = int(rng.integers(1, 6)), int(rng.integers(2, 4))
    states, actions = [f"s{s}" for s in range(S)], [f"a{o}" for o in range(O)]

    def pick(names: Sequence[str]) -> str:
        return str(names[int(rng.integers(len(names)))])

    def some(names: Sequence[str]) -> list[str]:
        count = int(rng.integers(1, len(names) + 1))
        return [str(each) for each in rng.choice(np.array(names), count, replace=False)]

    ranges = {f"x{k}": some(states) for k in range(rng.integers(0, 3))}
    bounds = [sorted(rng.uniform(size=2).round(3).tolist()) for _ in range(rng.integers(0, 3))]
    chances = {f"p{k}": each for k, each in enumerate(bounds)}
    objects = [f"v{k}" for k in range(rng.integers(0, 3))]

    def place() -> str:
        return f"${pick(list(ranges))}" if ranges and rng.uniform() < 0.4 else pick(states)

    def rule() -> dict[str, Any]:
        found: dict[str, Any] = {}
        if rng.uniform() < 0.6:
            found["from"] = place()
        if rng.uniform() < 0.4:
            found["to"] = place()
        if rng.uniform() < 0.4:
            found["action"] = pick(actions)
        return found

    def reward() -> dict[str, Any]:
        found = rule() | {"value": round(float(rng.normal()), 2)}
        if chances and rng.uniform() < 0.5:
            found["probability"] = pick(["$", "1 - $", "1-$"]) + pick(list(chances))
        elif rng.uniform() < 0.5:
            found["probability"] = round(float(rng.uniform()), 3)
        return found | ({"flag": pick(["up", "down"])} if rng.uniform() < 0.4 else {})

    def leads() -> Any:
        if rng.uniform() < 0.5:
            return pick(states)
        new = some(states)
        weights = rng.integers(1, 6, len(new))
        return {name: float(w) for name, w in zip(new, weights / weights.sum(), strict=True)}

    transitions: list[dict[str, Any]] = [{"from": state, "to": leads()} for state in states]
    transitions += [
        {"from": pick(states), "action": pick(actions), "to": leads()} for _ in range(2 * S)
    ]
    shown = {
        state: f"${pick(objects)}" if objects and rng.uniform() < 0.4 else int(rng.integers(3))
        for state in states
        if rng.uniform() < 0.8
    }
    return {
        "name": f"world{number}",
        "states": states,
        "actions": actions,
        "transitions": transitions,
        "stimuli": shown,
        "code": {"random_bits": 6, "count": 7, "seed": number},
        "variables": {
            "states": ranges,
            "probabilities": chances,
            "stimuli": {"names": objects, "pool": [3, 4, 5, 6]},
        },
        "flags": [rule() | {"set": pick(["up", "down"])} for _ in range(rng.integers(0, 3))],
        "rewards": [reward() for _ in range(rng.integers(1, 5))],
        "ends": [place() for _ in range(rng.integers(0, 2))],
        "trial_steps": int(rng.integers(1, 7)),
        "switch": float(rng.choice([0.0, 0.3])),
        "instance_trials": int(rng.integers(1, 6)),
    }


def random_worlds(count: int) -> Iterator[tuple[dict[str, Any], MetaTask]]:
    """The first sound ones: their words, and what is read from them."""
    number = 0
    while count:
        plain = random_plain(number)
        number += 1
        with contextlib.suppress(UsageError):  # a state that cannot be reached
            task = from_plain(plain, "a random meta-task")
            count -= 1
            yield plain, task


class Step(NamedTuple):
    """What the interpreter shows, pays, and whether the trial is over."""

    shown: tuple[float, ...]
    reward: float
    over: bool


def live(
    plain: Mapping[str, Any],
    code: Sequence[Sequence[float]],
    seed: int,
    trial: int,
    actions: Sequence[int],
) -> Iterator[Step]:
    """Live one trial from the words of a meta-task, one random number after the other."""
    states, T = plain["states"], plain["trial_steps"]
    S, O = len(states), len(plain["actions"])
    instance, within = divmod(trial, plain["instance_trials"])
    moves, pays = T * S * O, T * S
    row = uniforms(seed, instance, within + 1, moves + pays + 1)
    value = values_of(plain, seed, instance, within)
    state, flag = states[0], "down"
    for t, number in enumerate(actions):
        action = plain["actions"][number]
        stimulus = plain["stimuli"].get(state)
        if isinstance(stimulus, str):
            stimulus = value[stimulus]
        shown = tuple(0.0 for _ in code[0]) if stimulus is None else tuple(code[stimulus])
        new = successor(plain, state, action, row[(t * S + states.index(state)) * O + number])
        luck = row[moves + t * S + states.index(new)]
        reward = 0.0
        for rule in plain["rewards"]:
            if fits(rule, state, action, new, flag, value):
                chance = rule.get("probability", 1.0)
                if isinstance(chance, str):
                    chance = value[chance.replace(" ", "")]
                reward = rule.get("value", 1.0) if luck < chance else 0.0
        before = flag
        for rule in plain["flags"]:
            if fits(rule, state, action, new, before, value):
                flag = rule["set"]
        if new == states[0]:
            flag = "down"
        over = t + 1 == T or any(value.get(end, end) == new for end in plain["ends"])
        yield Step(shown, float(np.float32(reward)), over)
        if over:
            return
        state = new


def successor(plain: Mapping[str, Any], state: str, action: str, luck: float) -> str:
    """The likelier states take the lower numbers, equally likely ones in their order."""
    leads: Any = None
    for rule in plain["transitions"]:
        if rule["from"] == state and rule.get("action", action) == action:
            leads = rule["to"]
    if isinstance(leads, str):
        return leads
    order = sorted(leads, key=lambda name: (-leads[name], plain["states"].index(name)))
    passed = 0.0
    for name in order:
        passed += leads[name]
        if luck < passed:
            return str(name)
    return str(order[-1])


def fits(
    rule: Mapping[str, Any], old: str, action: str, new: str, flag: str, value: Mapping[str, Any]
) -> bool:
    """Whether all that a rule says is so."""
    wanted = (("from", old), ("to", new), ("action", action), ("flag", flag))
    return all(value.get(rule[key], rule[key]) == is_ for key, is_ in wanted if key in rule)


def values_of(plain: Mapping[str, Any], seed: int, instance: int, within: int) -> dict[str, Any]:
    """What `$NAME`, and `1-$NAME`, stand for in one trial."""
    variables = plain["variables"]
    ranges, chances = variables["states"], variables["probabilities"]
    names, pool = variables["stimuli"]["names"], variables["stimuli"]["pool"]
    pool = pool if names or pool else []
    luck = uniforms(seed, instance, 0, len(ranges) + len(chances) + len(pool) or 1)
    T, S, O = plain["trial_steps"], len(plain["states"]), len(plain["actions"])
    switches = sum(
        uniforms(seed, instance, number + 1, T * S * (O + 1) + 1)[-1] < plain["switch"]
        for number in range(within + 1)
    )
    found: dict[str, Any] = {}
    for name, states in ranges.items():
        found[f"${name}"] = states[(int(luck.pop(0) * len(states)) + switches) % len(states)]
    for name, (low, high) in chances.items():
        found[f"${name}"] = low + luck.pop(0) * (high - low)
        found[f"1-${name}"] = 1.0 - found[f"${name}"]
    order = sorted(range(len(pool)), key=lambda k: luck[k])
    return found | {f"${name}": pool[order[k]] for k, name in enumerate(names)}


def uniforms(seed: int, stream: int, trial: int, count: int) -> list[float]:
    """A row of uniform numbers of 53 bits: of each counter two, the second ones after the first."""
    firsts, seconds = [], []
    for place in range(-(-count // 2)):
        counter = (place, trial, stream, purpose_word(Purpose.BANK, 0))
        a, b, c, d = (int(word) for word in philox(counter, seed_key(seed)))
        firsts.append(((a << 21) | (b >> 11)) / 2**53)
        seconds.append(((c << 21) | (d >> 11)) / 2**53)
    return (firsts + seconds)[:count]
