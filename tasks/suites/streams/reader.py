"""Streams among the tasks that a suite file lists.

    - {stream: [and, or, and], trials: [200, 200, 100], probes: 20, name: and-or-and}

`trials` may be one number for all parts; without a name it is called by its parts.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evoplastic.checks import require, require_known
from tasks.suites.split import SuiteTask
from tasks.suites.streams.task import StreamTask
from tasks.suites.task_lists import TaskReader

STREAM_KEYS = ("stream", "trials", "probes", "name")


@dataclass(frozen=True)
class StreamReader:
    """Reads streams, and leaves other entries to the reader of the file's kind of tasks."""

    tasks_of_file: TaskReader

    @property
    def path(self) -> Path:
        """The file."""
        return self.tasks_of_file.path

    def tasks(self, entries: Any, key: str) -> list[SuiteTask]:
        """The tasks that a key of the file lists.

        Raises:
            UsageError: an entry that cannot be read; with the file and the key.
        """
        if not isinstance(entries, list) or not any(map(_is_stream, entries)):
            return self.tasks_of_file.tasks(entries, key)
        found: list[SuiteTask] = []
        for entry in entries:
            if _is_stream(entry):
                found.append(self._stream(entry, key))
            else:
                found += self.tasks_of_file.tasks([entry], key)
        return found

    def _stream(self, entry: dict[str, Any], key: str) -> StreamTask:
        where = f"suite file {self.path}: a stream in {key}"
        for word in entry:
            require_known(f"key of {where}", str(word), STREAM_KEYS)
        require(
            isinstance(entry["stream"], list) and len(entry["stream"]) > 0,
            f"{where} is {entry['stream']!r}, expected a list of tasks",
        )
        parts = self.tasks_of_file.tasks(entry["stream"], f"a stream in {key}")
        names = list(dict.fromkeys(part.name for part in parts))
        lengths: Any = entry.get("trials")
        if _is_whole(lengths):
            lengths = [lengths] * len(parts)
        require(
            isinstance(lengths, list) and all(map(_is_whole, lengths)),
            f"{where} has trials: {entry.get('trials')!r}, expected a whole number for each part, "
            "or one for all",
        )
        require(
            _is_whole(entry.get("probes")),
            f"{where} has probes: {entry.get('probes')!r}, expected a whole number",
        )
        name = entry.get("name", "-".join(part.name for part in parts))
        require(
            isinstance(name, str) and bool(name), f"{where} has name: {name!r}, expected a name"
        )
        return StreamTask(
            name=name,
            tasks=tuple(next(part for part in parts if part.name == each) for each in names),
            order=tuple(names.index(part.name) for part in parts),
            lengths=tuple(lengths),
            probes=entry["probes"],
        )


def _is_stream(entry: Any) -> bool:
    return isinstance(entry, dict) and "stream" in entry


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
