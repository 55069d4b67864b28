"""Suite files: YAML that is read strictly, with errors that name the file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from evoplastic.checks import UsageError, nearest, require, require_known
from tasks.suites.free_suite_file import FREE_KEYS, ONLY_FREE, FreeSuiteFile, read_free_suite
from tasks.two_stimulus.task import NAMES, TABLES

SUITE_FOLDER = Path(__file__).parent
KEYS = ("name", "description", "kind", "table", "train", "held_out")
KINDS = ("paced", "free")


@dataclass(frozen=True, kw_only=True)
class SuiteFile:
    """The content of a file of two-stimulus tasks; task names and table are known ones."""

    name: str
    description: str
    table: str
    train: tuple[str, ...]
    held_out: tuple[str, ...]


def known_suite_files() -> dict[str, Path]:
    """The suite files that come with the package, by name."""
    return {path.stem: path for path in sorted(SUITE_FOLDER.glob("*.yaml"))}


def read_suite_file(name_or_path: str | Path) -> SuiteFile | FreeSuiteFile:
    """Read a suite by the name of one of ours or by path.

    The name or path of a suite with families may end in the one to hold out: `yang19/context`.

    Raises:
        UsageError: no such suite or file, or a file that is not a suite.
    """
    path, family = _find(str(name_or_path))
    content = _parsed(path)
    if content.pop("kind") == "free":
        return read_free_suite(content, path, family)
    require(
        family is None,
        f"suite {path.stem!r} has no families, so {str(name_or_path)!r} cannot hold one out",
    )
    return _checked(content, path)


def _find(name: str) -> tuple[Path, str | None]:
    """The file, and the family to hold out if the name asks for one."""
    known = known_suite_files()
    if name in known:
        return known[name], None
    whole, slash, family = name.rpartition("/")
    if slash and family and (whole in known or Path(whole).is_file()):
        return known.get(whole, Path(whole)), family
    path = Path(name)
    looks_like_path = path.suffix in (".yaml", ".yml") or len(path.parts) > 1
    require(
        looks_like_path,
        f"unknown suite {name!r}; {nearest(name, known)}, "
        "or give the path of a suite file ending in .yaml",
    )
    require(path.is_file(), f"suite file {path} does not exist; known suites: {', '.join(known)}")
    return path, None


def _parsed(path: Path) -> dict[str, Any]:
    """The content, its `kind` said or told by keys that only free-running suites have."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as fault:
        raise UsageError(f"suite file {path} is not valid YAML: {fault}") from fault
    require(
        isinstance(content, dict),
        f"suite file {path} holds {type(content).__name__}, expected the keys {', '.join(KEYS)}",
    )
    kind = content.get("kind", "free" if set(content) & ONLY_FREE else "paced")
    require_known(f"kind in suite file {path}:", str(kind), KINDS)
    keys = FREE_KEYS if kind == "free" else KEYS
    hints = keys if "kind" in content else {*KEYS, *FREE_KEYS}
    for key in map(str, content):
        require(
            key in keys,
            f"unknown key in suite file {path}: {key!r}; {nearest(key, hints)}",
        )
    return {**content, "kind": kind}


def _checked(given: dict[str, Any], path: Path) -> SuiteFile:
    missing = [key for key in ("name", "train", "held_out") if key not in given]
    require(not missing, f"suite file {path} lacks {', '.join(missing)}")
    content = {"description": "", "table": TABLES[0], **given}
    for key in ("name", "description", "table"):
        require(
            isinstance(content[key], str),
            f"suite file {path}: {key} is {content[key]!r}, expected text",
        )
    require_known(f"table in suite file {path}:", content["table"], TABLES)
    return SuiteFile(
        name=content["name"],
        description=content["description"],
        table=content["table"],
        train=_task_names(content["train"], "train", path),
        held_out=_task_names(content["held_out"], "held_out", path),
    )


def _task_names(names: Any, key: str, path: Path) -> tuple[str, ...]:
    require(
        isinstance(names, list),
        f"suite file {path}: {key} is {names!r}, expected a list of task names",
    )
    for name in names:
        # YAML reads a bare 01 as the number 1 and a bare 10 as the number 10.
        require(
            isinstance(name, str),
            f"suite file {path}: {key} lists {name!r}, which is not text; "
            'put task names that look like numbers in quotes, as in "01"',
        )
        require(
            name in NAMES,
            f"unknown task in {key} of suite file {path}: {name!r}; {nearest(name, NAMES)}; a "
            "suite of other tasks says kind: free",
        )
    return tuple(names)
