"""Which of our files imports which: the graph that the architecture tests read."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path


def file_graph(root: Path, packages: list[str]) -> dict[str, set[str]]:
    """The files that each file imports, those in functions and under TYPE_CHECKING included."""
    files = {
        path.relative_to(root).as_posix()
        for package in packages
        for path in sorted((root / package).rglob("*.py"))
    }
    return {file: _imported(root / file, files) - {file} for file in sorted(files)}


def _imported(path: Path, files: set[str]) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {_file_of(alias.name, files) for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            # `from folder import file` means the file, `from file import name` what holds the name
            found |= {
                _file_of(f"{node.module}.{alias.name}", files) or _file_of(node.module, files)
                for alias in node.names
            }
    return {file for file in found if file}


def _file_of(module: str, files: set[str]) -> str:
    stem = module.replace(".", "/")
    return next((file for file in (f"{stem}.py", f"{stem}/__init__.py") if file in files), "")


def circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """Files that import each other, directly or through others; each circle once.

    >>> circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}})
    [['b', 'c']]
    """
    reached = {file: _reached(graph, file) for file in graph}
    found = {
        tuple(sorted(other for other in reached[file] if file in reached.get(other, ())))
        for file in graph
        if file in reached[file]
    }
    return [list(circle) for circle in sorted(found)]


def _reached(graph: Mapping[str, set[str]], file: str) -> set[str]:
    reached: set[str] = set()
    ahead = list(graph[file])
    while ahead:
        other = ahead.pop()
        if other not in reached:
            reached.add(other)
            ahead.extend(graph.get(other, ()))
    return reached
