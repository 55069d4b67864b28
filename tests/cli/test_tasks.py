from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Command


def test_list_names_held_out_tasks_and_their_levels(command: Command) -> None:
    listing = ("tasks", "list", "--suite", "miconi2023")
    rows = {row["task"]: row for row in command(*listing, "--json").json["tasks"]}
    assert {name for name, row in rows.items() if row["role"] == "held_out"} == {"dms", "dnms"}
    assert rows["dms"]["fixed_policy_level"] == 0.75
    assert rows["dms"]["chance"] == 0.5
    assert len(rows) == 14
    text = command(*listing).out
    assert "held-out" in text
    assert "75%" in text


def test_list_names_every_task(command: Command) -> None:
    found = command("tasks", "list", "--json").json
    rows = {row["task"]: row for row in found["tasks"]}
    assert len(rows) == len(found["tasks"])
    assert rows["dms"]["origin"] == "two-stimulus"
    assert rows["GoNogo"] == {
        "task": "GoNogo",
        "origin": "neurogym",
        "description": "Go/No-go task.",
    }
    assert rows["yang19.go"]["description"].startswith("Point where")
    assert rows["evoplastic/MetaBandit"]["origin"] == "evoplastic"
    assert "yang19" in found["known_suites"]
    assert "Go/No-go task." in command("tasks", "list").out


def test_list_of_a_free_suite_builds_trials_only_if_asked(command: Command) -> None:
    found = command("tasks", "list", "--suite", "yang19-small/context", "--json").json
    assert found["held_out_families"] == ["context"]
    rows = {row["task"]: row for row in found["tasks"]}
    assert {name for name, row in rows.items() if row["role"] == "held_out"} == {
        "yang19.ctxdm1",
        "yang19.ctxdm2",
        "yang19.ctxdlydm1",
        "yang19.ctxdlydm2",
    }
    assert rows["yang19.go"]["family"] == "goanti"
    assert "chance" not in rows["yang19.go"]
    text = command("tasks", "list", "--suite", "yang19-small").out
    assert "yang19-small/context" in text
    assert "Point where the stimulus was" in text


def test_levels_of_all_tasks_are_no_levels(command: Command) -> None:
    answer = command("tasks", "list", "--levels")
    assert answer.code == 2
    assert "--levels needs --suite" in answer.err


def test_show_prints_the_truth_table(command: Command) -> None:
    shown = command("tasks", "show", "dms", "--json").json
    assert [trial["answer"] for trial in shown["trials"]] == [1, 0, 0, 1]
    assert shown["suites"]["miconi2023"] == "held_out"
    assert shown["trials"][1]["shown"] == ["-1 +1 at 0-160 ms", "+1 -1 at 200-360 ms"]
    assert "500-700 ms" in command("tasks", "show", "dms").out  # the response window


def test_show_knows_the_published_mistakes(command: Command) -> None:
    shown = command("tasks", "show", "nor", "--table", "published", "--json").json
    assert [trial["answer"] for trial in shown["trials"]] == [1, 1, 0, 1]


def test_check_passes_our_suites(command: Command) -> None:
    answer = command("tasks", "check", "--suite", "miconi2023-and")
    assert answer.code == 0
    assert "no leak" in answer.out
    assert command("tasks", "check", "--json").json["held_out"] == ["dms", "dnms"]


def test_check_of_a_task_plays_its_environment(command: Command) -> None:
    found = command("tasks", "check", "nor", "--table", "published", "--json").json
    assert found["bank_equals_environment"]
    assert found["deterministic"]
    assert found["oracle"] == 1.0
    assert found["table"] == "published"
    answer = command("tasks", "check", "dsm")
    assert answer.code == 2
    assert "did you mean 'dms'?" in answer.err


def test_check_refuses_a_leak_with_both_names(command: Command, tmp_path: Path) -> None:
    (tmp_path / "leaky.yaml").write_text("name: leaky\ntrain: [and, dnms]\nheld_out: [dms]\n")
    answer = command("tasks", "check", "--suite", "leaky.yaml")
    assert answer.code == 2
    assert "'dms'" in answer.err
    assert "'dnms'" in answer.err


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("show", "dsm"), "did you mean 'dms'?"),
        (("list", "--suite", "miconi"), "did you mean 'miconi2023'?"),
        (("list", "--table", "publisht"), "did you mean 'published'?"),
    ],
)
def test_unknown_names_get_the_nearest(command: Command, words: tuple[str, ...], hint: str) -> None:
    answer = command("tasks", *words)
    assert answer.code == 2
    assert hint in answer.err
