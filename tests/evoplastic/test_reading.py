"""Files and words of a user: read within limits, or refused in one sentence."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest

from evoplastic.checks import UsageError
from evoplastic.reading import MOST_BYTES, parse_json, parse_object, parse_yaml, read_text

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BOMB, "more than 20000 values"),
        ("a: &a [*a]", "more than 20000 values"),
        ("a: " + "[" * 3000, "nested deeper"),
        ("- " * 3000, "nested deeper"),
        ("{" * 100 + "}" * 100, "nested deeper"),
        ("a: !!int x", "not valid YAML"),
        ("a: !!python/object:os.system x", "not valid YAML"),
        ("a: !!binary aGk=", "not valid YAML"),
        ("a: !!set {b}", "not valid YAML"),
        ("a: 1\na: 2", "the key 'a' is given twice"),
        ("a: " + "9" * 5000, "not valid YAML"),
        ("a: " + "9" * 30, "a is a number of more than 64 bits"),
        ("a: {b: .inf}", r"a\.b is inf, expected a finite number"),
        ("1: b", "key 1, expected text"),
        ("on: b", "key True, expected text"),
        ("? [a]\n: b", "not valid YAML"),
        ('"\\ud800": b', "no file can hold"),
        ('a: "\\0"', "no file can hold"),
        ("a: " + "x" * 30_000, "longer than 20000 characters"),
        ("x" * (MOST_BYTES + 1), f"longer than {MOST_BYTES}"),
    ],
    ids=lambda text: text[:12],
)
def test_yaml_beyond_the_limits_is_refused_at_once(text: str, message: str) -> None:
    began = time.process_time()  # a busy machine takes none of it
    with pytest.raises(UsageError, match=message) as caught:
        parse_yaml(text, "here")
    assert str(caught.value).startswith("here")
    assert time.process_time() - began < 5.0


@pytest.mark.parametrize("text", ["[" * 100_000, "9" * 5000, '{"a": "\\ud800"}', "{", "\0", "NaN,"])
def test_json_beyond_the_limits_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="here"):
        parse_json(text, "here")


@pytest.mark.parametrize("text", ["null", "[]", "5", '"a"', "true"])
def test_what_must_be_an_object_is_one(text: str) -> None:
    with pytest.raises(UsageError, match="expected a JSON object"):
        parse_object(text, "here")


def test_an_alias_is_as_good_as_what_it_stands_for() -> None:
    assert parse_yaml("a: &x {b: 1}\nc: *x", "here") == {"a": {"b": 1}, "c": {"b": 1}}


def test_what_yaml_would_take_for_a_date_stays_text() -> None:
    assert parse_yaml("2020-99-99", "here") == "2020-99-99"


def test_what_is_no_plain_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").write_bytes(b"a" * (MOST_BYTES + 1))
    (tmp_path / "latin").write_bytes(b"\xe4")
    for path in (tmp_path / "pipe", tmp_path, Path("/dev/zero"), tmp_path / "none"):
        with pytest.raises(UsageError, match="suite file"):
            read_text(path, "suite file")
    with pytest.raises(UsageError, match="larger than"):
        read_text(tmp_path / "large", "suite file")
    with pytest.raises(UsageError, match="not UTF-8"):
        read_text(tmp_path / "latin", "suite file")


def test_a_file_that_is_not_there_is_named_as_it_was_given(tmp_path: Path) -> None:
    path = tmp_path / "gone.csv"
    with pytest.raises(UsageError, match=rf"^activity file '{re.escape(str(path))}' cannot be"):
        read_text(path, "activity file", 100)
