"""Which meta-tasks of a generated world are trained on, and which are held out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from evoplastic.checks import require, require_known
from evoplastic.random.counters import Purpose, words
from evoplastic.reading import read_text
from tasks.machines.generated.canonical import canonical_form
from tasks.machines.metatasks.catalogue import META_TASKS, PREFIX
from tasks.machines.metatasks.collection import MOST_BYTES, is_collection, members
from tasks.machines.metatasks.reading import read_meta_task

FAMILIES: dict[str, tuple[str, ...]] = {
    "bandit": ("independent-bandit", "dependent-bandit", "reversal-bandit"),
    "harlow": ("harlow",),
    "t-maze": ("t-maze",),
    "two-step": ("two-step",),
    "key-door": ("key-door",),
}
TRAINED, UNSEEN = "trained", "unseen"  # families of generated meta-tasks
ORDER = 1  # epoch of the words that put meta-tasks into a random order


class WorldSplit(NamedTuple):
    """Names of meta-tasks of a world, and of known ones that are held out with them."""

    train: tuple[str, ...]
    held_out: tuple[str, ...]
    known: tuple[str, ...]  # held out, as `meta/NAME`
    left_out: tuple[str, ...]  # generated ones that are a known held-out one under other names


def split_world(
    path: Path, train: int, hold_out: int, families: tuple[str, ...] = (), seed: int = 0
) -> WorldSplit:
    """Draw the split by seed; whatever is held out is no training task under other names.

    Args:
        path: a file of `evoplastic tasks generate`.
        train: how many to train on.
        hold_out: how many to hold out.
        families: known families (`FAMILIES`) that are held out as a whole.
        seed: of the order in which they are taken.

    Raises:
        UsageError: no such file or family, too few meta-tasks, or two that are the same.
    """
    for name in families:
        require_known("family of meta-tasks", name, FAMILIES)
    where = f"meta-task file {path}"
    text = read_text(path, "meta-task file", MOST_BYTES)
    require(
        is_collection(text),
        f"{where} holds a single meta-task, expected a file of evoplastic tasks generate",
    )
    known = [name for family in families for name in FAMILIES[family]]
    taken = {canonical_form(META_TASKS[name]().machine()): f"{PREFIX}{name}" for name in known}
    forms = {
        name: canonical_form(read_meta_task(path, text, name).machine()) for name in members(text)
    }
    left_out = tuple(name for name, form in forms.items() if form in taken)
    names = [name for name in forms if name not in left_out]
    require(
        hold_out + len(known) >= 1,
        "nothing is held out; give --hold-out a number, or --hold-out-family a family",
    )
    require(
        train >= 1 and hold_out >= 0 and train + hold_out <= len(names),
        f"{where} has {len(names)} meta-tasks, {train} to train on and {hold_out} to hold out were "
        "asked for; generate more, or take fewer",
    )
    luck = [tuple(words(seed, Purpose.WORLD, ORDER, n, 0, 4).tolist()) for n in range(len(names))]
    order = [name for _, name in sorted(zip(luck, names, strict=True))]
    held_out, trained = order[:hold_out], order[hold_out : hold_out + train]
    form_of = {forms[name]: name for name in trained}
    for name in held_out:
        require(
            forms[name] not in form_of,
            f"{where}: {name} and {form_of.get(forms[name])} are the same but for names, one would "
            "be held out and the other trained on; remove one of the two",
        )
    known_words = tuple(f"{PREFIX}{name}" for name in known)
    return WorldSplit(tuple(trained), tuple(held_out), known_words, left_out)


def suite_text(split: WorldSplit, world: Path, out: Path) -> str:
    """A suite file that lists the split, in families; the world is looked up beside it.

    Trained on is the family `trained`; held out are `unseen`, generated as those, and each known
    family, whose scores are told apart.
    """
    import yaml

    beside = Path(os.path.relpath(world, out.parent)).as_posix()
    families = {TRAINED: [f"{beside}:{name}" for name in split.train]}
    if split.held_out:
        families[UNSEEN] = [f"{beside}:{name}" for name in split.held_out]
    for family, names in FAMILIES.items():
        known = [f"{PREFIX}{name}" for name in names if f"{PREFIX}{name}" in split.known]
        if known:
            families[family] = known
    content = {
        "name": out.stem,
        "description": f"{len(split.train)} generated meta-tasks; others and known ones held out",
        "pacing": "self_paced",
        "families": families,
        "held_out_family": [name for name in families if name != TRAINED],
    }
    return str(yaml.safe_dump(content, sort_keys=False, width=98))
