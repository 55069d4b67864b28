"""Exit codes, and how an error looks."""

from __future__ import annotations

from pathlib import Path

import pytest

from evoplastic.checks import EnvironmentFault
from evoplastic.cli import config as config_verb
from tests.cli.conftest import Command


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("evolv",),
        ("evolve",),
        ("evaluate",),
        ("genome",),
        ("genome", "show"),
        ("genome", "show", "missing.safetensors"),
        ("evolve", "smoke", "--workers", "-1"),
        ("evolve", "smoke", "--worker", "1"),  # no abbreviations: scripts would break later
        ("tasks", "list", "surplus"),
        ("analyze", "missing"),
        ("resume", "missing"),
        ("sync", "missing"),
        ("ui", "--store", "sqlite:///missing.db"),
    ],
    ids=" ".join,
)
def test_usage_errors_are_exit_code_2_and_no_traceback(
    command: Command, words: tuple[str, ...]
) -> None:
    answer = command(*words)
    assert answer.code == 2
    assert answer.err
    assert not answer.out
    assert "Traceback" not in answer.err


def test_no_workers_on_a_cluster_is_a_contradiction(command: Command) -> None:
    answer = command("evolve", "smoke", "--workers", 0, "--address", "10.0.0.1:6379", "--dry-run")
    assert answer.code == 2
    assert "--workers 0 is this process alone, and --address 10.0.0.1:6379" in answer.err


@pytest.mark.parametrize("way", ["flag", "variable"])
def test_debug_shows_the_traceback(
    command: Command, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if way == "variable":
        monkeypatch.setenv("EVOPLASTIC_DEBUG", "1")
    answer = command("genome", "show", "missing.st", *(["--debug"] if way == "flag" else []))
    assert answer.code == 2
    assert "Traceback" in answer.err
    assert "missing.st" in answer.err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (EnvironmentFault("no disk"), 3),
        (PermissionError(13, "Permission denied", "runs"), 3),
        (KeyboardInterrupt(), 130),
    ],
)
def test_faults_of_the_machine_have_codes_of_their_own(
    command: Command, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int
) -> None:
    def fail(args: object) -> int:
        raise error

    monkeypatch.setattr(config_verb, "run_schema", fail)
    answer = command("config", "schema")
    assert answer.code == code
    assert str(error) in answer.err


def test_a_bug_of_ours_is_not_hidden(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(args: object) -> int:
        raise ValueError("ours")

    monkeypatch.setattr(config_verb, "run_schema", fail)
    with pytest.raises(ValueError, match="ours"):
        command("config", "schema")


def test_unwritable_genome_file_is_exit_code_3(command: Command, tmp_path: Path) -> None:
    (tmp_path / "w.txt").write_text("\n".join([" ".join(["0"] * 16)] * 16))
    (tmp_path / "plain").write_text("a file where a folder is needed")
    answer = command(
        *("genome", "import", "--w", "w.txt", "--alpha", "w.txt", "--out", "plain/g.st")
    )
    assert answer.code == 3
    assert "plain" in answer.err
