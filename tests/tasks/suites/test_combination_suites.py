from __future__ import annotations

from pathlib import Path

import pytest

from evoplastic.checks import UsageError
from tasks.suites.levels import fixed_policy_level
from tasks.suites.loading import find_task, load_suite
from tasks.suites.suite_file import read_suite_file

TEXT = """
name: mine
pacing: fixed_timing
combinations: {rule: [and, same], delay: [none, long], response: [pro, anti], modality: [a, b]}
cued: false
withheld: [{rule: same, delay: long, modality: b}]
"""
ALONE = "[{rule: same, delay: long, response: pro, modality: b}]"


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_is_a_suite_of_combinations(tmp_path: Path) -> None:
    suite = load_suite(write(tmp_path, TEXT), "intended")
    assert (len(suite.train), len(suite.held_out)) == (14, 2)
    assert suite.groups == {
        "same-long-pro-b": "3 new together",
        "same-long-anti-b": "3 new together",
    }
    assert suite.interface.num_inputs == 4
    assert suite.train_aliases == ()
    assert ("same-long-pro-b", "same-long-anti-b") in suite.negations
    assert fixed_policy_level(suite, "same-long-pro-b") == 0.75
    assert fixed_policy_level(suite, "and-none-pro-a") == 0.5


def test_without_cues_the_opposite_response_is_the_same_question(tmp_path: Path) -> None:
    text = TEXT.replace("[{rule: same, delay: long, modality: b}]", ALONE)
    with pytest.raises(
        UsageError,
        match="leaks: held-out task 'same-long-pro-b' asks the same with the responses exchanged "
        "as training task 'same-long-anti-b'",
    ):
        load_suite(write(tmp_path, text))


def test_with_cues_it_is_another_question(tmp_path: Path) -> None:
    text = TEXT.replace("[{rule: same, delay: long, modality: b}]", ALONE)
    suite = load_suite(write(tmp_path, text.replace("false", "true")))
    assert suite.groups == {"same-long-pro-b": "4 new together"}
    assert suite.interface.num_inputs == 4 + 8
    assert suite.negations == ()
    assert fixed_policy_level(suite, "and-none-pro-a") == 1.0  # told by its cues
    assert fixed_policy_level(suite, "same-long-pro-b") == 0.75  # `and`, without regard to cues


@pytest.mark.parametrize("name", ["combinations", "combinations-cued"])
def test_ours_are_sound(name: str) -> None:
    suite = load_suite(name)
    assert len(suite.tasks) == 96
    news = set(suite.groups.values())
    assert news == {"3 new together"} | (
        {"4 new together"} if suite.held_out[0].settings["cued"] else set()
    )
    assert set(suite.groups) == {task.name for task in suite.held_out}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("modality: b}]", "modality: c}]", "factor modality of this suite: 'c'"),
        ("withheld: [{rule: same, delay: long, modality: b}]", "", "no combination is withheld"),
        (", delay: long, modality: b", "", "its rule same never occurs in training"),
        (", modality: b}]", "}]", "rule same and delay long never occur together in training"),
        ("{rule: [and, same]", "{rule: and", "combinations is .* expected {FACTOR: .LEVEL"),
        ("withheld: [{", "withheld: {a: {", "is not valid YAML"),
        ("cued: false", "cued: perhaps", "cued is 'perhaps', expected true or false"),
        ("cued: false", "table: published", "truth tables are the intended ones"),
        ("cued: false", "train: [and]", "has train and combinations, expected one of the two"),
        ("cued: false", "families: {a: [and]}", "families and combinations, expected one"),
        ("cued: false", "held_out_family: a", "has no families"),
        ("fixed_timing", "self_paced", "unknown key in suite file .*'combinations'"),
    ],
)
def test_errors_name_the_file(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in TEXT
    path = write(tmp_path, TEXT.replace(old, new))
    with pytest.raises(UsageError, match=message) as refused:
        load_suite(path)
    assert str(path) in str(refused.value)


def test_another_truth_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="leave the table 'published' out"):
        load_suite(write(tmp_path, TEXT), "published")


def test_words_of_combinations_need_combinations(tmp_path: Path) -> None:
    path = write(tmp_path, "name: a\ncued: true\ntrain: [and]\nheld_out: [dms]")
    with pytest.raises(UsageError, match="has cued without combinations"):
        load_suite(path)


def test_a_combination_is_a_task_by_its_name() -> None:
    task = find_task("same-long-anti-b", "fixed_timing")
    assert task.name == "same-long-anti-b"
    assert task.description == (
        "Answer 0 if the stimuli are the same (delayed match to sample) (on pair b; 220 ms between "
        "the stimuli)."
    )


def test_several_families_are_held_out_and_told_apart(tmp_path: Path) -> None:
    families = "families: {one: [and, or], two: [dms], three: [watchstim1]}"
    path = write(
        tmp_path, f"name: a\npacing: fixed_timing\n{families}\nheld_out_family: [two, three]"
    )
    suite = load_suite(path)
    assert [task.name for task in suite.train] == ["and", "or"]
    assert suite.groups == {"dms": "two", "watchstim1": "three"}
    assert read_suite_file(f"{path}/one").held_out_families == ("one",)
    assert load_suite(f"{path}/one").groups == {}
