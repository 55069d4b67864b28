"""A file of a user and the project around it, as modules that only its own code sees.

    module = open_project(Path("tasks/mine.py")).load()

`from helper import w` and `from .helper import w` find what lies beside the file or in its package,
and `from tasks.trial import f` finds `tasks/trial.py` of the user's, though `tasks` is one of our
packages too. So the user's modules live in `sys.modules` under a private prefix, and his import
statements, late ones too, are answered here: Python takes `__import__` from the builtins of the
module that imports. What is not his is imported as ever, ours included: `from
tasks.machines.state_machine import StateMachine` works in a folder `tasks/` as well.

What runs is the text that was admitted (`evoplastic.trust`), never a compiled copy of it.
"""

from __future__ import annotations

import builtins
import hashlib
import importlib
import importlib.util
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.abc import Loader
from importlib.machinery import ExtensionFileLoader, ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from evoplastic.trust import admit, gate
from evoplastic.user_code.code_files import CodeFile, texts_in_place
from evoplastic.user_code.data import (
    MOST_NOTICED,
    differ,
    is_data,
    laid_out,
    notice_reading,
)
from evoplastic.user_code.own_names import OURS, ROOT

PREFIX = "_evoplastic_task_"
MARKS = (".git", "pyproject.toml")  # of a project's own folder

_projects: dict[Path, Project] = {}  # the newest of each file
_by_prefix: dict[str, Project] = {}


class Found(NamedTuple):
    """Where a name of the user's lies."""

    path: Path  # the file, or the folder of a package without __init__.py
    plain_folder: bool
    beside: bool  # in a folder that comes before what is installed


def open_project(path: Path, kept: Mapping[Path, bytes] | None = None) -> Project:
    """The project of a file; the one that was loaded before, while its files are what they were.

    Args:
        path: the file, relative to the current folder or absolute.
        kept: texts that run in place of what the disk holds, by absolute path.
    """
    main = Path(os.path.abspath(path))
    texts = texts_in_place(kept)
    known = _projects.get(main)
    if known is not None and known.is_current(texts):
        return known
    project = Project(main, texts)
    _projects[main] = _by_prefix[project.prefix] = project
    return project


