"""Suite files: YAML that is read strictly, with errors that name the file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from evoplastic.checks import UsageError, nearest, require, require_known
from tasks.two_stimulus import NAMES, TABLES

SUITE_FOLDER = Path(__file__).parent / "suites"
KEYS = ("name", "description", "table", "train", "held_out")


@dataclass(frozen=True, kw_only=True)
class SuiteFile:
    """The content of a suite file; task names and table are known ones."""

    name: str
    description: str
    table: str
    train: tuple[str, ...]
    held_out: tuple[str, ...]


def known_suite_files() -> dict[str, Path]:
    """The suite files that come with the package, by name."""
    return {path.stem: path for path in sorted(SUITE_FOLDER.glob("*.yaml"))}


def read_suite_file(name_or_path: str | Path) -> SuiteFile:
    """Read a suite by the name of one of ours or by path.

    Raises:
        UsageError: no such suite or file, or a file that is not a suite.
    """
    known = known_suite_files()
    path = known.get(str(name_or_path), Path(name_or_path))
    looks_like_path = path.suffix in (".yaml", ".yml") or len(path.parts) > 1
    require(
        looks_like_path,
        f"unknown suite {str(name_or_path)!r}; {nearest(str(name_or_path), known)}, "
        "or give the path of a suite file ending in .yaml",
    )
    require(path.is_file(), f"suite file {path} does not exist; known suites: {', '.join(known)}")
    return _checked(_parsed(path), path)


def _parsed(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as fault:
        raise UsageError(f"suite file {path} is not valid YAML: {fault}") from fault
    require(
        isinstance(content, dict),
        f"suite file {path} holds {type(content).__name__}, expected the keys {', '.join(KEYS)}",
    )
    for key in content:
        require_known(f"key in suite file {path}:", str(key), KEYS)
    missing = [key for key in KEYS if key not in content and key not in ("description", "table")]
    require(not missing, f"suite file {path} lacks {', '.join(missing)}")
    return {"description": "", "table": TABLES[0], **content}


def _checked(content: dict[str, Any], path: Path) -> SuiteFile:
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
        require_known(f"task in {key} of suite file {path}:", name, NAMES)
    return tuple(names)
