"""The meta-task that a word means: `meta/harlow`, `my_world.yaml`, or `my_world.yaml:w17`."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from evoplastic.checks import require, require_known, whole_number
from tasks.machines.metatasks.catalogue import META_TASKS, PREFIX
from tasks.machines.metatasks.collection import split_word
from tasks.machines.metatasks.form import MetaTask
from tasks.machines.metatasks.reading import NUMBERS, read_meta_task

SETTINGS = (*NUMBERS, "switch")  # fields that a user may set for each use


def meta_task_file(word: str) -> Path | None:
    """The file that a word names; None where it is another kind of word.

    >>> meta_task_file("worlds/maze.yaml"), meta_task_file("meta/harlow")
    (PosixPath('worlds/maze.yaml'), None)
    >>> meta_task_file("my_world.yaml:w17")
    PosixPath('my_world.yaml')
    """
    found = split_word(word)
    return None if found is None else found[0]


def is_meta_task(word: str) -> bool:
    """Whether a word can mean a meta-task only."""
    return word.startswith(PREFIX) or meta_task_file(word) is not None


def find_meta_task(
    word: str, settings: Mapping[str, Any] | None = None, text: str | None = None
) -> MetaTask:
    """The meta-task of a name or a file, with some of its numbers set anew.

    Args:
        word: `meta/NAME`, the path of a YAML or JSON file, or `FILE.yaml:NAME` where it holds many.
        settings: fields among `SETTINGS`, and what a function of the catalogue takes.
        text: read in place of the file.

    Raises:
        UsageError: no such name or file, an unknown setting, or no sound meta-task.
    """
    given = dict(settings or {})
    in_file, own = split_word(word), {}
    if in_file is not None:
        task = read_meta_task(in_file[0], text, in_file[1])
    else:
        name = word.removeprefix(PREFIX)
        require_known("meta-task", name, META_TASKS)
        make = META_TASKS[name]
        taken = () if isinstance(make, partial) else inspect.signature(make).parameters
        for key in set(taken) & set(given):
            own[key] = whole_number(f"{key} of {word}", given.pop(key), 1)
        task = make(**own)
    for key, value in given.items():
        require_known(f"setting of {word}:", key, SETTINGS)
        if key in NUMBERS:
            whole_number(f"{key} of {word}", value, 1)
        else:
            sound = isinstance(value, int | float) and 0 <= value <= 1
            require(sound, f"{key} of {word} is {value!r}, expected a probability")
    return replace(task, **given)
