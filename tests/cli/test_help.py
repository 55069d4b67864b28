from __future__ import annotations

import argparse
import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from evoplastic.cli.parser import build_parser, parse
from tests.cli.conftest import Command


def verbs_of(
    parser: argparse.ArgumentParser, words: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], argparse.ArgumentParser]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, child in action.choices.items():
                yield (*words, name), child
                yield from verbs_of(child, (*words, name))


TOP = """
    evolve fork resume sweep evaluate record probe
    tasks rules searches genome lineage analyze report bench config doctor launch sync ui runs
"""
VERBS = dict(verbs_of(build_parser()))


def test_all_verbs_of_the_design_exist() -> None:
    assert {words[0] for words in VERBS} == set(TOP.split())


@pytest.mark.parametrize("words", VERBS, ids=" ".join)
def test_every_verb_explains_itself_with_an_example(
    words: tuple[str, ...], command: Command
) -> None:
    answer = command(*words, "--help")
    assert answer.code == 0
    assert "examples:" in answer.out
    assert f"evoplastic {' '.join(words)}" in answer.out.partition("examples:")[2]


@pytest.mark.parametrize("words", VERBS, ids=" ".join)
def test_every_argument_has_a_help_text(words: tuple[str, ...]) -> None:
    silent = [
        action.dest
        for action in VERBS[words]._actions
        if not action.help and not isinstance(action, argparse._SubParsersAction)
    ]
    assert not silent


def test_examples_parse() -> None:
    """A help text that teaches a command which is refused would teach nothing."""
    for words, verb in VERBS.items():
        for line in (verb.epilog or "").splitlines()[1:]:
            line_words = line.partition(">")[0].partition("#")[0].split()
            assert line_words[0] == "evoplastic", (words, line)
            parse(line_words[1:])


def test_commands_of_the_readme_parse() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    lines = [line for line in readme.splitlines() if line.startswith("    evoplastic ")]
    assert len(lines) > 10
    for line in lines:
        parse(line.partition("#")[0].split()[1:])


def test_help_imports_little() -> None:
    """What it imports is what it takes; how long that is, `tests.benchmarks.startup` measures."""
    code = (
        "import sys; from evoplastic.__main__ import main; code = main(['--help']); "
        "names = {name.partition('.')[0] for name in sys.modules}; "
        "print(sorted(names - set(sys.stdlib_module_names)), len(sys.modules), code)"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],  # without `site`, which imports what it finds
        capture_output=True,
        text=True,
        timeout=60,
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert "start here" in done.stdout, done.stderr
    last = re.fullmatch(r"(.*) (\d+) (\d)", done.stdout.splitlines()[-1])
    assert last is not None
    foreign, number, code = last.groups()
    assert set(ast.literal_eval(foreign)) <= {"__main__", "evoplastic"}
    assert int(number) < 250
    assert code == "0"


def test_parsing_loads_no_numerical_library() -> None:
    code = (
        "import sys; from evoplastic.__main__ import main; main(['evolve', '--help']); "
        "print(sorted({'torch', 'numpy', 'rich', 'yaml', 'pydantic', 'ray'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]"


def test_version(command: Command) -> None:
    assert command("--version").out.startswith("evoplastic ")
