"""By what a run is known in a store: a name with what is its own, and tags that group runs.

Two runs have one setting if they differ in nothing but seed, name and machinery.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from cluster.config.legacy import modernised
from cluster.config.run import AS_TYPED, RunConfig, known_recipes, load_config
from cluster.config.values import NAMED, leaves, within
from evoplastic.checks import UsageError
from evoplastic.naming import short_keys
from evoplastic.records.events import StartEvent
from evoplastic.records.names import TAG_OVERRIDES, TAG_RECIPE, TAG_SETTING

# How work is cut and where it runs and is told of: no result depends on it.
MACHINERY = (
    "engine",
    "threads",
    "tracking",
    "pairs_per_shard",
    "evaluation.lifetimes_per_shard",
    "evaluation.genomes_mib",
    "evaluation.pedigree_mib",
)
# What is measured and when a run gives up leave the evolved networks as they are.
NO_SETTING = ("name", "seed", *MACHINERY, "evaluation", "evolution.flat_generations")
SHOWN = 3  # overrides in a name
FIRST_DIGITS = 8  # of a genome's digest, in a name
LONGEST = 96  # characters of a name


def parameters(config: dict[str, Any]) -> dict[str, Any]:
    """The settings of a run by dotted path, without machinery."""
    hidden = (*MACHINERY, "imitation.matrix")
    return {key: value for key, value in _flat(config).items() if not within(key, hidden)}


def setting_digest(config: dict[str, Any]) -> str:
    """SHA-256 (16 hexadecimal digits) of all settings but seed, name and machinery.

    How long a run is does enter, what it measures does not, nor how a file or genome was named
    whose contents count.
    """
    left_out = (*NO_SETTING, *AS_TYPED)
    kept = {key: value for key, value in _flat(config).items() if not within(key, left_out)}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:16]


def overrides(config: dict[str, Any]) -> dict[str, Any]:
    """What differs from the recipe of the run's name, but for seed and machinery, as one would say.

    Another search is `search=snes`, and of its options those that are not its defaults. Nothing for
    a run whose name is that of no recipe: its settings are its own.
    """
    flat = _flat(config)
    name = flat.get("name")
    if name not in known_recipes():
        return {}
    recipe, others = _with_entries(load_config(str(name)), flat)
    left_out = ("name", "seed", *MACHINERY, "warm_start.given")
    return others | {
        key: value
        for key, value in flat.items()
        if recipe.get(key) != value and not within(key, left_out)
    }


def _with_entries(recipe: RunConfig, flat: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """A recipe with the entries of tables that a run has, and those that the recipe has not."""
    others: dict[str, str] = {}
    found = recipe.flat()
    for section in NAMED:
        entry = flat.get(f"{section}.name")
        if not isinstance(entry, str) or entry == found.get(f"{section}.name"):
            continue
        taken = others | {section: entry}
        words = [f"{key}={value}" for key, value in taken.items()]
        try:
            found = load_config(recipe.name, words).flat()
        except UsageError:  # of a file, or it needs other settings beside
            continue
        others = taken
    return found, others


def run_name(start: StartEvent, config: dict[str, Any]) -> str:
    """The name of the recipe with the seed, and what differs from the recipe.

    `laptop-seed7`, `laptop-seed7 sigma=0.05 popsize=200`; of many differences the first few.
    """
    differing = overrides(config)
    start_of = differing.pop("warm_start.genome", None)
    words = [f"from={_word(start_of)[:FIRST_DIGITS]}"] if start_of else []
    words += [
        f"{key}={_word(value)}"
        for key, value in zip(short_keys(list(differing)), differing.values(), strict=True)
    ]
    more = [f"+{len(words) - SHOWN}"] if len(words) > SHOWN else []
    name = " ".join([f"{start.name}-seed{start.seed}", *words[:SHOWN], *more])
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"


def identity_tags(config: dict[str, Any]) -> dict[str, str]:
    """Tags that tell runs of one setting from others."""
    differing = overrides(config)
    written = " ".join(f"{key}={_word(value)}" for key, value in differing.items())
    tags = {TAG_SETTING: setting_digest(config), TAG_OVERRIDES: written}
    name = config.get("name")
    return tags | ({TAG_RECIPE: str(name)} if name in known_recipes() else {})


def _flat(config: dict[str, Any]) -> dict[str, Any]:
    """Settings by dotted path, those of old runs under their present names."""
    values = {
        key: {"name": value} if key in NAMED and isinstance(value, str) else value
        for key, value in modernised(config, "the configuration").items()
    }
    found = dict(leaves(values))
    for section in ("imitation", "poet"):
        if found.get(section, ...) is None:
            del found[section]  # digests and pages are those of before it was known
    return found


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
