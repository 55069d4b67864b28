"""The one reader of files and words that a user gives: text within limits, then plain values.

Whatever passes is a tree of mappings with text as keys, lists, text, whole numbers, finite numbers,
true, false and null: not too large, not too deep, nothing that a later step would stumble over.
YAML is read without what it would make of text by itself (dates) or by a tag, and an alias counts
as much as what it stands for.
"""

from __future__ import annotations

import json
import math
import stat
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

from evoplastic.checks import UsageError, require

MOST_BYTES = 1 << 17  # of a file that is written by hand; YAML takes a second for that
MOST_VALUES = 20_000  # in one tree, aliases written out
MOST_DEPTH = 24
MOST_TEXT = 20_000  # characters of one word
LARGEST = 1 << 64  # the largest number that means something: seeds lie below


def read_text(path: Path, what: str, most_bytes: int = MOST_BYTES) -> str:
    """The text of a file.

    Args:
        path: any path; a folder, a pipe or a device is refused, not waited for.
        what: what the file is, for messages: "suite file".
        most_bytes: the largest size taken.

    Raises:
        UsageError: no such file, no plain file, too large, or not UTF-8.
    """
    try:
        require(
            stat.S_ISREG(path.stat().st_mode), f"{what} {path} is not a file; give the path of one"
        )
        with path.open("rb") as file:
            content = file.read(most_bytes + 1)
        require(
            len(content) <= most_bytes,
            f"{what} {path} is larger than {most_bytes} bytes; is it the file you mean?",
        )
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{what} {path} is not UTF-8 text: {error}") from error
    except (OSError, ValueError) as error:
        if isinstance(error, UsageError):
            raise
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"{what} {str(path)!r} cannot be read: {reason}") from error


def parse_yaml(text: str, where: str, *, finite: bool = True) -> Any:
    """The value of a YAML text.

    Args:
        text: one document.
        where: what it is, for messages: "suite file mine.yaml".
        finite: whether infinities and NaN are refused here, or left to who knows their name.

    Raises:
        UsageError: not YAML, a tag, a key given twice or not text, or a value beyond the limits.

    >>> parse_yaml("a: {b: 2020-01-01, c: [1, 2.5]}", "here")
    {'a': {'b': '2020-01-01', 'c': [1, 2.5]}}
    """
    import yaml

    require(len(text) <= MOST_BYTES, f"{where} is longer than {MOST_BYTES} characters")
    try:
        return _unshared(require_plain(yaml.load(text, _loader()), where, finite=finite))
    except UsageError:
        raise
    except RecursionError as error:
        raise UsageError(f"{where} is nested deeper than {MOST_DEPTH} levels") from error
    except (yaml.YAMLError, ValueError, TypeError, OverflowError) as error:
        raise UsageError(f"{where} is not valid YAML: {error}") from error


def read_mapping(path: Path, what: str) -> dict[str, Any]:
    """The sections or keys of a YAML file.

    Args:
        path: as for `read_text`.
        what: as for `read_text`.

    Raises:
        UsageError: as `read_text` and `parse_yaml`, or a file that holds no mapping.
    """
    value = parse_yaml(read_text(path, what), f"{what} {path}")
    require(
        isinstance(value, dict),
        f"{what} {path} holds {type(value).__name__}, expected keys with values",
    )
    return dict(value)


def parse_json(text: str | bytes, where: str) -> Any:
    """The value of a JSON text; NaN and infinities are taken, as Python writes them.

    Raises:
        UsageError: not JSON, or a value beyond the limits.

    >>> parse_json('{"a": [1, null]}', "here")
    {'a': [1, None]}
    """
    try:
        return require_plain(json.loads(text), where, finite=False)
    except UsageError:
        raise
    except RecursionError as error:
        raise UsageError(f"{where} is nested deeper than {MOST_DEPTH} levels") from error
    except (ValueError, TypeError) as error:
        raise UsageError(f"{where} is not valid JSON: {error}") from error


