"""Every key of a configuration, with its sentence, read off the dataclasses' schema."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from cluster.config.run import RunConfig, config_schema
from cluster.config.tables import TABLES

Schema = Mapping[str, Any]

INTRODUCTION = """\
# Configuration

Every key that a recipe or a configuration file may hold, read off the code when this site is
built. What a file does not name keeps its default. On the command line, `key=value` sets a key
by its dotted name:

```
evoplastic evolve laptop seed=7 search.popsize=200
```

`evoplastic config show RECIPE` prints a recipe with all its defaults, `evoplastic config
schema` this page for programs. A default of *the rule's own* is that which `evoplastic rules
show NAME` tells.
"""
NAMES = {"integer": "whole number", "number": "number", "boolean": "true, false", "string": "text"}


def configuration_page() -> str:
    """The page in Markdown."""
    schema = config_schema()
    return "\n".join([INTRODUCTION, *_Sections(schema["$defs"]).of("", schema)])


class _Sections:
    """Tables of keys, one for each section; sections within sections follow."""

    def __init__(self, definitions: Mapping[str, Schema]) -> None:
        self._definitions = definitions
        self._shown: set[str] = set()

    def of(self, path: str, section: Schema) -> Iterator[str]:
        """The table of a section, then those of the sections in it."""
        plain: list[str] = []
        inner: list[tuple[str, Schema]] = []
        for key, value in section["properties"].items():
            below = self._sections_of(value)
            inner += [(f"{path}{key}", each) for each in below]
            plain.append(self._row(key, value, bool(below)))
        yield "| key | what it is | value | default |\n|---|---|---|---|"
        yield "\n".join(plain) + "\n"
        for key, each in inner:
            yield from self._section(key, each)

    def _section(self, key: str, section: Schema) -> Iterator[str]:
        title = str(section["title"])
        if title in self._shown:
            return
        self._shown.add(title)
        chosen = section["properties"].get("name", {}).get("const")
        heading = f"`{key}`" + (f", if `name` is `{chosen}`" if chosen else "")
        yield f"## {heading}\n"
        yield f"{section.get('description', '')}\n"
        yield from self.of(f"{key}.", section)

    def _sections_of(self, value: Schema) -> list[Schema]:
        """The sections that may stand at a key, by themselves, in a list or under names."""
        if "$ref" in value:
            return [self._definitions[value["$ref"].rpartition("/")[2]]]
        choices = [*value.get("anyOf", ())]
        for held in ("items", "additionalProperties"):
            if isinstance(value.get(held), Mapping):
                choices.append(value[held])
        return [section for choice in choices for section in self._sections_of(choice)]

    def _row(self, key: str, value: Schema, has_sections: bool) -> str:
        default = value.get("default")
        if key in TABLES:
            shown = f"`{RunConfig.model_fields[key].get_default(call_default_factory=True).name}`"
        elif "default" not in value or (has_sections and isinstance(default, Mapping)):
            shown = ""
        else:
            shown = "none" if default is None else f"`{json.dumps(default)}`"
        words = " ".join(str(value.get("description", "")).split())
        return f"| `{key}` | {_cell(words)} | {self._kind(value)} | {shown} |"

    def _kind(self, value: Schema) -> str:
        if "$ref" in value:
            return "section"
        if "const" in value:
            return f"`{value['const']}`"
        if "enum" in value:
            return ", ".join(f"`{each}`" for each in value["enum"])
        if "anyOf" in value:
            kinds = [self._kind(each) for each in value["anyOf"] if each.get("type") != "null"]
            return " or ".join(dict.fromkeys(kinds))
        if value.get("type") == "array":
            return f"list of {self._kind(value.get('items', {}))}"
        if value.get("type") == "object":
            held = value.get("additionalProperties")
            return f"names, each with {self._kind(held if isinstance(held, Mapping) else {})}"
        return ", ".join([NAMES.get(str(value.get("type")), "any"), *_bounds(value)])


def _bounds(value: Schema) -> Iterator[str]:
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    for name, sign in signs.items():
        if name in value:
            bound = value[name]
            large = isinstance(bound, int) and bound > 10**9 and bound & (bound - 1) == 0
            yield f"{sign} {f'2^{bound.bit_length() - 1}' if large else bound}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
