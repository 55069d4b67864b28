"""Validation errors of a configuration in plain words: the dotted path, the value, a way out."""

from __future__ import annotations

import dataclasses
import re
import typing

from pydantic import BaseModel, ValidationError

from cluster.config.values import NAMED
from evoplastic.checks import nearest
from evoplastic.rules.coefficients import Evolvable

UNKNOWN_KEY = ("extra_forbidden", "unexpected_keyword_argument")
EVOLVABLE = Evolvable.__name__  # what may stand where a number does
KINDS = ("float", EVOLVABLE)


def explain(error: ValidationError, root: type[BaseModel], source: str) -> str:
    """One line for each thing that is wrong, under the name of the file it was read from."""
    details = error.errors(include_url=False)
    lines = [_line(detail, root) for detail in details if not _of_other_kind(detail)]
    return "\n  ".join([f"{source}:", *lines]) if len(lines) > 1 else f"{source}: {lines[0]}"


def key_paths(model: type, prefix: str = "") -> dict[str, type]:
    """Every dotted path below a configuration class, with the class it lies in."""
    paths: dict[str, type] = {}
    for name, annotation in _fields(model).items():
        paths[f"{prefix}{name}"] = model
        for kind in _kinds(annotation):
            if _is_section(kind) and kind is not Evolvable:
                paths |= key_paths(kind, f"{prefix}{name}.")
    return paths


def _line(detail: typing.Any, root: type[BaseModel]) -> str:
    path = ".".join(str(part) for part in detail["loc"] if part not in KINDS)
    if detail["type"] in UNKNOWN_KEY:
        if EVOLVABLE in detail["loc"]:
            known = [field.name for field in dataclasses.fields(Evolvable)]
            return f"unknown key {path!r}; {nearest(str(detail['loc'][-1]), known)}"
        return f"unknown key {path!r}; {_suggest(path, root)}"
    if detail["type"] in ("missing", "missing_argument"):
        return f"{path} is missing; give it a value"
    message = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "value_error":
        return f"{path}: {message}" if path else message
    if detail["type"] == "string_pattern_mismatch":
        message = "1 to 64 letters of ASCII, digits, '.', '_' and '-', no sign first"
    message = message.removeprefix("Input should be ")
    if detail["loc"][-1] in KINDS:
        message = "a number, or a section that makes it a field of the genome"
    if detail["type"] == "dataclass_type":
        names = path in NAMED
        message = "a name, or a section with a name and options" if names else "a section of keys"
    if detail["type"] == "literal_error":
        words = re.findall(r"'([^']*)'", detail["ctx"]["expected"])
        hint = nearest(str(detail["input"]), words)
        if hint.startswith("did you mean"):
            return f"{path} is {detail['input']!r}, expected {message}; {hint}"
    return f"{path} is {detail['input']!r}, expected {message}"


def _of_other_kind(detail: typing.Any) -> bool:
    """Whether it says that a section is no number, or a value no section: one of two is enough."""
    kinds = [part for part in detail["loc"] if part in KINDS]
    if not kinds:
        return False
    if kinds[-1] == "float":
        return isinstance(detail["input"], dict)
    return bool(detail["loc"][-1] == EVOLVABLE and not isinstance(detail["input"], dict))


def _suggest(path: str, root: type[BaseModel]) -> str:
    """The nearest key: the same name elsewhere, else a neighbour in the same section."""
    known = key_paths(root)
    path = ".".join(part for part in path.split(".") if not part.isdigit())  # of a list
    section, _, leaf = path.rpartition(".")
    homes = [key for key in known if key.rpartition(".")[2] == leaf]
    if homes:
        return f"did you mean {homes[0]!r}?"
    neighbours = [key.rpartition(".")[2] for key in known if key.rpartition(".")[0] == section]
    hint = nearest(leaf, neighbours or known)
    if section and hint.startswith("did you mean '"):
        return hint.replace("'", f"'{section}.", 1)
    if hint.startswith("known") and (anywhere := nearest(leaf, known)).startswith("did"):
        return anywhere
    return hint


def _fields(model: typing.Any) -> dict[str, typing.Any]:
    if issubclass(model, BaseModel):
        return {name: info.annotation for name, info in model.model_fields.items()}
    hints = typing.get_type_hints(model)
    return {field.name: hints[field.name] for field in dataclasses.fields(model)}


def _kinds(annotation: typing.Any) -> list[typing.Any]:
    """What may stand there, and what lies in its lists."""
    inner = typing.get_args(annotation)
    return [kind for each in inner for kind in _kinds(each)] if inner else [annotation]


def _is_section(annotation: typing.Any) -> bool:
    return isinstance(annotation, type) and (
        issubclass(annotation, BaseModel) or dataclasses.is_dataclass(annotation)
    )
