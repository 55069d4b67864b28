"""Files of suites that run freely: any NeuroGym tasks, split by hand or by families.

    name: mine
    kind: free
    dt_ms: 20                     # one time step for all tasks (default 20)
    defaults: {set: {dim_ring: 4}}  # constructor settings of every task
    families:
      reach: [yang19.go, yang19.anti]
      own: ["my_task.py:MyTask", {task: "my_task.py:MyTask", set: {wait_ms: 300}, name: slow}]
    held_out_family: reach        # another one by name: mine.yaml/own
    rule_cue: false               # true: a line for each task says which one it is
    permute: none                 # inputs, actions, both: exchange lines anew in every lifetime

Instead of families, `train` and `held_out` list the tasks. A `file.py:Class` is looked up beside
the suite file first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from evoplastic.checks import require, require_known
from evoplastic.trials.wiring import Permute
from tasks.neurogym.task import DEFAULT_DT_MS, FreeTask

ONLY_FREE = {"dt_ms", "defaults", "families", "held_out_family", "rule_cue", "permute"}
FREE_KEYS = ("name", "description", "kind", "train", "held_out", *sorted(ONLY_FREE))
TASK_KEYS = ("task", "set", "name", "about")


@dataclass(frozen=True, kw_only=True)
class FreeSuiteFile:
    """The content of a suite file; whether its tasks exist is not looked up."""

    name: str
    description: str
    dt_ms: int
    train: tuple[FreeTask, ...]
    held_out: tuple[FreeTask, ...]
    families: Mapping[str, tuple[str, ...]]  # names of their tasks; empty without families
    held_out_family: str | None
    rule_cue: bool
    permute: Permute


def read_free_suite(given: Mapping[str, Any], path: Path, family: str | None) -> FreeSuiteFile:
    """The content of a parsed file, its keys known ones; `family` overrides which one is held out.

    Raises:
        UsageError: a value of another type, missing tasks, an unknown family.
    """
    content = {
        "description": "",
        "dt_ms": DEFAULT_DT_MS,
        "rule_cue": False,
        "permute": "none",
        **given,
    }
    _expect(content, path, "name", isinstance(content.get("name"), str), "text")
    _expect(content, path, "description", isinstance(content["description"], str), "text")
    _expect(content, path, "rule_cue", isinstance(content["rule_cue"], bool), "true or false")
    dt_ms = content["dt_ms"]
    whole = isinstance(dt_ms, int) and not isinstance(dt_ms, bool) and dt_ms > 0
    _expect(content, path, "dt_ms", whole, "a whole number of ms")
    require_known(f"permute in suite file {path}:", str(content["permute"]), get_args(Permute))
    defaults = content.get("defaults", {})
    sound = isinstance(defaults, dict) and set(defaults) <= {"set"}
    _expect(content, path, "defaults", sound, "{set: {KEY: VALUE}}")
    reader = _TaskReader(path, _settings(defaults.get("set", {}), "defaults", path), dt_ms)
    families = _families(content, reader)
    chosen = ""
    if families:
        chosen = str(family or content.get("held_out_family", ""))
        require(
            bool(chosen),
            f"suite file {path} has families and no held_out_family; it may be any of "
            f"{', '.join(families)}",
        )
        require_known(f"family of suite file {path}:", chosen, families)
        train = [task for name, tasks in families.items() if name != chosen for task in tasks]
        held_out: Sequence[FreeTask] = families[chosen]
    else:
        require(
            family is None and "held_out_family" not in content,
            f"suite file {path} has no families, so it cannot hold one out "
            f"({family or content.get('held_out_family')!r})",
        )
        missing = [key for key in ("train", "held_out") if key not in content]
        require(not missing, f"suite file {path} lacks {', '.join(missing)} (or families)")
        train = reader.tasks(content["train"], "train")
        held_out = reader.tasks(content["held_out"], "held_out")
    return FreeSuiteFile(
        name=content["name"] if family is None else f"{content['name']}/{family}",
        description=content["description"],
        dt_ms=dt_ms,
        train=tuple(train),
        held_out=tuple(held_out),
        families={name: tuple(task.name for task in tasks) for name, tasks in families.items()},
        held_out_family=chosen or None,
        rule_cue=content["rule_cue"],
        permute=content["permute"],
    )


@dataclass(frozen=True)
class _TaskReader:
    """Reads lists of tasks of one file."""

    path: Path
    defaults: Mapping[str, Any]
    dt_ms: int

    def tasks(self, entries: Any, key: str) -> list[FreeTask]:
        require(
            isinstance(entries, list),
            f"suite file {self.path}: {key} is {entries!r}, expected a list of tasks",
        )
        return [self._task(entry, key) for entry in entries]

    def _task(self, entry: Any, key: str) -> FreeTask:
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
        own = _settings(given.get("set", {}), f"set of task {given['task']!r}", self.path)
        return FreeTask(
            name=given.get("name", plain_name(given["task"])),
            source=self._beside(given["task"]),
            settings={**self.defaults, **own},
            dt_ms=self.dt_ms,
            about=given.get("about", ""),
        )

    def _beside(self, source: str) -> str:
        """A file that lies beside the suite file is meant, wherever the command runs."""
        file, colon, name = source.rpartition(":")
        beside = self.path.parent / file
        return f"{beside}:{name}" if colon and file.endswith(".py") and beside.is_file() else source


def plain_name(source: str) -> str:
    """What a task is called if nobody says: its id without version, or its class.

    >>> plain_name("yang19.go-v0"), plain_name("my_task.py:MyTask")
    ('yang19.go', 'MyTask')
    >>> plain_name("evoplastic/TwoStimulus-dms-v0")
    'dms'
    """
    if ".py:" in source:
        return source.rpartition(":")[2]
    return source.removesuffix("-v0").removeprefix("evoplastic/TwoStimulus-")


def _families(content: Mapping[str, Any], reader: _TaskReader) -> dict[str, list[FreeTask]]:
    if "families" not in content:
        return {}
    families = content["families"]
    sound = isinstance(families, dict) and all(isinstance(name, str) for name in families)
    _expect(content, reader.path, "families", sound and bool(families), "{NAME: [tasks]}")
    for key in ("train", "held_out"):
        require(
            key not in content,
            f"suite file {reader.path} has {key} and families, expected one of the two; a family "
            "is either held out or trained on",
        )
    return {name: reader.tasks(tasks, f"family {name}") for name, tasks in families.items()}


def _settings(given: Any, where: str, path: Path) -> dict[str, Any]:
    require(
        isinstance(given, dict) and all(isinstance(key, str) for key in given),
        f"suite file {path}: {where} is {given!r}, expected {{KEY: VALUE}}",
    )
    return dict(given)


def _expect(
    content: Mapping[str, Any], path: Path, key: str, condition: bool, expected: str
) -> None:
    require(condition, f"suite file {path}: {key} is {content.get(key)!r}, expected {expected}")
