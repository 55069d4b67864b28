"""Filling in a template: @NAME@ stands for a value; a line whose value is missing is left out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from evoplastic.checks import require

FOLDER = Path(__file__).parent
MARK = re.compile(r"@([A-Z][A-Z_]*)@")
ALONE = re.compile(r"( *)@([A-Z][A-Z_]*)@")


def filled(name: str, values: Mapping[str, object]) -> str:
    """The template with its values.

    A value of several lines stands alone on its line, and each of its lines is indented as that is.
    `None` leaves out the lines that name it.

    Args:
        name: file beside this one.
        values: by the names of the marks; every mark has one, and every one a mark.

    >>> fill("a: @A@\\nb: @B@\\n  @C@\\n", {"A": 1, "B": None, "C": "x\\ny"})
    'a: 1\\n  x\\n  y\\n'
    """
    return fill((FOLDER / name).read_text(encoding="utf-8"), values)


def fill(template: str, values: Mapping[str, object]) -> str:
    """As `filled`, for a template's text."""
    assert set(MARK.findall(template)) == set(values), set(MARK.findall(template)) ^ set(values)
    lines = []
    for line in template.splitlines():
        marks = MARK.findall(line)
        if any(values[mark] is None for mark in marks):
            continue
        alone = ALONE.fullmatch(line)
        if alone is not None:
            lines += [alone[1] + part for part in str(values[alone[2]]).splitlines()]
        else:
            lines.append(MARK.sub(lambda found: str(values[found[1]]), line))
    return "\n".join(lines) + "\n"


def require_word(option: str, value: str | None, pattern: str, example: str) -> None:
    """Refuse a value that would mean something else in the file than what was typed.

    Raises:
        UsageError: it does not look like the example.
    """
    require(
        value is None or re.fullmatch(pattern, value) is not None,
        f"{option} is {value!r}, expected something like {example}",
    )
