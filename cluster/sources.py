"""What a run was made from, kept in its directory: the text of its suite and the code of its tasks.

    sources/index.json      where each text came from, and its digest (SHA-256)
    sources/000-suite.yaml  the suite file; then the files that code was loaded from, and the data
                            that this code has read when the run begins

A run goes on, and its genomes are evaluated, with what is kept, wherever its directory lies and
whatever became of the originals. Data is kept where it lies in the folder of the task's project, up
to `MOST_DATA_MIB` and `MOST_DATA_FILES` of `evoplastic.user_code.keeping` in all.
"""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evoplastic.checks import UsageError, require
from evoplastic.reading import parse_object, read_text
from evoplastic.records.names import SOURCES
from evoplastic.storage import write_atomically
from evoplastic.user_code.code_files import CodeFile, standing_in
from evoplastic.user_code.keeping import contents_of
from tasks.machines.metatasks.finding import meta_task_file
from tasks.suites.loading import load_suite
from tasks.suites.suite import Suite
from tasks.suites.suite_file import SUITE_FOLDER, KeptSuite, find_suite_file

logger = logging.getLogger(__name__)

INDEX_NAME = "index.json"
SCHEMA = "evoplastic/sources/1"


@dataclass(frozen=True)
class Sources:
    """The suite file of a run, and the files that the code of its tasks was loaded from."""

    suite: CodeFile
    family: str | None  # that the suite was asked to hold out
    folder: str  # absolute, where the command ran: what relative names of task files meant
    code: tuple[CodeFile, ...]
    data: tuple[CodeFile, ...] = ()  # that the code read

    def load_suite(self, table: str) -> Suite:
        """The suite as it was; its code has to stand in while its tasks are used.

        Raises:
            UsageError: as `tasks.suites.loading.load_suite`.
        """
        code = frozenset(Path(file.path) for file in self.code)
        text = self.suite.content.decode("utf-8", errors="replace")
        kept = KeptSuite(Path(self.suite.path), text, self.family, Path(self.folder), code)
        return load_suite(self.suite.path, table, kept)

    @property
    def changed(self) -> list[str]:
        """Originals that are there and have another content now."""
        return [
            text.path
            for text in (self.suite, *self.code, *self.data)
            if (now := _content(Path(text.path))) is not None and now != text.content
        ]


def sources_of(suite_word: str, suite: Suite) -> Sources:
    """What a run is made from, once its tasks were loaded.

    Args:
        suite_word: setting `suite`.
        suite: loaded from it.

    Raises:
        UsageError: the suite file or the code of a task cannot be read any more.
    """
    path, family = find_suite_file(suite_word)
    content = _content(path)
    require(content is not None, f"suite file {path} cannot be read any more; restore it")
    assert content is not None
    code: dict[str, CodeFile] = {}
    data: dict[Path, None] = {}
    for task in suite.tasks:
        if ".py:" in task.source or meta_task_file(task.source) is not None:
            from tasks.neurogym.sources.user_file import task_data, task_files

            code |= {file.path: file for file in task_files(task.source)}
            data |= dict.fromkeys(task_data(task.source))
    text = CodeFile(os.path.abspath(path), content)
    return Sources(text, family, os.getcwd(), tuple(code.values()), contents_of(data))


def keep_sources(run_dir: Path, sources: Sources) -> None:
    """Write what a run is made from into its directory; what is kept is never written over.

    Raises:
        EnvironmentFault: no space or no permission.
    """
    folder = run_dir / SOURCES
    if (folder / INDEX_NAME).exists():
        return
    folder.mkdir(exist_ok=True)
    entries = []
    for number, text in enumerate((sources.suite, *sources.code, *sources.data)):
        plain = re.sub(r"[^\w.-]", "_", Path(text.path).name)[-100:]
        name = f"{number:03d}-{plain}"
        write_atomically(folder / name, text.content)
        entries.append({"file": name, "path": text.path, "sha256": text.digest})
    index = {
        "schema": SCHEMA,
        "suite": entries[0] | {"family": sources.family},
        "folder": sources.folder,
        "code": entries[1 : 1 + len(sources.code)],
        "data": entries[1 + len(sources.code) :],
    }
    write_atomically(folder / INDEX_NAME, json.dumps(index, indent=2).encode())


def read_sources(run_dir: Path) -> Sources | None:
    """What a run keeps of what it was made from; None for a run of an earlier version.

    Raises:
        UsageError: a file is missing or was changed.
    """
    file = run_dir / SOURCES / INDEX_NAME
    if not file.exists():
        return None
    index = parse_object(read_text(file, "file"), str(file))
    try:
        require(index["schema"] == SCHEMA, f"schema is {index['schema']!r}, expected {SCHEMA!r}")
        suite, family, folder = index["suite"], index["suite"]["family"], index["folder"]
        require(
            isinstance(folder, str) and isinstance(family, str | None), "folder and family are text"
        )
        code = tuple(_text(run_dir, entry) for entry in index["code"])
        data = tuple(_text(run_dir, entry) for entry in index.get("data", []))
        return Sources(_text(run_dir, suite), family, folder, code, data)
    except (KeyError, TypeError, UsageError) as error:
        raise UsageError(
            f"{run_dir / SOURCES} does not hold what the run was made from ({error}); restore it "
            "from a copy (its tracking store has one among the run's artifacts)"
        ) from error


def kept_for(run_dir: Path, suite_word: str) -> Sources | None:
    """What a run keeps of its tasks, where this setting does not lead to all of them any more.

    Args:
        run_dir: the run.
        suite_word: its setting `suite`, read in the present working directory.

    Returns:
        None where every original is in its place, or nothing is kept.

    Raises:
        UsageError: as `read_sources`.
    """
    kept = read_sources(run_dir)
    if kept is None:
        return None
    try:
        path, _ = find_suite_file(suite_word)
    except UsageError:
        lost = kept.suite.path
    else:
        same = path.parent == SUITE_FOLDER or os.path.abspath(path) == kept.suite.path
        gone = [text.path for text in (*kept.code, *kept.data) if not Path(text.path).is_file()]
        lost = next(iter(gone), "") if same else kept.suite.path
    if not lost:
        return None
    where = "is gone" if not Path(lost).is_file() else f"is not what suite={suite_word} means here"
    logger.warning(
        "%s %s; the new run is made of what %s kept in %s/", lost, where, run_dir, SOURCES
    )
    return kept


@contextmanager
def standing_for(sources: Sources | None) -> Iterator[None]:
    """Within the block, what was kept is used in place of what lies at its paths."""
    with standing_in(() if sources is None else (*sources.code, *sources.data)):
        yield


def _text(run_dir: Path, entry: dict[str, Any]) -> CodeFile:
    name, path = entry["file"], entry["path"]
    require(
        isinstance(name, str) and Path(name).name == name and isinstance(path, str),
        f"{name!r} of {path!r} is no file of its own",
    )
    content = _content(run_dir / SOURCES / name)
    require(content is not None, f"{name} is missing")
    assert content is not None
    text = CodeFile(path, content)
    require(text.digest == entry["sha256"], f"{name} was changed")
    return text


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
