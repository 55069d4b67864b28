"""Every task there is: two-stimulus tasks, registered ids, tasks of installed packages.

What a task is said to do comes from where its author said it: the suite files, the documentation of
its class, its entry point.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

import gymnasium
import numpy as np

from evoplastic.checks import UsageError
from evoplastic.watching import at
from tasks.machines.metatasks.catalogue import META_TASKS, PREFIX
from tasks.machines.metatasks.writing import describe_meta_task
from tasks.neurogym.entry_points import origin, task_entry_points
from tasks.neurogym.environments import (
    DEFAULT_DT_MS,
    EnvSource,
    constructor_parameters,
    refuse_collisions,
    registered_ids,
)
from tasks.neurogym.examination import build_table
from tasks.neurogym.task import SAMPLE_SEED, SAMPLE_TRIALS
from tasks.suites.closeness import Closeness, closest
from tasks.suites.streams.classes.task import WORD as CLASS_STREAM
from tasks.suites.streams.classes.task import ClassStreamTask
from tasks.suites.suite_file import known_suite_files, read_suite_file
from tasks.suites.task_lists import plain_name
from tasks.two_stimulus.env import env_id
from tasks.two_stimulus.task import NAMES, TwoStimulusTask


class Entry(NamedTuple):
    """A task as a line of a list."""

    task: str  # what to type
    origin: (
        str  # two-stimulus, meta-task, stream, neurogym, evoplastic, or the package that offers it
    )
    description: str


def all_tasks() -> list[Entry]:
    """Every task, without making an environment or importing an entry point.

    Raises:
        UsageError: names that stand for two tasks.
    """
    ids, points = registered_ids(), task_entry_points()
    refuse_collisions(points, ids)
    ours = [Entry(name, "two-stimulus", TwoStimulusTask(name).description) for name in NAMES]
    hidden = {env_id(name) for name in NAMES}  # the same tasks, self-paced
    registered = [
        Entry(
            name.removesuffix("-v0"),
            "evoplastic" if name.startswith("evoplastic/") else "neurogym",
            describe_id(name),
        )
        for name in ids
        if name not in hidden
    ]
    packages = [Entry(name, "package", origin(point)) for name, point in points.items()]
    metas = [
        Entry(f"{PREFIX}{name}", "meta-task", make().about) for name, make in META_TASKS.items()
    ]
    classes = ClassStreamTask(name=CLASS_STREAM, dt_ms=DEFAULT_DT_MS)
    streams = [Entry(CLASS_STREAM, "stream", classes.description)]
    return [*ours, *metas, *streams, *registered, *packages]


def describe_id(name: str) -> str:
    """One sentence about a registered id; "" if nobody wrote one."""
    if name.removesuffix("-v0") in _abouts():
        return _abouts()[name.removesuffix("-v0")]
    return first_sentence(_maker(EnvSource(name)))


def first_sentence(made: Any) -> str:
    """The first sentence of a class's or function's own documentation.

    >>> class Task:
    ...     '''Look away. The target is opposite.'''
    >>> first_sentence(Task)
    'Look away.'
    >>> class Asking:
    ...     '''Which way to look?'''
    >>> first_sentence(Asking)
    'Which way to look?'
    """
    text = " ".join(
        (inspect.cleandoc(made.__doc__) if made.__doc__ else "").split("\n\n")[0].split()
    )
    sentence = text.split(". ")[0].rstrip(".")
    return sentence if sentence.endswith(("?", "!")) or not sentence else f"{sentence}."


def roles_in_suites(source: str) -> Iterator[tuple[str, str]]:
    """Our suites that list a registered id, and "train" or "held_out"."""
    plain = plain_name(source)
    for suite in known_suite_files():
        content = read_suite_file(suite)
        if content.pacing == "self_paced":
            for role in ("train", "held_out"):
                listed = {plain_name(task.source) for task in getattr(content, role)}
                if plain in listed:
                    yield suite, role


def line_names(source: EnvSource) -> tuple[list[str], list[str]]:
    """What an environment itself calls its channels and its actions; numbers where it does not.

    Raises:
        Unbankable: it cannot be made.
    """
    if source.machine is not None:
        I, O = source.machine.code_YI.shape[1], source.machine.num_actions
        named = None if source.meta is None else list(source.meta.actions)
        return [str(number) for number in range(I)], named or [str(o) for o in range(O)]
    env = source.make(0)
    inputs = _spread(getattr(env.observation_space, "name", None), env.observation_space.shape[0])
    return inputs, _spread(getattr(env.action_space, "name", None), int(env.action_space.n))


def _spread(names: Any, size: int) -> list[str]:
    """{"fixation": 0, "stimulus": [1, 2]} -> ["fixation", "stimulus 1", "stimulus 2"].

    Numbers if some line has no name, as behind a schedule of environments.
    """
    numbers, named = [str(number) for number in range(size)], {}
    if not isinstance(names, Mapping):
        return numbers
    for name, where in names.items():
        places = [int(place) for place in np.ravel(where)]
        for number, place in enumerate(places, start=1):
            if place < size:
                named[place] = f"{name} {number}" if len(places) > 1 else str(name)
    return [named[place] for place in range(size)] if len(named) == size else numbers


@cache
def _abouts() -> dict[str, str]:
    """What our suite files say about registered ids, not of what they are with other settings."""
    abouts = {}
    for suite in known_suite_files():
        try:
            content = read_suite_file(suite)
        except UsageError:  # a broken file is reported by whoever asks for that suite
            continue
        for task in (*content.train, *content.held_out):
            if task.about and task.name == task.source.removesuffix("-v0"):
                abouts[task.name] = task.about
    return abouts


def describe_source(source: EnvSource) -> str:
    """One sentence about a task, wherever it comes from; "" if nobody wrote one."""
    if isinstance(source.task, str):
        return describe_id(source.task)
    if source.meta is not None and source.meta.about:
        return source.meta.about
    if source.machine is not None:
        return f"A state machine of {source.machine.num_states} states."
    return first_sentence(source.task)


def show_source(source: EnvSource) -> dict[str, Any]:
    """What a task says of itself, as plain data; an environment is made, no trial is built.

    Raises:
        Unbankable: it cannot be made.
    """
    inputs, actions = line_names(source)
    made = None if source.machine is not None else _maker(source)
    said = "" if made is None else made.__doc__ or ""
    if source.meta is not None:
        said = describe_meta_task(source.meta)
    return {
        "task": source.name,
        "description": describe_source(source),
        "documentation": inspect.cleandoc(said),
        "dt_ms": source.dt_ms,
        "inputs": inputs,
        "actions": actions,
        "settings": {
            name: repr(source.settings.get(name, parameter.default))
            for name, parameter in (constructor_parameters(made) if made else {}).items()
            if name != "dt" and parameter.kind is not parameter.VAR_KEYWORD
        }
        | {name: repr(value) for name, value in source.settings.items()},
        "suites": [list(pair) for pair in roles_in_suites(source.name)],
    }


def closest_registered(source: EnvSource) -> Closeness | None:
    """The registered task of the same interface whose policy serves a task best.

    Raises:
        UsageError: trials of the task cannot be built.
    """
    table = build_table(source, SAMPLE_TRIALS, SAMPLE_SEED)
    sizes = len(line_names(source)[0]), len(line_names(source)[1])
    others = []
    known = registered_ids()
    for number, name in enumerate(known):
        at("comparing with registered tasks", number, len(known))
        other = EnvSource(name, dt_ms=source.dt_ms)
        try:
            inputs, actions = line_names(other)
            if name != source.name and (len(inputs), len(actions)) == sizes:
                others.append(build_table(other, SAMPLE_TRIALS, SAMPLE_SEED))
        except UsageError:  # does not conform, or not with this time step
            continue
    return closest(table, others)


def _maker(source: EnvSource) -> Any:
    """The class or function that makes a task."""
    if not isinstance(source.task, str):
        return source.task
    point = gymnasium.envs.registration.registry[source.task].entry_point
    if isinstance(point, str):
        module, _, attribute = point.partition(":")
        return getattr(importlib.import_module(module), attribute)
    return point
