"""The settings by which runs are compared, however they are written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from analysis.settings import flat_setting
from evoplastic.checks import nearest, require


def resolve_keys(asked: Sequence[str], flats: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    """The dotted keys that are meant: whole, a section by its name, an old key, or the last parts.

    >>> resolve_keys(["evolution.sigma", "rule"], [{"search.sigma": 0.1, "rule.name": "oja"}])
    ('search.sigma', 'rule.name')
    >>> resolve_keys(["sigma"], [{"search.sigma": 0.1, "rule.name": "oja"}])
    ('search.sigma',)

    Args:
        asked: as written.
        flats: the settings of each run, of `flat_setting`.

    Raises:
        UsageError: a key that no run has, one that means several, a seed.
    """
    known = list(dict.fromkeys(key for flat in flats for key in flat))
    return tuple(dict.fromkeys(_resolved(key, known) for key in asked))


def _resolved(key: str, known: Sequence[str]) -> str:
    require(key != "seed", "--by seed compares nothing: seeds are the replicates of a setting")
    for whole in (key, f"{key}.name", *_present_names(key)):
        if whole in known:
            return whole
    ending = [each for each in known if each.removesuffix(".name").endswith(f".{key}")]
    require(
        len(ending) <= 1, f"--by {key} may be any of {', '.join(ending)}; write the one you mean"
    )
    require(bool(ending), f"--by {key}: no run has that setting; {_hint(key, known)}")
    return ending[0]


def _present_names(old: str) -> list[str]:
    """What a key of earlier versions is called now."""
    values: Any = 0
    for part in reversed(old.split(".")):
        values = {part: values}
    always = flat_setting({})
    return [key for key in flat_setting(values) if key not in always and key != "rule.name"]


def _hint(key: str, known: Sequence[str]) -> str:
    hint = nearest(key, known)
    if hint.startswith("known"):  # hundreds of keys help nobody
        last = {each.rpartition(".")[2]: each for each in known}
        hint = nearest(key.rpartition(".")[2], last)
        if hint.startswith("known"):
            return "`evoplastic config show` lists the settings"
    return hint
