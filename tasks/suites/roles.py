"""What a suite file says of who is trained on and who is held out: by lists, families or factors.

train: [...]                                     # lists
held_out: [...]

families: {reach: [...], own: [...]}             # whole families
held_out_family: reach                           # or several: [reach, own]

combinations: {rule: [and, same], delay: [none, long], modality: [a, b]}   # all of a product
withheld: [{rule: same, delay: long, modality: b}]                         # but these
cued: false                                      # true: a line for each level tells it
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from evoplastic.checks import UsageError, require, require_known
from tasks.suites.split import SuiteTask
from tasks.suites.task_lists import TaskReader
from tasks.two_stimulus.combinations.withholding import withhold

FAMILY_KEYS = ("families", "held_out_family")
COMBINATION_KEYS = ("combinations", "withheld", "cued")


class Roles(NamedTuple):
    """Tasks in their roles."""

    train: tuple[SuiteTask, ...]
    held_out: tuple[SuiteTask, ...]
    families: Mapping[str, tuple[str, ...]] = {}  # names of their tasks
    held_out_families: tuple[str, ...] = ()
    groups: Mapping[str, str] = {}  # of held-out tasks: what their scores are told apart by


def read_roles(content: Mapping[str, Any], family: str | None, reader: TaskReader) -> Roles:
    """The tasks of a file.

    Args:
        content: of the file, whose keys are known.
        family: that is asked to be held out, in place of the file's.
        reader: of lists of tasks.

    Raises:
        UsageError: a split that cannot be read, or is none; with the file.
    """
    path = reader.path
    ways = [key for key in ("families", "combinations") if key in content]
    for key in ("train", "held_out") if ways else ():
        require(
            key not in content,
            f"suite file {path} has {key} and {ways[0]}, expected one of the two; what {ways[0]} "
            "name is either held out or trained on",
        )
    require(len(ways) < 2, f"suite file {path} has families and combinations, expected one of them")
    require(
        "families" in content or (family is None and "held_out_family" not in content),
        f"suite file {path} has no families, so it cannot hold one out "
        f"({family or content.get('held_out_family')!r})",
    )
    if "families" in content:
        return _of_families(content, family, reader)
    if "combinations" in content:
        return _of_combinations(content, path)
    for key in ("withheld", "cued"):
        require(
            key not in content, f"suite file {path} has {key} without combinations; leave it out"
        )
    missing = [key for key in ("train", "held_out") if key not in content]
    require(
        not missing, f"suite file {path} lacks {', '.join(missing)} (or families, or combinations)"
    )
    return Roles(
        tuple(reader.tasks(content["train"], "train")),
        tuple(reader.tasks(content["held_out"], "held_out")),
    )


def _of_families(content: Mapping[str, Any], family: str | None, reader: TaskReader) -> Roles:
    listed, path = content["families"], reader.path
    sound = isinstance(listed, dict) and all(isinstance(name, str) for name in listed)
    require(
        sound and bool(listed),
        f"suite file {path}: families is {listed!r}, expected {{NAME: [tasks]}}",
    )
    families = {name: reader.tasks(tasks, f"family {name}") for name, tasks in listed.items()}
    said = family or content.get("held_out_family") or []
    chosen = tuple(map(str, said if isinstance(said, list) else [said]))
    require(
        len(chosen) > 0,
        f"suite file {path} has families and no held_out_family; it may be any of "
        f"{', '.join(families)}, or several of them",
    )
    for name in chosen:
        require_known(f"family of suite file {path}:", name, families)
    names = {name: tuple(task.name for task in tasks) for name, tasks in families.items()}
    groups = {task: name for name in chosen for task in names[name]}
    return Roles(
        tuple(task for name, tasks in families.items() if name not in chosen for task in tasks),
        tuple(task for name, tasks in families.items() if name in chosen for task in tasks),
        names,
        chosen,
        groups if len(chosen) > 1 else {},
    )


def _of_combinations(content: Mapping[str, Any], path: Path) -> Roles:
    factors, withheld = content["combinations"], content.get("withheld", [])
    cued = content.get("cued", False)
    require(
        isinstance(factors, dict)
        and bool(factors)
        and all(
            isinstance(factor, str) and isinstance(levels, list) and all(map(_is_text, levels))
            for factor, levels in factors.items()
        ),
        f"suite file {path}: combinations is {factors!r}, expected {{FACTOR: [LEVEL, ...]}}",
    )
    require(
        isinstance(withheld, list)
        and all(isinstance(each, dict) and all(map(_is_text, each.values())) for each in withheld),
        f"suite file {path}: withheld is {withheld!r}, expected a list of {{FACTOR: LEVEL, ...}}",
    )
    require(isinstance(cued, bool), f"suite file {path}: cued is {cued!r}, expected true or false")
    require(
        "table" not in content,
        f"suite file {path} has combinations, whose truth tables are the intended ones; leave "
        "table out",
    )
    try:
        split = withhold(factors, withheld, cued=cued)
    except UsageError as error:
        raise UsageError(f"suite file {path}: {error}") from error
    groups = {name: f"{new} new together" for name, new in split.new_together.items()}
    return Roles(split.train, split.held_out, groups=groups)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)
