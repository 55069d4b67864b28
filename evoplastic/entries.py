"""An entry of a table of exchangeable parts: what a user may choose by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Build = TypeVar("Build", bound=Callable[..., Any])


@dataclass(frozen=True, kw_only=True)
class Entry(Generic[Build]):
    """One choice: what it is, where it comes from, what may be set, and how it is made.

    `options` is a frozen dataclass with a field `name` whose only value is the entry's name.
    """

    title: str  # one sentence for listings
    source: str
    options: type[Any]
    build: Build

    @property
    def name(self) -> str:
        """What users type."""
        name: str = self.options.name
        return name


def table(*entries: Entry[Build]) -> dict[str, Entry[Build]]:
    """Entries by their names."""
    return {entry.name: entry for entry in entries}
