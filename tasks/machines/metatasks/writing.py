"""Meta-tasks as text that `reading.py` reads back as the same meta-task."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tasks.machines.metatasks.codes import one_hot
from tasks.machines.metatasks.form import MetaTask
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

WAYS = {UP: "up", DOWN: "down"}
MOST_ROWS = 12  # of a part that is shown


def to_plain(task: MetaTask) -> dict[str, Any]:
    """Plain keys and values that `from_plain` reads back as the same meta-task."""
    S, A = task.states, task.actions
    variables = {
        "states": {name: [S[s] for s in states] for name, states in task.state_variables},
        "probabilities": {name: [low, high] for name, low, high in task.probability_variables},
        "stimuli": {"names": list(task.stimulus_variables), "pool": list(task.stimulus_pool)}
        if task.stimulus_pool
        else {},
    }
    stimuli = {
        state: f"${task.stimulus_variables[each.number]}"
        if isinstance(each, StimulusVariable)
        else each
        for state, each in zip(S, task.stimuli, strict=True)
        if each is not None
    }
    plain = {
        "name": task.name,
        "about": task.about,
        "source": task.source,
        "states": list(S),
        "actions": list(A),
        "transitions": _written_rows(task),
        "stimuli": stimuli,
        "code": "one_hot" if _needs_no_more(task) else [list(row) for row in task.code],
        "variables": {key: value for key, value in variables.items() if value},
        "flags": [_written_rule(task, rule) for rule in task.flags],
        "rewards": [_written_rule(task, rule) for rule in task.rewards],
        "ends": [_written_state(task, state) for state in task.ends],
        "holds": [S[state] for state in task.holds],
        "trial_steps": task.trial_steps,
        "switch": task.switch,
        "instance_trials": task.instance_trials,
        "dwell_steps": task.dwell_steps,
    }
    kept = ("rewards", "stimuli")  # said even where there is none
    return {k: v for k, v in plain.items() if k in kept or v not in ("", {}, [], None)}


def write_meta_task(task: MetaTask, path: Path) -> None:
    """Write a meta-task as YAML, or as JSON where the path ends so.

    Raises:
        OSError: no permission or no space.
    """
    path.write_text(as_text(task, json_text=path.suffix == ".json"), encoding="utf-8")


def as_text(task: MetaTask, *, json_text: bool = False) -> str:
    """A meta-task as the text of a file."""
    import yaml

    plain = to_plain(task)
    if json_text:
        return json.dumps(plain, indent=1) + "\n"
    return str(yaml.safe_dump(plain, sort_keys=False, default_flow_style=None, width=98))


def describe_meta_task(task: MetaTask) -> str:
    """Where it is from, and its parts as its file has them, without the rows of a long code."""
    plain = to_plain(task)
    parts = ("transitions", "stimuli", "variables", "flags", "rewards", "ends", "trial_steps")
    lines = [f"Source: {task.source}"] if task.source else []
    lines += [
        f"{len(task.states)} states, {task.num_steps} actions a trial at most, "
        f"{task.instance_trials} trials an instance"
    ]
    for part in parts:
        if part in plain:
            values = plain[part]
            rows = values if isinstance(values, list) else [values]
            lines += [f"{part}:", *(f"  {_inline(row)}" for row in rows[:MOST_ROWS])]
            lines += [f"  ... {len(rows) - MOST_ROWS} more"] if len(rows) > MOST_ROWS else []
    return "\n".join(lines)


def _inline(value: Any) -> str:
    """A value as a line of YAML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_inline(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(_inline, value))}]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _needs_no_more(task: MetaTask) -> bool:
    """Whether a reader of `one_hot` makes the same code, from the stimuli that are named."""
    fixed = [each for each in task.stimuli if isinstance(each, int)]
    return task.code == one_hot(max([*fixed, *task.stimulus_pool], default=-1) + 1)


def _written_rows(task: MetaTask) -> list[dict[str, Any]]:
    S = task.states
    written = []
    for state, rows in zip(S, task.transitions, strict=True):
        alike = len(set(rows)) == 1
        for action, row in list(zip(task.actions, rows, strict=True))[: 1 if alike else None]:
            chances = {new: chance for new, chance in zip(S, row, strict=True) if chance}
            single = list(chances.values()) == [1.0]
            rule: dict[str, Any] = {"from": state}
            rule |= {} if alike else {"action": action}
            written.append(rule | {"to": next(iter(chances)) if single else chances})
    return written


def _written_rule(task: MetaTask, rule: RewardRule | FlagRule) -> dict[str, Any]:
    written: dict[str, Any] = {}
    for key, state in (("from", rule.old), ("to", rule.new)):
        if state != ANY:
            written[key] = _written_state(task, state)
    if rule.action != ANY:
        written["action"] = task.actions[rule.action]
    if isinstance(rule, FlagRule):
        return written | {"set": WAYS[rule.value]}
    if rule.flag != ANY:
        written["flag"] = WAYS[rule.flag]
    chance: Any = rule.probability
    if isinstance(chance, ProbabilityVariable):
        name = f"${task.probability_variables[chance.number].name}"
        chance = f"1 - {name}" if chance.complement else name
    return written | {"probability": chance, "value": rule.value}


def _written_state(task: MetaTask, state: State) -> str:
    if isinstance(state, StateVariable):
        return f"${task.state_variables[state.number].name}"
    return task.states[state]