def parse_object(text: str | bytes, where: str) -> dict[str, Any]:
    """The value of a JSON text that must be an object.

    Raises:
        UsageError: as `parse_json`, or another kind of value.
    """
    value = parse_json(text, where)
    require(
        isinstance(value, dict), f"{where} holds {type(value).__name__}, expected a JSON object"
    )
    return dict(value)


def require_plain(value: Any, where: str, *, finite: bool = True) -> Any:
    """The value, if it is a plain tree within the limits.

    Raises:
        UsageError: naming the place within the tree, dotted.
    """
    _size(value, "", 0, {}, where, finite)
    return value


def require_text(text: str, where: str) -> str:
    """The text, if it can be written to a file and is not endless.

    Raises:
        UsageError: half of a surrogate pair, a zero character, or too long.
    """
    require(len(text) <= MOST_TEXT, f"{where} is longer than {MOST_TEXT} characters")
    sound = "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)
    require(sound, f"{where} is {text[:60]!r}, which holds characters that no file can hold")
    return text


def _size(
    value: Any, place: str, depth: int, seen: dict[int, int], where: str, finite: bool
) -> int:
    """Values in a tree; one met again (an alias) counts again, without being walked again."""
    at = f"{where}: {place}" if place else where
    require(depth <= MOST_DEPTH, f"{at} is nested deeper than {MOST_DEPTH} levels")
    if isinstance(value, dict | list):
        if id(value) not in seen:
            seen[id(value)] = MOST_VALUES + 1  # until it is known: what holds itself is endless
            size = 1
            if isinstance(value, dict):
                _require_keys(value, at)
            for key, part in value.items() if isinstance(value, dict) else enumerate(value):
                size += _size(part, f"{place}.{key}".lstrip("."), depth + 1, seen, where, finite)
                require(size <= MOST_VALUES, f"{where} holds more than {MOST_VALUES} values")
            seen[id(value)] = size
        require(seen[id(value)] <= MOST_VALUES, f"{where} holds more than {MOST_VALUES} values")
        return seen[id(value)]
    if isinstance(value, str):
        require_text(value, at)
    elif isinstance(value, float):
        require(math.isfinite(value) or not finite, f"{at} is {value}, expected a finite number")
    elif isinstance(value, int):
        require(
            -LARGEST <= value <= LARGEST, f"{at} is a number of more than 64 bits; give a smaller"
        )
    else:
        require(value is None, f"{at} is {type(value).__name__}, expected text, a number or a list")
    return 1


def _unshared(value: Any) -> Any:
    """A copy in which every alias is a value of its own, so that a change to one stays there."""
    if isinstance(value, dict):
        return {key: _unshared(part) for key, part in value.items()}
    return [_unshared(part) for part in value] if isinstance(value, list) else value


def _require_keys(value: dict[Any, Any], at: str) -> None:
    for key in value:
        require(isinstance(key, str), f"{at} has the key {key!r}, expected text; put it in quotes")
        require_text(key, f"{at}: a key")


@cache
def _loader() -> Any:
    """PyYAML's safe loader without dates and tags, which refuses a key given twice."""
    import yaml

    class Loader(yaml.SafeLoader):
        depth = 0

        def compose_node(self, parent: Any, index: Any) -> Any:
            self.depth += 1
            if self.depth > 2 * MOST_DEPTH:
                raise yaml.YAMLError(f"nested deeper than {MOST_DEPTH} levels")
            try:
                return super().compose_node(parent, index)
            finally:
                self.depth -= 1

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            if isinstance(node, yaml.MappingNode):
                keys = Counter(
                    key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)
                )
                twice = [key for key, times in keys.items() if times > 1]
                if twice:
                    raise yaml.YAMLError(f"the key {twice[0]!r} is given twice")
            return super().construct_mapping(node, deep)

    Loader.yaml_implicit_resolvers = {
        first: [pair for pair in pairs if not pair[0].endswith((":timestamp", ":merge"))]
        for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    plain = ("bool", "int", "float", "null", "str", "seq", "map")
    Loader.yaml_constructors = {
        tag: make
        for tag, make in yaml.SafeLoader.yaml_constructors.items()
        if tag is None or tag.rpartition(":")[2] in plain
    }
    return Loader
