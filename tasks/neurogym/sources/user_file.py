"""Tasks in files of a user: `my_task.py:MyTask`, a class, a function, or a state machine.

The file is loaded with the project around it (`evoplastic.user_code.project`): what it imports may
lie beside it, in its package, or in the folder of its project.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from neurogym.core import TrialEnv

from evoplastic.checks import UsageError, nearest, require
from evoplastic.reading import read_text
from evoplastic.user_code.code_files import CodeFile, content_in_place_of
from evoplastic.user_code.keeping import contents_of
from evoplastic.user_code.project import Project, open_project
from tasks.machines.metatasks.collection import MOST_BYTES
from tasks.machines.metatasks.finding import meta_task_file
from tasks.machines.state_machine import StateMachine
from tasks.neurogym.entry_points import guarded_registry

UserTask = type[TrialEnv] | Callable[..., Any] | StateMachine


def split_file(source: str) -> tuple[Path, str] | None:
    """File and name of a task in a file; None for a registered id or an entry point.

    >>> split_file("mine.py:MyTask"), split_file("yang19.go-v0")
    ((PosixPath('mine.py'), 'MyTask'), None)
    """
    path, colon, name = source.rpartition(":")
    return (Path(path), name) if colon and path.endswith(".py") else None


def load_task(path: Path, name: str, kept: Sequence[CodeFile] = ()) -> UserTask:
    """A task class, a function that makes an environment, or a state machine, from a file.

    What runs is the text that was admitted (see `evoplastic.trust`), never a compiled copy of it.
    While nothing of its project changes, it runs once in a process.

    Args:
        path: the file.
        name: what of it.
        kept: texts that run in place of what the disk holds.

    Raises:
        Untrusted: the file may not run.
        UsageError: no such file, class, function or machine, or a file that cannot be imported.
    """
    _, module = _loaded(path, name, kept)
    found = {each: value for each, value in vars(module).items() if _is_task(value, module)}
    if name not in found and callable(vars(module).get(name)):
        found[name] = vars(module)[name]  # a function from elsewhere, a partial
    require(
        bool(found),
        f"{path} defines no class derived from neurogym's TrialEnv, no function that returns one, "
        "and no StateMachine",
    )
    require(name in found, f"{path} has no task {name!r}; {nearest(name, found)}")
    task: UserTask = found[name]
    return task


def task_files(source: str, kept: Sequence[CodeFile] = ()) -> tuple[CodeFile, ...]:
    """The files that a task's code was loaded from: path, content (bytes) and digest (SHA-256).

    First its own file, then the modules of the user's that it imported, so far in this process: a
    module that a function imports late is among them once the function has run. Packages that are
    installed are not. Data is where kept data stands in for what lies at its paths; for what the
    code read by itself see `task_data`. For a registered id, an entry point or a two-stimulus task
    there are none.

    To run kept files where the originals are changed or missing, hand them to
    `evoplastic.user_code.code_files.stand_in` before the task is loaded: they run in place of what
    lies at their paths, and `__file__` is what it was, unless data beside it was kept and is
    something else now: then that of a folder in which the data was laid out.

    Args:
        source: what a user types: `SuiteTask.source`.
        kept: as for `load_task`.

    Raises:
        Untrusted: the file may not run.
        UsageError: as `load_task`.
    """
    in_file = split_file(source)
    if in_file is None:
        meta = meta_task_file(source)
        return () if meta is None else (_text_file(meta, kept),)
    project = _loaded(*in_file, kept)[0]
    return project.files + project.stand_ins


def kept_text(source: str, kept: Sequence[CodeFile] = ()) -> str | None:
    """The text that stands in for the file of a meta-task; None where what lies there counts."""
    meta = meta_task_file(source)
    content = None if meta is None else content_in_place_of(meta, kept)
    return None if content is None else content.decode("utf-8", errors="replace")


def _text_file(path: Path, kept: Sequence[CodeFile]) -> CodeFile:
    content = content_in_place_of(path, kept)
    if content is None:
        content = read_text(path, "meta-task file", MOST_BYTES).encode()
    return CodeFile(str(path.absolute()), content)


def task_data(source: str) -> tuple[Path, ...]:
    """The files in the folder of its project that a task's code has opened to read, so far in this
    process: while it was loaded, while environments were made and while they drew trials.

    Args:
        source: what a user types: `SuiteTask.source`.

    Raises:
        Untrusted: the file may not run.
        UsageError: as `load_task`.
    """
    in_file = split_file(source)
    return () if in_file is None else _loaded(*in_file, ())[0].data


def absolute(source: str) -> str:
    """What a user typed for a task, with the path of its file, if it is in one, made absolute."""
    in_file = split_file(source)
    return source if in_file is None else f"{in_file[0].absolute()}:{in_file[1]}"


def travelling_files(source: str) -> tuple[CodeFile, ...]:
    """What a task needs to be made where its files are not: its code, and the data it has read.

    Raises:
        Untrusted: the file may not run.
        UsageError: as `load_task`.
    """
    code = task_files(source)
    known = {file.path for file in code}
    return code + contents_of(path for path in task_data(source) if str(path) not in known)


def _loaded(path: Path, name: str, kept: Sequence[CodeFile]) -> tuple[Project, ModuleType]:
    project = open_project(path, _texts(kept))
    require(project.exists, f"there is no file {str(path)!r} to load task {name!r} from")
    try:
        with guarded_registry(str(path)):
            return project, project.load()
    except UsageError:
        raise
    except OSError as error:
        if not error.filename or Path(error.filename) != project.main:
            raise UsageError(_not_imported(path, error)) from error
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except (Exception, SystemExit) as error:
        raise UsageError(_not_imported(path, error)) from error


def _texts(kept: Sequence[CodeFile]) -> Mapping[Path, bytes]:
    return {Path(file.path): file.content for file in kept}


def _not_imported(path: Path, error: BaseException) -> str:
    """What a user's code raised, with the last line of it that is in a file beside."""
    said = traceback.format_exception_only(error)[-1].strip()
    frames = [
        f"{Path(frame.filename).name}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(path.absolute().parent)
    ]
    if isinstance(error, SyntaxError) and error.filename:
        frames.append(f"{Path(error.filename).name}:{error.lineno}")
    return f"{path} cannot be imported: {said}" + (f" ({frames[-1]})" if frames else "")


def _is_task(value: Any, module: ModuleType) -> bool:
    """Whether something in a module could be meant as a task."""
    if isinstance(value, StateMachine):
        return True
    if isinstance(value, type):
        return issubclass(value, TrialEnv) and value is not TrialEnv
    return callable(value) and getattr(value, "__module__", None) == module.__name__
