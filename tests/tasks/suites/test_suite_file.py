from __future__ import annotations

from pathlib import Path

import pytest

from evoplastic.checks import UsageError
from tasks.suites.loading import load_suite
from tasks.suites.suite_file import known_suite_files, read_suite_file

GOOD = """
name: mine
description: A small split.
table: published
train: ["10", anti10, and]
held_out: [dms]
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", sorted(known_suite_files()))
def test_our_files_are_named_for_their_suites(name: str) -> None:
    assert read_suite_file(name).name == name


def test_a_file_is_a_suite(tmp_path: Path) -> None:
    suite = load_suite(write(tmp_path, GOOD))
    assert suite.name == "mine"
    assert suite.task_names == ("10", "anti10", "and", "dms")
    assert suite.half_of_train == (0, 1, 0)
    assert suite.train_aliases == (("10", "anti10"),)
    assert load_suite(str(tmp_path / "mine.yaml"), "intended").train_aliases == ()


def test_table_and_description_may_be_left_out(tmp_path: Path) -> None:
    suite_file = read_suite_file(write(tmp_path, "name: a\ntrain: [and]\nheld_out: [dms]"))
    assert (suite_file.table, suite_file.description) == ("intended", "")


def test_unknown_suite_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="unknown suite 'miconi203'; did you mean 'miconi2023'"):
        load_suite("miconi203")


def test_unknown_table_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'published'"):
        load_suite("miconi2023", "publshed")


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"none\.yaml does not exist; known suites: class-stream-long"
    ):
        load_suite(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("held_out", "heldout", "did you mean 'held_out'"),
        ("held_out: [dms]", "", "lacks held_out"),
        ("name: mine", "name: [mine]", "name is .* expected text"),
        ("table: published", "table: publish", "did you mean 'published'"),
        ('"10"', "10", 'quotes, as in "01"'),
        ("[dms]", "dms", "held_out is 'dms', expected a list"),
        ("[dms]", "[dsm]", "'dsm'; did you mean 'dms'"),
        ("[dms]", "[dms", "is not valid YAML"),
        (GOOD, "[and, or]", "holds list, expected keys with values"),
        (GOOD, "", "holds NoneType, expected keys with values"),
        ("name: mine", "name: ' '", "expected a name"),
    ],
)
def test_errors_name_the_file(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = write(tmp_path, GOOD.replace(old, new))
    with pytest.raises(UsageError, match=message) as refused:
        load_suite(path)
    assert str(path) in str(refused.value)


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(b"\xff\xfe\x00name")
    with pytest.raises(UsageError, match=r"mine\.yaml is not UTF-8 text"):
        load_suite(path)


def test_a_leaking_file_is_refused_with_both_names(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD.replace("and]", "dnms]"))
    with pytest.raises(UsageError, match=r"suite 'mine' leaks: .*'dms'.*'dnms'"):
        load_suite(path)


@pytest.mark.parametrize(("kind", "pacing"), [("free", "self_paced"), ("paced", "fixed_timing")])
def test_the_kind_of_earlier_files_is_read_with_a_note(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, kind: str, pacing: str
) -> None:
    path = write(tmp_path, f"name: old\nkind: {kind}\ntrain: [and]\nheld_out: [dms]")
    for _ in range(2):
        assert read_suite_file(path).pacing == pacing
    assert [record.getMessage() for record in caplog.records] == [
        f"suite file {path} says kind: {kind}, which is now pacing: {pacing}; it is read as such"
    ]
    write(tmp_path, f"name: new\npacing: {pacing}\ntrain: [and]\nheld_out: [dms]")
    assert read_suite_file(path).pacing == pacing
    assert len(caplog.records) == 1


def test_tasks_of_fixed_timing_come_in_families_too(tmp_path: Path) -> None:
    families = "families: {one: [and, or], two: [dms]}\nheld_out_family: two"
    path = write(tmp_path, f"name: mine\npacing: fixed_timing\n{families}")
    suite = load_suite(path)
    assert [task.name for task in suite.held_out] == ["dms"]
    assert load_suite(f"{path}/one").held_out_families == ("one",)
