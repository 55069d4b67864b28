"""`tasks show | check | preview` of streams: of classes by their word, of tasks in their suite."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Command

TEN = ("class-stream", "--set", "labels=10", "--set", "probed_after=[4]", "--set", "probes=20")


def test_a_stream_of_classes_is_shown_checked_and_drawn(command: Command, tmp_path: Path) -> None:
    shown = command("tasks", "show", *TEN, "--json").json
    assert shown["num_inputs"] == 32 + 10
    assert shown["trials"] == 10 * 5 + 2 * 20
    assert shown["probed_after"] == [4, 10]
    assert ["class-stream-long", "train"] in shown["suites"]
    checked = command("tasks", "check", *TEN, "--json").json
    assert checked["guess"] == [1 / 4, 1 / 10]
    assert 0.9 < checked["mean"][1] < checked["mean"][0] <= 1.0
    assert "nearest mean of examples seen" in command("tasks", "check", *TEN).out
    out = tmp_path / "classes.svg"
    drawn = command("tasks", "preview", *TEN, "--out", str(out))
    assert "drew the 90 trials of class-stream" in drawn.out
    assert "classes 5-10" in out.read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", "class-stream", "--set", "clases=3"), "did you mean 'classes'?"),
        (("show", "class-stream", "--table", "published"), "leave it out of class-stream"),
        (("check", "class-stream", "--trial", "1"), "leave --trial out"),
        (("preview", "class-stream", "--graph", "--out", "x.png"), "leave --graph out"),
        (("show", "and-first-and"), "tasks list --suite streams"),
        (("show", "dms", "--set", "a=1"), "takes no --set"),
        (("check", "dms", "--dt-ms", "10"), "has steps of 20 ms"),
    ],
)
def test_what_does_not_go_with_it_is_refused(
    command: Command, words: tuple[str, ...], said: str
) -> None:
    answer = command("tasks", *words)
    assert answer.code == 2
    assert said in answer.err


def test_lifetimes_of_another_length_are_refused_before_anything_is_evolved(
    command: Command, tmp_path: Path
) -> None:
    answer = command("evolve", "class-stream", "lifetime.num_trials=50", "tracking.enabled=false")
    assert answer.code == 2
    assert "has 40 trials, lifetimes have 50; set lifetime.num_trials=40" in answer.err
    assert not (tmp_path / "runs").exists()


def test_streams_of_classes_in_a_suite_are_drawn_by_their_names(
    command: Command, tmp_path: Path
) -> None:
    out = tmp_path / "ten.svg"
    told = command("tasks", "preview", "ten", "--suite", "class-stream", "--out", str(out))
    assert "drew its 40 trials" in told.out
