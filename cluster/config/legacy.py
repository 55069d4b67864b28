"""Configuration keys of earlier versions: read as what they are called now, and said so.

`RENAMED` maps an old dotted key to its present name; where the value is another one too, to a
function that gives both. A file of a run made earlier is read with it, and so are overrides.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

from evoplastic.checks import require

logger = logging.getLogger(__name__)

Renaming = str | Callable[[Any], tuple[str, Any]]


def _rule_of_modulation(value: Any) -> tuple[str, Any]:
    names = {"external": "node_perturbation", "internal": "node_perturbation_network"}
    return "rule.name", names.get(value, value)


RENAMED: dict[str, Renaming] = {
    "lifetime.plasticity.modulation": _rule_of_modulation,
    "lifetime.plasticity": "rule",
}


def present_key(key: str, value: Any) -> tuple[str, Any]:
    """What a key and its value are called now; those that never changed come back as they are.

    >>> present_key("lifetime.plasticity.eta", 0.1)
    ('rule.eta', 0.1)
    >>> present_key("lifetime.plasticity.modulation", "internal")
    ('rule.name', 'node_perturbation_network')
    """
    for old in (key, *_sections(key)):
        if old in RENAMED:
            new = RENAMED[old]
            return new(value) if callable(new) else (new + key[len(old) :], value)
    return key, value


def modernised(values: dict[str, Any], source: str) -> dict[str, Any]:
    """A configuration with its old keys renamed, which is logged once for the whole of it.

    Args:
        values: nested sections, as read from a file; left unchanged.
        source: the file, for messages.

    Raises:
        UsageError: a value is given under its old and its present key.
    """
    result: dict[str, Any] = {}
    found: list[str] = []
    for key, value in _leaves(values):
        new, changed = present_key(key, value)
        if new != key:
            found.append(f"{key} -> {new}")
        _put(result, new, changed, source)
    if found:
        logger.warning("%s has keys of an earlier version: %s", source, ", ".join(found))
    return result


def _sections(key: str) -> Iterator[str]:
    """The sections that a key lies in, the innermost first."""
    while "." in key:
        key = key.rpartition(".")[0]
        yield key


def _leaves(values: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _put(values: dict[str, Any], key: str, value: Any, source: str) -> None:
    *sections, leaf = key.split(".")
    node = values
    for section in sections:
        if isinstance(node.get(section), str):  # a name that stood for the whole section
            node[section] = {"name": node[section]}
        node = node.setdefault(section, {})
    require(
        leaf not in node,
        f"{source} gives {key} twice, once under the key of an earlier version; keep one",
    )
    node[leaf] = value