class Project:
    """One file and what it imports; made by `open_project`."""

    def __init__(self, main: Path, kept: Mapping[Path, bytes]) -> None:
        self.main, self._kept, self._gate = main, dict(kept), gate()
        digest = hashlib.sha256(str(main).encode()).hexdigest()[:12]
        number = sum(name.startswith(f"{PREFIX}{digest}") for name in _by_prefix)
        self.prefix = f"{PREFIX}{digest}" + (f"_{number}" if number else "")
        self._files: dict[Path, bytes] = {}
        self._read: dict[Path, None] = {}  # data, in the order in which it was opened
        self._moved = laid_out(kept) if differ(kept) else None
        own = {"__import__": self._import, "print": _print}
        self._builtins = {**vars(builtins), **own}
        top, names = main.parent, [main.stem.replace(".", "_")]
        while self._is_file(top / "__init__.py"):
            names.insert(0, top.name)
            top = top.parent
        self._name = ".".join([self.prefix, *names])
        self._first = top
        further = [top, *self._further()]
        self._around = None if main.parent.parent in further else main.parent.parent
        self._roots = list(dict.fromkeys((*further, main.parent.parent)))
        self._own = [top, *self._marked()[:1]]
        notice_reading(lambda name: _by_prefix.get(name.partition(".")[0]))

    def load(self) -> ModuleType:
        """The module of the file, and all that it imports; run once.

        Raises:
            Untrusted: a file that may not run, or kept data that may not be read in its place.
            OSError: the file cannot be read.
            Exception: whatever the code raises; none of its modules stays.
        """
        if self._name not in sys.modules:
            for file in self.stand_ins:
                admit(Path(file.path), file.content, self.main)
            around = ModuleType(self.prefix)
            around.__path__ = [str(root) for root in self._roots]
            sys.modules[self.prefix] = around
            try:
                with staying_here():
                    importlib.import_module(self._name)
            except BaseException as error:
                for name in [name for name in sys.modules if self._owns(name)]:
                    del sys.modules[name]
                _projects.pop(self.main, None)
                self._tell(error)
                raise
        return sys.modules[self._name]

    @property
    def exists(self) -> bool:
        """Whether there is such a file, on the disk or kept."""
        return self._is_file(self.main)

    @property
    def files(self) -> tuple[CodeFile, ...]:
        """What was loaded so far, the file itself first."""
        rest = sorted(path for path in self._files if path != self.main)
        paths = [path for path in (self.main, *rest) if path in self._files]
        return tuple(CodeFile(str(path), self._files[path]) for path in paths)

    @property
    def data(self) -> tuple[Path, ...]:
        """Files in the folder of the project that its code opened to read so far, none of code."""
        return tuple(self._read)

    @property
    def stand_ins(self) -> tuple[CodeFile, ...]:
        """Kept data that is read in place of what lies, or is missing, at its paths."""
        data = {} if self._moved is None else _data_in(self._kept)
        return tuple(CodeFile(str(path), content) for path, content in data.items())

    def note(self, path: Path) -> None:
        """Take down that the code opened a file to read it."""
        parts = [path.relative_to(root).parts for root in self._own if path.is_relative_to(root)]
        hidden = any(
            part.startswith(".") or part == "site-packages"
            for part in min(parts, key=len, default=())
        )
        if parts and is_data(path) and not hidden and len(self._read) < MOST_NOTICED:
            self._read[path] = None

    def is_current(self, kept: Mapping[Path, bytes]) -> bool:
        """Whether files were loaded and all are what they were; asks whether they may run."""
        try:
            for path, content in self._files.items():
                now = kept[path] if path in kept else path.read_bytes()
                if now != content:
                    return False
                admit(path, content, self.main)
        except OSError:
            return False
        data, before = _data_in(kept), _data_in(self._kept)
        if data != before and (self._moved is not None or differ(data)):
            return False
        return bool(self._files) and self._gate is gate()  # each command runs code anew

    def find_spec(self, name: str, path: Sequence[str]) -> ModuleSpec | None:
        """Where a module under the private prefix comes from."""
        if name == self._name:
            return self._spec(name, self.main)
        last, folders = name.rpartition(".")[2], []
        for root in map(Path, path):
            if self._is_file(root / last / "__init__.py"):
                return self._spec(name, root / last / "__init__.py", root / last)
            if self._is_file(root / f"{last}.py"):
                return self._spec(name, root / f"{last}.py")
            compiled = PathFinder.find_spec(name, [str(root)])
            if compiled is not None and isinstance(compiled.loader, ExtensionFileLoader):
                return compiled
            if self._is_folder(root / last):
                folders.append(str(root / last))
        if not folders:
            return None
        spec = ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = folders
        return spec

    def run(self, path: Path, module: ModuleType) -> None:
        """Run a file as a module whose import statements come back here."""
        content = self.text(path)
        admit(path, content, self.main)
        self._files[path] = content
        vars(module)["__builtins__"] = self._builtins
        module.__file__ = self._seen(path)
        exec(compile(content, str(path), "exec", dont_inherit=True), vars(module))

    def text(self, path: Path) -> bytes:
        """What is run of a file."""
        return self._kept[path] if path in self._kept else path.read_bytes()

    def _spec(self, name: str, path: Path, package: Path | None = None) -> ModuleSpec:
        places = None if package is None else [str(package)]
        spec = importlib.util.spec_from_file_location(
            name, path, loader=_Text(self, path), submodule_search_locations=places
        )
        assert spec is not None
        return spec

    def _import(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> Any:
        """What an import statement of the user's gives."""
        wanted = fromlist or ()
        try:
            if level or not self._is_users(name, globals):
                return builtins.__import__(name, globals, locals, wanted, level)
            module = builtins.__import__(f"{self.prefix}.{name}", globals, locals, wanted, 0)
        except ImportError as error:
            self._tell(error)
            raise
        top = name.partition(".")[0]
        if not wanted:
            return sys.modules[f"{self.prefix}.{top}"]
        if top in OURS and not _has(module, wanted):
            try:
                ours = builtins.__import__(name, globals, locals, wanted, 0)
            except ImportError:
                return module
            return ours if _has(ours, wanted) else module
        return module

    def _is_users(self, name: str, importer: Mapping[str, Any] | None) -> bool:
        top = name.partition(".")[0]
        if top in OURS:
            found = self._find(name)
            return found is not None and not is_own(found.path)
        if top in sys.stdlib_module_names:
            return False
        found = self._find(top)
        if found is None or self._seen(found.path) == (importer or {}).get("__file__"):
            return False
        return (found.beside and not found.plain_folder) or not _is_installed(top)

    def _find(self, dotted: str) -> Found | None:
        *folders, last = dotted.split(".")
        own = self.main.parent.name  # as a package without __init__.py the folder has a name too
        for root in self._roots:
            if root == self._around and [*folders, last][0] != own:
                continue
            place = root.joinpath(*folders, last)
            for path in (place / "__init__.py", place.parent / f"{last}.py", place):
                plain = path == place
                if self._is_folder(path) if plain else self._is_file(path):
                    return Found(path, plain, root == self._first)
            if not folders and PathFinder.find_spec(last, [str(root)]) is not None:
                return Found(place, False, root == self._first)  # compiled
        return None

    def _further(self) -> list[Path]:
        """Folders in which a name is looked up that is neither beside the file nor installed."""
        here = Path.cwd()
        marked = self._marked()
        inside = [here] if self.main.is_relative_to(here) else []
        # Where the originals are gone, nothing marks the folder of their project any more.
        code = [path.parent for path in self._kept if not is_data(path)]
        kept = code if self.main in self._kept else []
        common = [Path(os.path.commonpath(kept))] if kept else []
        return [self.main.parent, *inside, *marked[:1], *common]

    def _marked(self) -> list[Path]:
        """Folders around the file that are those of a project, the nearest first."""
        return [each for each in self.main.parents if any((each / m).exists() for m in MARKS)]

    def _seen(self, path: Path) -> str:
        """What `__file__` says: where the data beside a file is found."""
        return str(path if self._moved is None else self._moved(path))

    def _is_file(self, path: Path) -> bool:
        return path in self._kept or path.is_file()

    def _is_folder(self, path: Path) -> bool:
        return path.is_dir() or any(kept.is_relative_to(path) for kept in self._kept)

    def _owns(self, name: str) -> bool:
        return name == self.prefix or name.startswith(f"{self.prefix}.")

    def _tell(self, error: BaseException) -> None:
        """Call the user's modules as he does."""
        if isinstance(error, ImportError) and isinstance(error.msg, str):
            error.msg = error.msg.replace(f"{self.prefix}.", "")
            error.args = (error.msg,)
            error.name = error.name and error.name.removeprefix(f"{self.prefix}.")


class _Text(Loader):
    """Runs the text of one file."""

    def __init__(self, project: Project, path: Path) -> None:
        self._project, self._path = project, path

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """An ordinary one."""
        return None

    def exec_module(self, module: ModuleType) -> None:
        """Run the text."""
        self._project.run(self._path, module)

    def get_source(self, name: str) -> str:
        """The text, for tracebacks."""
        return self._project.text(self._path).decode("utf-8", errors="replace")


class _Finder:
    """Finds what lives under a private prefix."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Where it comes from; None for everything else."""
        project = _by_prefix.get(name.partition(".")[0])
        return None if project is None or path is None else project.find_spec(name, path)


sys.meta_path.insert(0, _Finder())


def _data_in(kept: Mapping[Path, bytes]) -> dict[Path, bytes]:
    return {path: content for path, content in kept.items() if is_data(path)}


@contextmanager
def staying_here() -> Iterator[None]:
    """Come back to the current folder after code of a user, which may go elsewhere."""
    here = os.open(".", os.O_RDONLY)
    try:
        yield
    finally:
        os.fchdir(here)
        os.close(here)


def _print(*words: Any, **options: Any) -> None:
    """What a user's code prints is no part of our answers, which programs may read: to stderr."""
    if options.get("file") is None:
        options["file"] = sys.stderr
    print(*words, **options)


def _has(module: ModuleType, names: Sequence[str]) -> bool:
    return all(name == "*" or hasattr(module, name) for name in names)


def is_own(path: Path) -> bool:
    """Whether a file is one of ours."""
    real = Path(os.path.realpath(path))
    return any(real.is_relative_to(ROOT / name) for name in OURS)


def _is_installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return name in sys.modules
