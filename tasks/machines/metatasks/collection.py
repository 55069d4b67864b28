"""Many meta-tasks in one file: `my_world.yaml`, of which `my_world.yaml:w17` means one.

The file is a stream of YAML documents between lines of `---`. The first says what was generated,
each other one is a meta-task as `reading.py` takes it, and begins with its name. Only the document
that is asked for is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

from evoplastic.checks import nearest, require

SUFFIXES = (".yaml", ".yml", ".json")
BETWEEN = "---\n"
MOST_BYTES = 1 << 24  # of a collection
_MEMBER = re.compile(rf"(.+(?:{'|'.join(map(re.escape, SUFFIXES))})):([^:/\\]+)")


def split_word(word: str) -> tuple[Path, str | None] | None:
    """The file that a word names, and one of its meta-tasks; None where it is another kind of word.

    >>> split_word("worlds/maze.yaml"), split_word("meta/harlow")
    ((PosixPath('worlds/maze.yaml'), None), None)
    >>> split_word("my_world.yaml:w17")
    (PosixPath('my_world.yaml'), 'w17')
    """
    found = _MEMBER.fullmatch(word)
    if found is not None:
        return Path(found[1]), found[2]
    return (Path(word), None) if word.endswith(SUFFIXES) else None


def as_collection(header: str, documents: Iterable[str]) -> str:
    """The text of a file with a header and meta-tasks, each the text of a file of its own."""
    return "".join(f"{BETWEEN}{text.rstrip()}\n" for text in (header, *documents))


def is_collection(text: str) -> bool:
    """Whether a text holds many meta-tasks."""
    return text.startswith(BETWEEN) and f"\n{BETWEEN}" in text


def header_of(text: str) -> str | None:
    """The first document of a collection; None of the text of a single meta-task."""
    return text.removeprefix(BETWEEN).partition(f"\n{BETWEEN}")[0] if is_collection(text) else None


@lru_cache(maxsize=4)
def members(text: str) -> Mapping[str, str]:
    """The text of each meta-task of a collection, by name."""
    documents = text.removeprefix(BETWEEN).split(f"\n{BETWEEN}")[1:]
    return {_name(each): f"{each.rstrip()}\n" for each in documents}


def member(text: str, name: str | None, where: str) -> str:
    """The text of one meta-task.

    Args:
        text: of a file.
        name: of the meta-task; None = the file holds a single one.
        where: what the file is, for messages.

    Raises:
        UsageError: no such meta-task, or none named where there are many.
    """
    if not is_collection(text):
        require(
            name is None,
            f"{where} holds a single meta-task, and {name!r} of it was asked for; leave :{name} "
            "out",
        )
        return text
    known = members(text)
    names = list(known)
    require(
        name is not None,
        f"{where} holds {len(known)} meta-tasks ({', '.join(names[:3])}, ...); name one, as in "
        f"{where.rpartition(' ')[2]}:{names[0]}",
    )
    hint = "" if name in known else nearest(str(name), names)
    require(name in known, f"{where} has no meta-task {name!r}, but {len(known)} others; {hint}")
    return known[str(name)]


def _name(document: str) -> str:
    return document.partition("\n")[0].removeprefix("name:").strip().strip("'\"")
