"""Names of the runs of a sweep: what differs between them, safe as a folder on any machine."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from evoplastic.naming import short_keys

UNSAFE = re.compile(r"[^A-Za-z0-9.+_]+")
NUMBER = re.compile(r"[+-]?[\d.]+([eE][+-]?\d+)?")
MOST_LETTERS = 32  # of one value
LONGEST_NAME = 120
DIGITS = 6  # of a digest


def run_name(keys: Sequence[str], texts: Sequence[str]) -> str:
    """The name of one run by its values.

    Args:
        keys: the keys that are swept.
        texts: the run's value of each.

    >>> run_name(["seed", "search.sigma", "search.name"], ["1", "0.02", "snes"])
    'seed1-sigma0.02-name_snes'
    """
    pairs = zip(short_keys(keys), texts, strict=True)
    name = "-".join(_pair(UNSAFE.sub("_", key), text) for key, text in pairs)
    if len(name) <= LONGEST_NAME:
        return name
    return f"{name[:LONGEST_NAME]}-{_digest(repr((*keys, *texts)))}"


def apart(names: Sequence[str], texts: Sequence[Sequence[str]]) -> list[str]:
    """The names, with a digest of the values where two would be one folder on some machine."""
    folded = [name.casefold() for name in names]
    return [
        f"{name}-{_digest(repr(tuple(each)))}" if folded.count(name.casefold()) > 1 else name
        for name, each in zip(names, texts, strict=True)
    ]


def _pair(key: str, text: str) -> str:
    if NUMBER.fullmatch(text):
        return f"{key}{text}"
    word = UNSAFE.sub("_", text).strip("_.")
    if word == text and len(word) <= MOST_LETTERS:
        return f"{key}_{word}"
    return f"{key}_{word[:MOST_LETTERS].rstrip('_.')}_{_digest(text)}".replace("__", "_")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]
