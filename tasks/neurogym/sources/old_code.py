"""What in a task file is of earlier versions of NeuroGym, Gym or NumPy, and what to write instead.

Old code breaks down at its first such line; here the whole text is read, nothing of it is run, and
every place is named. What is there today is asked of the installed packages.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

CORE = ("TrialEnv", "TrialWrapper", "BaseEnv", "InvalidOperationError")
INSTEAD = {  # names of `neurogym` that moved
    **{f"neurogym.{name}": f"from neurogym.core import {name}" for name in CORE},
    "neurogym.PeriodEnv": "from neurogym.core import TrialEnv",
    "neurogym.EpochEnv": "from neurogym.core import TrialEnv",
    "neurogym.random": "from neurogym.utils.ngym_random import TruncExp",
    "neurogym.utils.random": "from neurogym.utils.ngym_random import TruncExp",
    "neurogym.ngym_random": "from neurogym.utils.ngym_random import TruncExp",
    "numpy.float": "float",
    "numpy.int": "int",
    "numpy.bool": "bool",
    "numpy.object": "object",
}
METHODS = {"add_epoch": "add_period", "in_epoch": "in_period", "add_epochs": "add_period"}
WATCHED = ("neurogym", "numpy", "gymnasium")
SIZES = ("range", "zeros", "ones", "empty", "full", "arange")


class Place(NamedTuple):
    """A line of a user that has to change."""

    file: str
    line: int
    what: str  # as it stands there
    instead: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}: {self.instead}"


def old_places(path: Path, text: bytes) -> list[Place]:
    """Every place of a file that today's packages do not take, by line; none where it is no Python.

    Args:
        path: what the file is called.
        text: its content.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return []
    found = {
        (node.lineno, node.col_offset, what): Place(path.name, node.lineno, what, instead)
        for node, what, instead in _found(tree)
    }
    return [found[key] for key in sorted(found)]


