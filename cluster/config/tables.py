"""Sections that choose an entry of a table: their options are those of the chosen entry."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any, Literal, TypeVar, Union

from pydantic import BaseModel, Field, create_model

from evoplastic.checks import require_known
from evoplastic.entries import Entry
from evoplastic.search.catalogue import SEARCHES
from tasks.curricula.catalogue import CURRICULA

Model = TypeVar("Model", bound=BaseModel)

TABLES: dict[str, Mapping[str, Entry[Any]]] = {"search": SEARCHES, "curriculum": CURRICULA}


def with_chosen(model: type[Model], values: dict[str, Any]) -> type[Model]:
    """The model with the options of the entries that the values choose.

    Args:
        model: has a field of any type for each table, whose default is the default entry's options.
        values: settings with sections, not names alone; a section that is missing is added.

    Raises:
        UsageError: a section names an entry that its table does not have.
    """
    options: list[Any] = []
    for key, entries in TABLES.items():
        section = values.setdefault(key, {})
        default = model.model_fields[key].get_default(call_default_factory=True)
        name = section.get("name", default.name) if isinstance(section, Mapping) else default.name
        require_known(key, name, entries)
        options.append(entries[name].options)
    return _with(model, *options)


def with_every_entry(model: type[Model]) -> type[Model]:
    """The model with the options of any entry, each with its sentence and source, for a schema."""
    return _with(model, *(_name_or_section(entries) for entries in TABLES.values()))


def _known(entries: Mapping[str, Entry[Any]]) -> str:
    return "; ".join(f"{name}: {entry.title} ({entry.source})" for name, entry in entries.items())


@lru_cache
def _with(model: type[Model], *options: Any) -> type[Model]:
    fields: dict[str, Any] = {}
    for key, kind in zip(TABLES, options, strict=True):
        written = model.model_fields[key]
        default = partial(written.get_default, call_default_factory=True)
        description = f"{written.description} Known are {_known(TABLES[key])}."
        fields[key] = (kind, Field(default_factory=default, description=description))
    return create_model(model.__name__, __base__=model, __module__=__name__, **fields)


def _name_or_section(entries: Mapping[str, Entry[Any]]) -> Any:
    sections = tuple(entry.options for entry in entries.values())
    return Union[(Literal[tuple(entries)], *sections)]
