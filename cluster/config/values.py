"""Nested settings by dotted paths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from evoplastic.checks import require

NAMED = (
    "rule",
    "modulation",
    "search",
    "curriculum",
)  # entries of tables: a name alone, or a section with one


def put(values: dict[str, Any], path: str, value: Any, what: str) -> None:
    """Set a value by its dotted path, making sections on the way.

    A section that was written as a name alone becomes a section with that name.

    Args:
        values: settings, changed in place.
        path: where to put the value.
        value: any YAML value.
        what: what asks for it, for messages.

    Raises:
        UsageError: the path leads through a value.
    """
    parts = path.split(".")
    section = values
    for depth, part in enumerate(parts[:-1]):
        if depth == 0 and part in NAMED and isinstance(section.get(part), str):
            section[part] = {"name": section[part]}
        if section.get(part) is None:  # a section that may be missing
            section[part] = {}
        section = section[part]
        require(
            isinstance(section, dict),
            f"{what}: {'.'.join(parts[: depth + 1])} is a value, not a section",
        )
    section[parts[-1]] = value


def leaves(values: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Every value with its dotted path; an empty section is a value."""
    found: list[tuple[str, Any]] = []
    for key, value in values.items():
        if isinstance(value, dict) and value:
            found += leaves(value, f"{prefix}{key}.")
        else:
            found.append((f"{prefix}{key}", value))
    return found


def within(key: str, sections: Sequence[str]) -> bool:
    """Whether a dotted path is one of the sections or lies in one.

    >>> within("evaluation.every", ("name", "evaluation")), within("names", ("name",))
    (True, False)
    """
    return any(key == section or key.startswith(f"{section}.") for section in sections)
