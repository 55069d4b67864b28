"""Code runs only where the user named it, or trusts its content."""

from __future__ import annotations

import hashlib
import os
import py_compile
import shutil
from pathlib import Path

import pytest

from evoplastic import trust
from evoplastic.checks import UsageError
from tests.cli.conftest import Command
from tests.tasks import small_envs

RUN = (
    "engine=reference",
    "num_neurons=24",
    "lifetime.num_trials=4",
    "lifetime.scored_trials=2",
    "lifetime.perturbation.first_step=0",
    "lifetime.perturbation.quiet_trials=1",
    "search.popsize=4",
    "curriculum=uniform",
    "evolution.generations=1",
    "evaluation.held_out_lifetimes=1",
    "evaluation.train_lifetimes=0",
    "evaluation.controls=false",
    "tracking.enabled=false",
    "banks.trials=8",
    "banks.evaluation_trials=8",
)
SUITE = """
name: theirs
pacing: self_paced
train: [{task: "evil.py:%(task)s", name: one}]
held_out: [GoNogo]
"""


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("trust")))


def planted(folder: Path, marker: Path) -> Path:
    """A suite in a folder, and beside it a task whose file leaves a mark when it is run."""
    folder.mkdir(parents=True, exist_ok=True)
    code = Path(small_envs.__file__).read_text()
    mark = f"\nwith open({str(marker)!r}, 'a') as marker:\n    marker.write('ran ')\n"
    (folder / "evil.py").write_text(code + mark)
    suite = folder / "suite.yaml"
    suite.write_text(SUITE % {"task": TASK})
    return suite


TASK = next(
    name
    for name, value in vars(small_envs).items()
    if isinstance(value, type) and value.__module__ == small_envs.__name__
)


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    return tmp_path / "marker"


