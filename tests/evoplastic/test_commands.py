"""What is printed to be pasted is read back by a shell as it was meant."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from evoplastic.commands import command, quoted

WORDS = (
    "a b",
    "it's",
    "ä/ö",
    "$HOME",
    "`x`",
    "!!",
    "*?",
    "[v=2]",
    "two\nlines",
    "a\x1b[0m",
    "\udcff",
    "~",
)


def read_by_bash(*words: str) -> list[bytes]:
    """The words of a command line as bash splits it."""
    line = f"printf '%s\\0' {' '.join(words)}"
    done = subprocess.run(["bash", "-c", line.encode()], capture_output=True, check=True)
    return done.stdout.split(b"\0")[:-1]


@settings(max_examples=20)
@given(st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8")), min_size=1))
@example(list(WORDS))
def test_bash_reads_the_words_that_were_meant(words: list[str]) -> None:
    found = read_by_bash(*map(quoted, words))
    assert found == [word.encode("utf-8", "surrogateescape") for word in words]


def test_nothing_of_it_needs_to_be_escaped_again_for_a_terminal() -> None:
    for word in WORDS:
        assert quoted(word).isprintable()


def test_what_the_terminal_cannot_show_is_written_in_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    class Ascii:
        encoding = "ascii"

    monkeypatch.setattr(sys, "stdout", Ascii())
    assert quoted("Läufe").isascii()
    assert read_by_bash(quoted("Läufe")) == ["Läufe".encode()]


def test_the_printed_program_starts_from_where_it_was_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the PATH or not, in another folder or here."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.chdir(Path(sys.prefix).parent)
    near = command("--version")
    for line, folder in ((near, Path.cwd()), (command("--version", anywhere=True), tmp_path)):
        done = subprocess.run(["bash", "-c", line], cwd=folder, capture_output=True, text=True)
        assert done.stdout.startswith("evoplastic "), (line, done.stderr)
    assert not near.startswith("/")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:/usr/bin:/bin")
    assert command("--version") == "evoplastic --version"


def test_paths_are_not_taken_for_options_and_hold_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert command("resume", Path("-x")).endswith(" resume ./-x")
    assert command("resume", Path("x"), anywhere=True).endswith(f" resume {tmp_path / 'x'}")
