"""Values of a file, each checked as it is taken; messages name the file and the key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evoplastic.checks import require, require_known


class Fields:
    """Keys and values of one file. All methods raise `UsageError`."""

    def __init__(self, content: Mapping[str, Any], where: str) -> None:
        self.content, self.where = content, where

    def rules(self, key: str) -> list[dict[str, Any]]:
        """The rules that a key lists."""
        given = self.sequence(key)
        self.expect(all(isinstance(each, dict) for each in given), key, "a list of {KEY: VALUE}")
        return given

    def sequence(self, key: str) -> list[Any]:
        """The list of a key; empty where it is not said."""
        given = self.content.get(key) or []
        self.expect(isinstance(given, list), key, "a list")
        return list(given)

    def mapping(self, given: Any, key: str) -> dict[str, Any]:
        """Names and values; none where nothing is given."""
        self.expect(given is None or isinstance(given, dict), key, "{NAME: VALUE}")
        return dict(given or {})

    def names(self, key: str) -> tuple[str, ...]:
        """The names that a key lists."""
        given = self.sequence(key)
        sound = all(isinstance(name, str) and name and name[0] != "$" for name in given)
        self.expect(
            sound and len(set(given)) == len(given),
            key,
            "a list of names without $, each once; put numbers in quotes",
        )
        return tuple(given)

    def number(self, given: Any, key: str) -> float:
        """A number, as it was given."""
        sound = isinstance(given, int | float) and not isinstance(given, bool)
        require(sound, f"{self.where}: {key} holds {given!r}, expected a number")
        return float(given)

    def text(self, key: str) -> str:
        """Text of a key; none where it is not said."""
        given = self.content.get(key, "")
        self.expect(isinstance(given, str), key, "text")
        return str(given)

    def keys(self, rule: Mapping[str, Any], key: str, known: tuple[str, ...]) -> None:
        """Refuse a rule with a key that means nothing."""
        for word in rule:
            require_known(f"key of {key} in {self.where}:", word, known)

    def expect(self, condition: bool, key: str, expected: str) -> None:
        """Refuse a file unless the condition holds."""
        came = self.content.get(key)
        said = f" is {came!r}" if came is not None else " is something else"
        require(condition, f"{self.where}: {key}{said}, expected {expected}")
