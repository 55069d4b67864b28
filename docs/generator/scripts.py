"""The scripts of `examples/`, each with what its docstring says of it, behind their README."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from docs.generator.navigation import ROOT

EXAMPLES = ROOT / "examples"


def borrowed_page(path: Path) -> str:
    """A page that is a file elsewhere in the repository; the examples' has their text as well."""
    text = path.read_text(encoding="utf-8")
    return "\n".join([text, *_scripts()]) if path.parent == EXAMPLES else text


def _scripts() -> Iterator[str]:
    for path in sorted(EXAMPLES.glob("[!_]*.py")):
        text = path.read_text(encoding="utf-8")
        told = ast.get_docstring(ast.parse(text)) or path.stem
        yield f"## {path.name} {{#{path.stem}}}\n\n{told}\n\n```python\n{_code(text)}```\n"


def _code(text: str) -> str:
    """The script without its docstring, which stands above it."""
    first, *_ = ast.parse(text).body
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        return "\n".join(text.splitlines()[first.end_lineno :]).strip() + "\n"
    return text
