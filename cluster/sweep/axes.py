"""What is typed of a sweep, `seed=1..5`, `search.sigma=0.02,0.03`: keys with lists of values.

A value is what an override `key=value` takes, text that is read as YAML; a comma outside of
brackets and quotes ends it. `A..B` stands for the whole numbers from A to B.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cluster.config.legacy import present_key
from evoplastic.checks import UsageError, require
from evoplastic.reading import parse_yaml, require_text

RANGE = re.compile(r"([+-]?\d+)\.\.([+-]?\d+)")
FRACTIONS = re.compile(r"[+-]?[\d.]*\d[\d.e+-]*\.\.[+-]?[\d.]*\d[\d.e+-]*")
MOST_VALUES = 100_000  # of one key: a range is written out
CLOSING = {"[": "]", "{": "}", "(": ")"}


@dataclass(frozen=True)
class Axis:
    """One key and its values, each as the text of an override."""

    key: str
    texts: tuple[str, ...]

    @property
    def values(self) -> list[Any]:
        """The values that the texts mean."""
        return [value_of(self.key, text) for text in self.texts]

    def overrides(self) -> list[str]:
        """The axis as overrides, one for each value."""
        return [f"{self.key}={text}" for text in self.texts]


def parse_axes(words: Sequence[str]) -> list[Axis]:
    """Read the words of a sweep.

    Raises:
        UsageError: a word that is no `key=values`, no value, a value twice, a key twice.

    >>> parse_axes(["seed=1..3", "search=es,snes"])
    [Axis(key='seed', texts=('1', '2', '3')), Axis(key='search', texts=('es', 'snes'))]
    """
    axes = [_axis(word) for word in words]
    seen: dict[str, str] = {}
    for axis in axes:
        meant = present_key(axis.key, axis.values[0])[0].removesuffix(".name")
        require(
            meant not in seen,
            f"{axis.key} is given twice" + _under_its_old_name(axis.key, seen.get(meant))
            + f"; name all of its values in one word, as in {axis.key}=A,B",
        )  # fmt: skip
        seen[meant] = axis.key
    return axes


def number_of_runs(axes: Sequence[Axis]) -> int:
    """How many combinations there are."""
    return math.prod(len(axis.texts) for axis in axes)


def value_of(key: str, text: str) -> Any:
    """What the text of one value means, read as an override's.

    Raises:
        UsageError: it is not YAML.
    """
    return parse_yaml(text, f"the value {text!r} of {key}", finite=False)


def _axis(word: str) -> Axis:
    key, equals, text = word.partition("=")
    key = key.strip()
    require(
        bool(equals) and all(key.split(".")),
        f"{word!r} is not of the form key=values, for example 'seed=1..5' or "
        "'search.sigma=0.02,0.03'",
    )
    require_text(word, f"the values of {key}")
    texts: list[str] = []
    for piece in _pieces(text):
        require(
            bool(piece),
            f"{word!r} has an empty value, expected values with one comma between two, for example "
            "'seed=1,2,3'; the value of nothing is written null",
        )
        texts += _range(key, piece)
        require(
            len(texts) <= MOST_VALUES,
            f"{key} has more than {MOST_VALUES:,} values; name fewer",
        )
    _require_each_once(key, texts)
    return Axis(key, tuple(texts))


def _pieces(text: str) -> list[str]:
    """The text cut at its commas, but for those in brackets and quotes.

    >>> _pieces("es,{name: es, sigma: 0.1},[a, b]")
    ['es', '{name: es, sigma: 0.1}', '[a, b]']
    """
    pieces, open_brackets, quote, start = [], "", "", 0
    for place, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"" and not text[start:place].strip().strip("[{(,: "):
            quote = letter  # within a word it is an apostrophe
        elif letter in "'\"" and open_brackets:
            quote = letter
        elif letter in CLOSING:
            open_brackets += CLOSING[letter]
        elif open_brackets and letter == open_brackets[-1]:
            open_brackets = open_brackets[:-1]
        elif letter == "," and not open_brackets:
            pieces.append(text[start:place].strip())
            start = place + 1
    return [*pieces, text[start:].strip()]


def _range(key: str, piece: str) -> list[str]:
    """The values of a range, or the piece as it is."""
    found = RANGE.fullmatch(piece)
    if found is None:
        require(
            FRACTIONS.fullmatch(piece) is None,
            f"{key}={piece} is a range of fractions, but only whole numbers are counted; name the "
            f"values, as in {key}=0.01,0.02,0.03",
        )
        return [piece]
    try:
        first, last = int(found[1]), int(found[2])
    except ValueError as error:  # thousands of digits
        raise UsageError(f"{key} has a number of too many digits: {piece[:40]}…") from error
    require(
        first <= last,
        f"{key}={piece} counts down and is empty; write {key}={last}..{first} instead",
    )
    require(
        last - first < MOST_VALUES,
        f"{key}={piece} are {last - first + 1:,} values, expected at most {MOST_VALUES:,}; name "
        "fewer",
    )
    return [str(number) for number in range(first, last + 1)]


def _require_each_once(key: str, texts: Sequence[str]) -> None:
    seen: dict[str, str] = {}
    for text in texts:
        same = _canonical(value_of(key, text))
        if same in seen:
            written = text if text == seen[same] else f"{seen[same]} and {text}"
            raise UsageError(f"{key} has the value {written} twice; name each value once")
        seen[same] = text


def _canonical(value: Any) -> str:
    """One text for what is one value: 1 and 1.0 are."""

    def plain(part: Any) -> Any:
        if isinstance(part, float) and part.is_integer():
            return int(part)
        if isinstance(part, dict):
            return {key: plain(each) for key, each in part.items()}
        return [plain(each) for each in part] if isinstance(part, list) else part

    return json.dumps(plain(value), sort_keys=True)


def _under_its_old_name(key: str, before: str | None) -> str:
    return f", once as {before}" if before not in (None, key) else ""
