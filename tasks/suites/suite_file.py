"""Suite files: YAML that is read strictly, with errors that name the file.

    name: mine
    pacing: self_paced            # or fixed_timing, for two-stimulus tasks
    families:
      reach: [yang19.go, yang19.anti]
      own: ["my_task.py:MyTask", "my_machines.py:DOORS", {task: "my_task.py:MyTask", name: slow,
            set: {wait_ms: 300}}]
    held_out_family: reach        # or several, [reach, own]; another one by name: mine.yaml/own
    # of self-paced tasks only:
    dt_ms: 20                     # one time step for all tasks (default 20)
    defaults: {set: {dim_ring: 4}}  # constructor settings of every task
    rule_cue: false               # true: a line for each task says which one it is
    permute: none                 # inputs, actions, both: exchange lines anew in every lifetime
    # of fixed timing only:
    table: intended               # truth table of two-stimulus tasks, or published

A lifetime may be a stream, a sequence of tasks without a cue (`tasks.suites.streams.reader`):

    train: [{stream: [and, or, and], trials: [200, 200, 100], probes: 20}]

Instead of families, `train` and `held_out` list the tasks, or `combinations` and `withheld` say
which of a product of factors are meant (`tasks.suites.roles`). A `file.py:Name` is looked up beside
the suite file first. Where the pacing is not said, keys that only self-paced tasks have tell it.
Files of earlier versions say `kind: paced` or `kind: free`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, get_args

from evoplastic.checks import nearest, require, require_known
from evoplastic.reading import parse_yaml, read_mapping
from evoplastic.trials.wiring import Permute
from tasks.neurogym.task import DEFAULT_DT_MS
from tasks.suites.roles import COMBINATION_KEYS, FAMILY_KEYS, read_roles
from tasks.suites.split import Pacing, SuiteTask
from tasks.suites.streams.reader import StreamReader
from tasks.suites.task_lists import SelfPacedReader, TaskReader, TwoStimulusReader, settings_of
from tasks.two_stimulus.task import TABLES

logger = logging.getLogger(__name__)

SUITE_FOLDER = Path(__file__).parent
COMMON = ("name", "description", "pacing", "kind", "train", "held_out")
KEYS: dict[Pacing, tuple[str, ...]] = {
    "fixed_timing": (*COMMON, "table", *FAMILY_KEYS, *COMBINATION_KEYS),
    "self_paced": (*COMMON, *FAMILY_KEYS, "dt_ms", "defaults", "rule_cue", "permute"),
}
TELLING = {
    "dt_ms",
    "defaults",
    "rule_cue",
    "permute",
    *FAMILY_KEYS,
}  # self-paced, if nothing is said
OLD_KINDS: dict[str, Pacing] = {"paced": "fixed_timing", "free": "self_paced"}
_noted: set[Path] = set()  # files of an earlier version are noted once per process


@dataclass(frozen=True, kw_only=True)
class SuiteFile:
    """The content of a suite file; whether self-paced tasks exist is not looked up."""

    name: str
    description: str
    pacing: Pacing
    train: tuple[SuiteTask, ...]
    held_out: tuple[SuiteTask, ...]
    table: str | None  # of two-stimulus tasks; None for others
    families: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # names of their tasks
    held_out_families: tuple[str, ...] = ()
    groups: Mapping[str, str] = field(default_factory=dict)
    rule_cue: bool = False
    permute: Permute = "none"


def known_suite_files() -> dict[str, Path]:
    """The suite files that come with the package, by name."""
    return {path.stem: path for path in sorted(SUITE_FOLDER.glob("*.yaml"))}


class KeptSuite(NamedTuple):
    """A suite file as it was when something was made from it."""

    path: Path  # absolute, where it was
    text: str
    family: str | None  # that it was asked to hold out
    folder: Path  # absolute: the working directory of that time
    code: frozenset[Path]  # absolute paths of the files of tasks, which are kept as well


def read_suite_file(
    name_or_path: str | Path, table: str | None = None, kept: KeptSuite | None = None
) -> SuiteFile:
    """Read a suite by the name of one of ours or by path.

    The name or path of a suite with families may end in the one to hold out: `yang19/context`.

    Args:
        name_or_path: which suite.
        table: truth table of two-stimulus tasks, in place of the file's.
        kept: a text that is read in place of the file.

    Raises:
        UsageError: no such suite or file, or a file that is not a suite.
    """
    if kept is None:
        path, family = find_suite_file(str(name_or_path))
        content = read_mapping(path, "suite file")
    else:
        path, family = kept.path, kept.family
        value = parse_yaml(kept.text, f"what was kept of suite file {path}")
        require(isinstance(value, dict), f"what was kept of suite file {path} is no suite")
        content = value
    pacing = _pacing(content, path)
    for key in map(str, content):
        said = "pacing" in content or "kind" in content
        hints = KEYS[pacing] if said else {*KEYS["fixed_timing"], *KEYS["self_paced"]}
        require(
            key in KEYS[pacing],
            f"unknown key in suite file {path}: {key!r}; {nearest(key, hints)}",
        )
    return _read(content, path, pacing, family, table, kept)


def find_suite_file(name: str) -> tuple[Path, str | None]:
    """The file, and the family to hold out if the name asks for one.

    Raises:
        UsageError: no such suite or file.
    """
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


def _pacing(content: Mapping[str, Any], path: Path) -> Pacing:
    """What the file says, now or in the words of earlier versions, or what its keys tell."""
    if "pacing" in content:
        require("kind" not in content, f"suite file {path} has pacing and kind, expected pacing")
        require_known(f"pacing in suite file {path}:", str(content["pacing"]), KEYS)
        return "fixed_timing" if content["pacing"] == "fixed_timing" else "self_paced"
    if "kind" in content:
        require_known(f"kind in suite file {path}:", str(content["kind"]), OLD_KINDS)
        pacing = OLD_KINDS[content["kind"]]
        if path not in _noted:
            _noted.add(path)
            logger.warning(
                "suite file %s says kind: %s, which is now pacing: %s; it is read as such",
                path,
                content["kind"],
                pacing,
            )
        return pacing
    return "self_paced" if set(content) & TELLING else "fixed_timing"


def _read(
    given: Mapping[str, Any],
    path: Path,
    pacing: Pacing,
    family: str | None,
    table: str | None,
    kept: KeptSuite | None,
) -> SuiteFile:
    defaults = {"description": "", "dt_ms": DEFAULT_DT_MS, "rule_cue": False, "permute": "none"}
    content = {"table": TABLES[0], **defaults, **given}
    for key in ("name", "description", "table"):
        _expect(content, path, key, isinstance(content.get(key), str), "text")
    _expect(content, path, "name", bool(content["name"].strip()), "a name")
    _expect(content, path, "rule_cue", isinstance(content["rule_cue"], bool), "true or false")
    require_known(f"permute in suite file {path}:", str(content["permute"]), get_args(Permute))
    require_known(f"table in suite file {path}:", content["table"], TABLES)
    reader = StreamReader(_reader(content, path, pacing, table, kept))
    roles = read_roles(given, family, reader)
    return SuiteFile(
        name=content["name"] if family is None else f"{content['name']}/{family}",
        description=content["description"],
        pacing=pacing,
        train=roles.train,
        held_out=roles.held_out,
        table=(table or content["table"]) if _has_table(content, pacing) else None,
        families=roles.families,
        held_out_families=roles.held_out_families,
        groups=roles.groups,
        rule_cue=content["rule_cue"],
        permute=content["permute"],
    )


def _reader(
    content: Mapping[str, Any],
    path: Path,
    pacing: Pacing,
    table: str | None,
    kept: KeptSuite | None,
) -> TaskReader:
    if _has_table(content, pacing):
        return TwoStimulusReader(path, table or content["table"])
    require(
        table in (None, TABLES[0]) or pacing == "self_paced",
        f"suite {content['name']!r} has combinations, whose truth tables are the intended ones; "
        f"leave the table {table!r} out",
    )
    if pacing == "fixed_timing":
        return TwoStimulusReader(path, TABLES[0])
    require(
        table in (None, TABLES[0]),
        f"suite {content['name']!r} is self-paced and has no table of its own; give its "
        f"two-stimulus tasks one by set: {{table: {table}}}",
    )
    dt_ms, defaults = content["dt_ms"], content.get("defaults", {})
    whole = isinstance(dt_ms, int) and not isinstance(dt_ms, bool) and dt_ms > 0
    _expect(content, path, "dt_ms", whole, "a whole number of ms")
    sound = isinstance(defaults, dict) and set(defaults) <= {"set"}
    _expect(content, path, "defaults", sound, "{set: {KEY: VALUE}}")
    settings = settings_of(defaults.get("set", {}), "defaults", path)
    places = () if kept is None else (path.parent, kept.folder)
    code = frozenset[Path]() if kept is None else kept.code
    return SelfPacedReader(path, settings, dt_ms, code, places)


def _has_table(content: Mapping[str, Any], pacing: Pacing) -> bool:
    return pacing == "fixed_timing" and "combinations" not in content


def _expect(
    content: Mapping[str, Any], path: Path, key: str, condition: bool, expected: str
) -> None:
    require(condition, f"suite file {path}: {key} is {content.get(key)!r}, expected {expected}")
