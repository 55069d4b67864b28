"""The scripts of `examples/`, each with what its docstring says of it."""

from __future__ import annotations

import ast

from docs.generator.navigation import ROOT

INTRODUCTION = """\
# Examples

The scripts of the folder `examples/`; the tests run each of them at a small size.
"""


def examples_page() -> str | None:
    """The page in Markdown; none if there are no examples."""
    scripts = sorted((ROOT / "examples").glob("[!_]*.py"))
    if not scripts:
        return None
    sections = []
    for path in scripts:
        text = path.read_text(encoding="utf-8")
        told = ast.get_docstring(ast.parse(text)) or path.stem
        sentence, _, rest = told.partition("\n")
        sections.append(f"## {path.name}\n\n{sentence}\n{rest}\n\n```python\n{_code(text)}```\n")
    return "\n".join([INTRODUCTION, *sections])


def _code(text: str) -> str:
    """The script without its docstring, which stands above it."""
    first, *_ = ast.parse(text).body
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        return "\n".join(text.splitlines()[first.end_lineno :]).strip() + "\n"
    return text
