"""What is printed is shown and never obeyed, and a run does not depend on who reads it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from evoplastic.genome.genome import Genome
from tests.cli.conftest import Command

RUN = ("evolve", "smoke", "evolution.generations=3", "tracking.enabled=false", "engine=reference")
HOSTILE = "\x1b]0;owned\x07\x1b[31m red \x9b1m [/red] [bold]x[/bold] \u202e$\\frac$"


def shell(folder: Path, words: Sequence[str], redirection: str) -> subprocess.CompletedProcess[str]:
    """A command with its output sent somewhere; the exit code is the command's own."""
    command = " ".join([sys.executable, "-m", "evoplastic", *words, redirection])
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    "redirection",
    [
        pytest.param("| head -n 1", marks=pytest.mark.exhaustive),
        pytest.param("> /dev/full 2> /dev/full", marks=pytest.mark.exhaustive),
        ">&- 2>&- <&-",
        pytest.param("--json > /dev/full", marks=pytest.mark.exhaustive),
    ],
)
def test_a_run_does_not_depend_on_who_reads_it(tmp_path: Path, redirection: str) -> None:
    done = shell(tmp_path, [*RUN, "--run-dir", "run", "--no-analysis"], redirection)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr
    assert (tmp_path / "run" / "STATUS").read_text() == "done\n"
    lines = [json.loads(line) for line in (tmp_path / "run" / "journal.ndjson").open()]
    assert [line["generation"] for line in lines if line["event"] == "generation"] == [0, 1, 2]
    assert (lines[-1]["event"], lines[-1]["status"]) == ("end", "done")


def test_what_only_prints_says_that_it_could_not(tmp_path: Path) -> None:
    lost = shell(tmp_path, ["config", "schema"], "> /dev/full")
    assert lost.returncode == 3
    assert lost.stderr == (
        "evoplastic: what was printed is lost: [Errno 28] No space left on device\n"
    )
    left = shell(tmp_path, ["config", "schema"], "| head -n 1")
    assert (left.returncode, left.stderr) == (0, "")


def test_a_genome_cannot_speak_to_the_terminal(command: Command, genome_file: Path) -> None:
    genome = Genome.load(genome_file)
    replace(genome, provenance={"origin": HOSTILE, HOSTILE: "x"}).save(genome_file)
    for words in (("genome", "show", genome_file), ("genome", "show", genome_file, "--json")):
        answer = command(*words)
        assert answer.code == 0
        assert "\x1b" not in answer.out
        assert "\x9b" not in answer.out
    text = command("genome", "show", genome_file).out
    assert all(part in text for part in ("\\x1b]0;owned\\x07", "[/red] [bold]x[/bold]", "\\u202e"))


def test_a_suite_cannot_speak_to_the_terminal(command: Command, tmp_path: Path) -> None:
    suite = {"name": HOSTILE, "description": HOSTILE, "train": ["and"], "held_out": ["dms"]}
    described = {"task": "Null", "about": HOSTILE}
    free = {**suite, "kind": "free", "train": ["GoNogo"], "held_out": [described]}
    for name, content in (("paced", suite), ("free", free)):
        path = tmp_path / f"{name}.yaml"
        path.write_text(json.dumps(content))
        answer = command("tasks", "list", "--suite", path)
        assert answer.code == 0, answer.err
        assert "\x1b" not in answer.out + answer.err
        assert "[/red] [bold]x[/bold]" in answer.out


def test_an_error_cannot_speak_to_the_terminal(command: Command, tmp_path: Path) -> None:
    answer = command("genome", "show", tmp_path / "\x1b[31mred")
    assert answer.code == 2
    assert "\\x1b[31mred" in answer.err
    assert "\x1b" not in answer.err
