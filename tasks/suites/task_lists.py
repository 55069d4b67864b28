"""Lists of tasks in a suite file: names of two-stimulus tasks, or self-paced tasks of any kind."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from evoplastic.checks import nearest, require, require_known
from tasks.machines.metatasks.catalogue import PREFIX
from tasks.machines.metatasks.collection import split_word
from tasks.neurogym.task import SelfPacedTask
from tasks.suites.split import SuiteTask
from tasks.suites.streams.classes.task import WORD as CLASS_STREAM
from tasks.suites.streams.classes.task import ClassStreamTask
from tasks.two_stimulus.combinations.factors import Levels, levels_of
from tasks.two_stimulus.combinations.task import CombinationTask
from tasks.two_stimulus.task import NAMES, TwoStimulusTask

TASK_KEYS = ("task", "set", "name", "about")


class TaskReader(Protocol):
    """Reads lists of tasks of one file."""

    @property
    def path(self) -> Path:
        """The file."""
        ...

    def tasks(self, entries: Any, key: str) -> list[SuiteTask]:
        """The tasks that a key of the file lists.

        Raises:
            UsageError: an entry that cannot be read; with the file and the key.
        """
        ...


@dataclass(frozen=True)
class TwoStimulusReader:
    """Reads names of two-stimulus tasks, and of combinations as `and-none-pro-a`."""

    path: Path
    table: str

    def tasks(self, entries: Any, key: str) -> list[SuiteTask]:
        """The named tasks.

        Raises:
            UsageError: no list of known names.
        """
        require(
            isinstance(entries, list),
            f"suite file {self.path}: {key} is {entries!r}, expected a list of task names",
        )
        for name in entries:
            # YAML reads a bare 01 as the number 1 and a bare 10 as the number 10.
            require(
                isinstance(name, str),
                f"suite file {self.path}: {key} lists {name!r}, which is not text; "
                'put task names that look like numbers in quotes, as in "01"',
            )
            require(
                name in NAMES or levels_of(name) is not None,
                f"unknown task in {key} of suite file {self.path}: {name!r}; "
                f"{nearest(name, NAMES)}; a suite of other tasks says pacing: self_paced",
            )
        return [self._task(name, levels_of(name)) for name in entries]

    def _task(self, name: str, levels: Levels | None) -> SuiteTask:
        return TwoStimulusTask(name, self.table) if levels is None else CombinationTask(levels)


@dataclass(frozen=True)
class SelfPacedReader:
    """Reads tasks by registered id, `file.py:Name` or entry point, with their settings."""

    path: Path
    defaults: Mapping[str, Any]
    dt_ms: int
    code: frozenset[Path] = frozenset()  # absolute paths of files that are kept
    places: tuple[Path, ...] = ()  # folders that they are looked up in

    def tasks(self, entries: Any, key: str) -> list[SuiteTask]:
        """The listed tasks; whether they exist is not looked up.

        Raises:
            UsageError: no list, or an entry that cannot be read.
        """
        require(
            isinstance(entries, list),
            f"suite file {self.path}: {key} is {entries!r}, expected a list of tasks",
        )
        return [self._task(entry, key) for entry in entries]

    def _task(self, entry: Any, key: str) -> SuiteTask:
        given = {"task": entry} if isinstance(entry, str) else entry
        require(
            isinstance(given, dict) and isinstance(given.get("task"), str),
            f"suite file {self.path}: {key} lists {entry!r}, expected the id of a task, or "
            "{task: ID, set: {KEY: VALUE}, name: NAME}",
        )
        for word in given:
            require_known(f"key of a task in suite file {self.path}:", str(word), TASK_KEYS)
        for word in ("name", "about"):
            require(
                isinstance(given.get(word, ""), str),
                f"suite file {self.path}: {word} of task {given['task']!r} is {given.get(word)!r}, "
                "expected text",
            )
        own = settings_of(given.get("set", {}), f"set of task {given['task']!r}", self.path)
        name, about = given.get("name", plain_name(given["task"])), given.get("about", "")
        settings = {**self.defaults, **own}
        if given["task"] == CLASS_STREAM:
            return ClassStreamTask(name=name, settings=settings, dt_ms=self.dt_ms, about=about)
        return SelfPacedTask(
            name=name,
            source=self._beside(given["task"]),
            settings=settings,
            dt_ms=self.dt_ms,
            about=about,
        )

    def _beside(self, source: str) -> str:
        """A file that lies beside the suite file is meant, wherever the command runs."""
        in_file = split_word(source)
        if in_file is not None:
            file, ending = str(in_file[0]), f":{in_file[1]}" if in_file[1] else ""
        elif ".py:" in source:
            file, colon, name = source.rpartition(":")
            ending = colon + name
        else:
            return source
        for place in self.places:
            kept = Path(os.path.abspath(place / file))
            if kept in self.code:
                return f"{kept}{ending}"
        beside = self.path.parent / file
        return f"{beside}{ending}" if beside.is_file() else source


def plain_name(source: str) -> str:
    """What a task is called if nobody says: its id without version, or its class.

    >>> plain_name("yang19.go-v0"), plain_name("my_task.py:MyTask")
    ('yang19.go', 'MyTask')
    >>> plain_name("evoplastic/TwoStimulus-dms-v0"), plain_name("my_world.yaml:w17")
    ('dms', 'w17')
    """
    in_file = split_word(source)
    if in_file is not None:
        return in_file[1] or in_file[0].stem
    if ".py:" in source:
        return source.rpartition(":")[2]
    return source.removesuffix("-v0").removeprefix("evoplastic/TwoStimulus-").removeprefix(PREFIX)


def settings_of(given: Any, where: str, path: Path) -> dict[str, Any]:
    """Constructor settings, as a file has them.

    Raises:
        UsageError: no mapping from names.
    """
    require(
        isinstance(given, dict) and all(isinstance(key, str) for key in given),
        f"suite file {path}: {where} is {given!r}, expected {{KEY: VALUE}}",
    )
    return dict(given)