def _found(tree: ast.Module) -> Iterator[tuple[Any, str, str]]:
    names = _aliases(tree)
    loose = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and _is_quotient(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    inner = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from _imports(node)
        elif isinstance(node, ast.Attribute):
            yield from _attribute(node, names, whole=id(node) not in inner)
        elif isinstance(node, ast.ClassDef):
            yield from _class(node)
        elif isinstance(node, ast.Assign):
            yield from _assignment(node)
        elif isinstance(node, ast.Subscript):
            for part in _indices(node.slice):
                yield from _index(part, loose)
        elif isinstance(node, ast.Call) and _last_name(node.func) in SIZES:
            for argument in node.args[:3] if _last_name(node.func) == "range" else node.args[:1]:
                parts = argument.elts if isinstance(argument, ast.Tuple | ast.List) else [argument]
                for part in parts:
                    if _last_name(node.func) != "arange":
                        yield from _index(part, loose)


def _imports(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[Any, str, str]]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            top = alias.name.partition(".")[0]
            if top == "gym":
                renamed = "gymnasium" + alias.name.removeprefix("gym")
                yield (
                    node,
                    f"import {alias.name}",
                    f"write import {renamed} as {alias.asname or top}",
                )
            elif top in WATCHED and not _exists(alias.name):
                yield node, f"import {alias.name}", _instead(alias.name)
        return
    module = node.module or ""
    if node.level or module.partition(".")[0] not in (*WATCHED, "gym"):
        return
    words = ", ".join(alias.name for alias in node.names)
    if module.partition(".")[0] == "gym":
        renamed = "gymnasium" + module.removeprefix("gym")
        yield node, f"from {module} import {words}", f"write from {renamed} import {words}"
        return
    for alias in node.names:
        full = f"{module}.{alias.name}"
        if not _is_module(module) or (alias.name != "*" and not _exists(full)):
            said = f"from {module} import {alias.name}"
            yield node, said, _instead(full)


def _attribute(
    node: ast.Attribute, names: dict[str, str], *, whole: bool
) -> Iterator[tuple[Any, str, str]]:
    if node.attr in METHODS and _last_name(node.value) == "self":
        yield node, f"self.{node.attr}", f"write self.{METHODS[node.attr]}"
    if not whole:
        return
    words = ast.unparse(node).split(".")
    if not all(word.isidentifier() for word in words) or words[0] not in names:
        return
    for stop in range(2, len(words) + 1):
        full = ".".join([names[words[0]], *words[1:stop]])
        if full.partition(".")[0] in WATCHED and not _exists(full):
            yield node, ast.unparse(node), _instead(full)
            return


def _class(node: ast.ClassDef) -> Iterator[tuple[Any, str, str]]:
    methods = {each.name: each for each in node.body if isinstance(each, ast.FunctionDef)}
    for name in ("_step", "step", "post_step"):
        for each in ast.walk(methods[name]) if name in methods else ():
            if not isinstance(each, ast.Return) or not isinstance(each.value, ast.Tuple):
                continue
            if len(each.value.elts) == 4:
                parts = [ast.unparse(part) for part in each.value.elts]
                five = ", ".join([*parts[:3], "False", parts[3]])
                yield (
                    each,
                    f"{name} returns four values",
                    f"return five, with truncated: return {five}",
                )
    bases = {_last_name(base) for base in node.bases}
    if bases & {"TrialEnv", "PeriodEnv", "EpochEnv"} and "_new_trial" not in methods:
        for old in ("new_trial", "_reset"):
            if old in methods:
                yield methods[old], f"{node.name} defines {old}", "call it _new_trial"


def _assignment(node: ast.Assign) -> Iterator[tuple[Any, str, str]]:
    target, value = node.targets[0], node.value
    if not isinstance(value, ast.Call):
        return
    made = _last_name(value.func)
    if _last_name(target) == "observation_space" and made in ("Discrete", "MultiDiscrete"):
        size = ast.unparse(value.args[0]) if value.args else "n"
        box = f"spaces.Box(0, 1, shape=({size},))"
        yield node, f"observations of a {made} space", f"write {box}, and show one line at a time"
    if isinstance(target, ast.Tuple) and len(target.elts) == 4 and made == "step":
        yield node, "step is expected to return four values", "it returns five: done is two of them"


def _index(node: ast.expr, loose: set[str]) -> Iterator[tuple[Any, str, str]]:
    """A quotient by dt is a float, and no index."""
    if _is_quotient(node) or (isinstance(node, ast.Name) and node.id in loose):
        said = ast.unparse(node)
        yield node, f"{said} is a float, used as an index", f"write int({said})"


def _indices(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.Slice):
        yield from (each for each in (node.lower, node.upper, node.step) if each is not None)
    elif isinstance(node, ast.Tuple):
        for part in node.elts:
            yield from _indices(part)
    else:
        yield node


def _is_quotient(node: ast.expr) -> bool:
    """Whether an expression divides by dt and nothing makes a whole number of it."""
    if isinstance(node, ast.Call):
        return False
    if isinstance(node, ast.BinOp):
        if isinstance(node.op, ast.Div | ast.FloorDiv) and _last_name(node.right) == "dt":
            return isinstance(node.op, ast.Div)
        return _is_quotient(node.left) or _is_quotient(node.right)
    return isinstance(node, ast.UnaryOp) and _is_quotient(node.operand)


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _aliases(tree: ast.Module) -> dict[str, str]:
    """Names under which a file knows the modules that are asked about."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                if top in WATCHED:
                    names[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                if full.partition(".")[0] in WATCHED and _exists(full) and _is_module(full):
                    names[alias.asname or alias.name] = full
    return names


@cache
def _exists(full: str) -> bool:
    """Whether a dotted name is a module, or something in one, of what is installed."""
    module, _, name = full.rpartition(".")
    if _is_module(full):
        return True
    if not module:
        return False
    if _is_module(module):
        return hasattr(importlib.import_module(module), name)
    holder, _, attribute = module.rpartition(".")
    if not holder or not _exists(module) or not _is_module(holder):
        return True  # an attribute of an attribute: nothing is said of it
    return hasattr(getattr(importlib.import_module(holder), attribute), name)


@cache
def _is_module(full: str) -> bool:
    try:
        return importlib.util.find_spec(full) is not None
    except (ImportError, ValueError, AttributeError):
        return False


def _instead(full: str) -> str:
    words = full.split(".")
    for stop in range(len(words), 0, -1):
        said = INSTEAD.get(".".join(words[:stop]))
        if said is not None:
            return f"write {said}"
    top = words[0]
    return f"{top} {getattr(importlib.import_module(top), '__version__', '')} has no such name"
