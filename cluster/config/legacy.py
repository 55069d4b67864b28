"""Configuration keys of earlier versions: read as what they are called now, and said so.

`RENAMED` maps an old dotted key to its present name; where the value is another one too, to a
function that gives both. A file of a run made earlier is read with it, and so are overrides.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from cluster.config.values import leaves, put, within
from evoplastic.checks import require
from evoplastic.reading import read_mapping

logger = logging.getLogger(__name__)

Renaming = str | Callable[[Any], tuple[str, Any]]


def _rule_of_modulation(value: Any) -> tuple[str, Any]:
    names = {"external": "node_perturbation", "internal": "node_perturbation_network"}
    return "rule.name", names.get(value, value)


def _curriculum_of_halves(value: Any) -> tuple[str, Any]:
    require(
        isinstance(value, bool),
        f"evolution.alternate_halves is {value!r}, expected true or false; better set curriculum "
        "to alternate_halves or uniform",
    )
    return "curriculum", "alternate_halves" if value else "uniform"


RENAMED: dict[str, Renaming] = {
    "lifetime.plasticity.modulation": _rule_of_modulation,
    "lifetime.plasticity": "rule",
    "evolution.popsize": "search.popsize",
    "evolution.sigma": "search.sigma",
    "evolution.learning_rate": "search.learning_rate",
    "evolution.beta1": "search.beta1",
    "evolution.beta2": "search.beta2",
    "evolution.epsilon": "search.epsilon",
    "evolution.weight_decay": "search.weight_decay",
    "evolution.shaping": "search.shaping",
    "evolution.unmutated_pair": "search.unmutated_pair",
    "evolution.alternate_halves": _curriculum_of_halves,
    "evolution.init_gain": "genome.init_gain",
    "evolution.init_alpha": "genome.init_alpha",
}

# What the path digest of the first checkpoints left out, by the keys of that time.
FIRST_NEUTRAL = ("name", "evolution.generations", "evaluation", "engine", "threads", "tracking")
# And that of later ones, while the cut of a generation into shards counted.
CUTS_COUNTED_NEUTRAL = (*FIRST_NEUTRAL, "evolution.flat_generations")


def present_key(key: str, value: Any) -> tuple[str, Any]:
    """What a key and its value are called now; those that never changed come back as they are.

    Raises:
        UsageError: a value that the old key could not have.

    >>> present_key("lifetime.plasticity.eta", 0.1)
    ('rule.eta', 0.1)
    >>> present_key("lifetime.plasticity.modulation", "internal")
    ('rule.name', 'node_perturbation_network')
    >>> present_key("evolution.alternate_halves", False)
    ('curriculum', 'uniform')
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
    for key, value in leaves(values):
        new, changed = present_key(key, value)
        if new != key:
            found.append(f"{key} -> {new}")
        require(
            not any(_same(new, given) for given, _ in leaves(result)),
            f"{source} gives {new} twice, once under the key of an earlier version; keep one",
        )
        put(result, new, changed, source)
    if found:
        logger.warning("%s has keys of an earlier version: %s", source, ", ".join(found))
    return result


def written_path_digest(
    config: Path, neutral: Sequence[str], standing: Mapping[str, Any] = MappingProxyType({})
) -> str:
    """The path digest that an earlier version gave a checkpoint, from the file beside it.

    It was taken over the dotted keys of that time, which a resolved configuration holds all; keys
    that came since are not in it.

    Args:
        config: the resolved configuration of a run.
        neutral: keys that the digest leaves out.
        standing: keys with values that they have in the digest, whatever is written.

    Raises:
        UsageError: the file cannot be read.
    """
    values = dict(leaves(read_mapping(config, "configuration file"))) | dict(standing)
    kept = {key: value for key, value in values.items() if not within(key, neutral)}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:16]


def _same(key: str, other: str) -> bool:
    """Whether two keys name one thing: a name alone is the name of its section."""
    return key.removesuffix(".name") == other.removesuffix(".name")


def _sections(key: str) -> Iterator[str]:
    """The sections that a key lies in, the innermost first."""
    while "." in key:
        key = key.rpartition(".")[0]
        yield key