@pytest.fixture
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder outside of the project that the command runs in."""
    return tmp_path_factory.mktemp("downloads")


def test_listing_runs_nothing_that_was_not_named(
    command: Command, elsewhere: Path, marker: Path
) -> None:
    suite = planted(elsewhere, marker)
    answer = command("tasks", "list", "--suite", suite)
    assert answer.code == 0, answer.err
    assert "code that was not run" in answer.out
    assert not marker.exists()
    assert command("tasks", "list", "--suite", suite, "--trust").code == 0
    assert marker.exists()


@pytest.mark.parametrize(
    "words",
    [
        ("evolve", "smoke", *RUN, "--dry-run"),
        ("evolve", "smoke", *RUN, "--run-dir", "run"),
        ("tasks", "check"),
    ],
    ids=["dry-run", "evolve", "check"],
)
def test_a_suite_from_elsewhere_needs_trust(
    command: Command, elsewhere: Path, marker: Path, words: tuple[str, ...], tmp_path: Path
) -> None:
    suite = planted(elsewhere, marker)
    given = ("--suite", str(suite)) if words[0] == "tasks" else (f"suite={suite}",)
    answer = command(*words, *given)
    assert answer.code == 2
    assert "evil.py is code (SHA-256" in answer.err
    assert "--trust" in answer.err
    assert not marker.exists()
    assert not (tmp_path / "run").exists()


def test_a_foreign_run_needs_trust_even_in_the_project(
    command: Command, elsewhere: Path, marker: Path, tmp_path: Path
) -> None:
    """It was made by somebody who trusts the code; here, nobody has said so."""
    suite = planted(tmp_path / "unpacked", marker)
    made = ("evolve", "smoke", *RUN, f"suite={suite}", "--run-dir", "unpacked/run", "--no-analysis")
    assert command(*made).code == 0, "a suite of the project is the user's own"
    own = command("resume", "unpacked/run", "--no-analysis")
    assert own.code == 0, own.err
    trust.trusted_file().unlink()
    marker.unlink()
    for words in (("resume", "unpacked/run"), ("evaluate", "unpacked/run", "--task", "one")):
        answer = command(*words)
        assert answer.code == 2, answer.out
        assert "is code (SHA-256" in answer.err
        assert not marker.exists()
    assert command("resume", "unpacked/run", "--no-analysis", "--trust").code == 0
    assert marker.exists()
    assert command("resume", "unpacked/run", "--no-analysis").code == 0, "once for each digest"


def test_code_that_was_changed_in_a_run_needs_trust(
    command: Command, marker: Path, tmp_path: Path
) -> None:
    suite = planted(tmp_path, marker)
    made = ("evolve", "smoke", *RUN, f"suite={suite}", "--run-dir", "run", "--no-analysis")
    assert command(*made).code == 0
    original, sources = tmp_path / "evil.py", tmp_path / "run" / "sources"
    kept = original.read_bytes()
    original.write_bytes(kept + b"# another one now\n")
    assert command("resume", "run", "--no-analysis").code == 0, "what was trusted is kept"
    changed = kept + b"# from somebody else\n"
    (sources / "001-evil.py").write_bytes(changed)
    index = (sources / "index.json").read_text()
    old, new = (hashlib.sha256(content).hexdigest() for content in (kept, changed))
    (sources / "index.json").write_text(index.replace(old, new))
    marker.unlink()
    assert "is code (SHA-256" in command("resume", "run").err
    assert not marker.exists()
    typed = trust.Gate(tmp_path, {original}, everything=False)
    typed.from_run, typed.may_ask = True, False
    with pytest.raises(trust.Untrusted):  # a run brings it under the name of a file that was typed
        typed.admit(original, changed)
    typed.admit(original, original.read_bytes())


def test_code_in_the_directory_of_a_run_is_nobodys_project(
    command: Command, marker: Path, tmp_path: Path
) -> None:
    suite = planted(tmp_path / "run", marker)
    (tmp_path / "run" / "config.resolved.yaml").write_text("name: theirs\n")
    assert command("evolve", "smoke", *RUN, f"suite={suite}", "--dry-run").code == 2
    assert not marker.exists()


def test_what_is_typed_is_named(command: Command, elsewhere: Path, marker: Path) -> None:
    planted(elsewhere, marker)
    assert command("tasks", "show", f"{elsewhere / 'evil.py'}:{TASK}").code == 0
    assert marker.exists()


def test_a_compiled_copy_is_never_run(command: Command, elsewhere: Path, marker: Path) -> None:
    """Innocent text beside a hostile `__pycache__` with its time and size."""
    planted(elsewhere, marker)
    source = elsewhere / "evil.py"
    hostile = source.read_bytes()
    innocent = hostile.replace(b"marker.write('ran ')", b"marker.write('   ')"[:20].ljust(20))
    assert len(innocent) == len(hostile)
    stamp = source.stat()
    py_compile.compile(str(source), doraise=True)
    source.write_bytes(innocent)
    os.utime(source, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert command("tasks", "show", f"{source}:{TASK}").code == 0
    assert "ran" not in marker.read_text()


def test_a_yes_on_a_terminal_is_asked_for_once(
    elsewhere: Path, marker: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    planted(elsewhere, marker)
    monkeypatch.chdir(tmp_path)
    path, asked = elsewhere / "evil.py", []

    def answer(self: trust.Gate, path: Path, digest: str) -> bool:
        asked.append(digest)
        return len(asked) > 1

    monkeypatch.setattr(trust.Gate, "_asked", answer)
    with trust.gate_of({}):
        with pytest.raises(UsageError, match="--trust"):
            trust.admit(path, path.read_bytes())
        trust.admit(path, path.read_bytes())
        trust.admit(path, path.read_bytes())
    assert len(asked) == 2
    assert trust.trusted_file().stat().st_mode & 0o077 == 0


def test_a_home_is_no_project(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "Downloads").mkdir()
    shutil.copy(small_envs.__file__, tmp_path / "mine.py")
    shutil.copy(small_envs.__file__, tmp_path / "Downloads" / "theirs.py")
    with (tmp_path / "mine.py").open("a") as mine:
        mine.write("# mine\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with trust.gate_of({}):
        trust.admit(tmp_path / "mine.py", (tmp_path / "mine.py").read_bytes())
        theirs = tmp_path / "Downloads" / "theirs.py"
        with pytest.raises(UsageError, match="--trust"):
            trust.admit(theirs, theirs.read_bytes())


RULE = """
from helper import NAME
from evoplastic.rules.table import Rule, Term

with open(%r, "a") as marker:
    marker.write("ran ")
RULE = Rule(name=NAME, title="t", source="s", change=(Term(post="rate", pre="rate"),))
"""


def test_a_rule_from_elsewhere_runs_if_it_was_typed(
    command: Command, elsewhere: Path, marker: Path
) -> None:
    """And it may have a project around it, as a task has."""
    (elsewhere / "evil.py").write_text(RULE % str(marker))
    (elsewhere / "helper.py").write_text("NAME = 'theirs'")
    theirs = elsewhere / "run.yaml"
    theirs.write_text(f"name: theirs\nrule: {elsewhere}/evil.py:RULE\n")
    answer = command("evolve", theirs, "--dry-run")
    assert answer.code == 2
    assert "on the command line" in answer.err
    assert not marker.exists()
    shown = command("rules", "show", f"{elsewhere}/evil.py:RULE", "--json")
    assert shown.json["name"] == "theirs", shown.err
    assert marker.exists()
    trust.trusted_file().unlink()
    typed = command("config", "show", "smoke", f"rule={elsewhere}/evil.py:RULE")
    assert "name: theirs" in typed.out, typed.err
