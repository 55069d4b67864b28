from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from analysis.page.contents import contents_of
from analysis.page.latex import escaped, latex_of
from analysis.store import open_run
from evoplastic.records.events import EvaluationEvent, Event
from tests.analysis import free_runs, runs
from tests.cluster.tracking.page import long_runs

STRANGE = '50%_of $x$ & {y}\\z~^#<é|\u03b1"\u4efb>'


def renamed(events: list[Event], name: str) -> list[Event]:
    """A run whose held-out task is called so."""
    return [
        replace(
            event,
            entries=tuple(
                replace(each, task=name if each.task == "dms" else each.task)
                for each in event.entries
            ),
        )
        if isinstance(event, EvaluationEvent)
        else event
        for event in events
    ]


def table_of(*folders: Path) -> str:
    return latex_of(contents_of([open_run(folder) for folder in folders]))


def test_a_row_for_each_task_held_out_first(tmp_path: Path) -> None:
    text = table_of(runs.write_run(tmp_path / "run", runs.whole_run()))
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert rows[1:] == [
        r"\textbf{dms} & 75 & 68--82 & 75 & 62 & 50 & 45 & 60 \\",
        r"and & 95 & 92--98 & 100 & 50 & 50 & - & - \\",
    ]
    for rule in (r"\toprule", r"\midrule", r"\bottomrule"):
        assert rule in text


def test_negative_rewards_have_a_minus_sign(tmp_path: Path) -> None:
    text = table_of(runs.write_run(tmp_path / "run", free_runs.whole_run(free_runs.TWO)))
    assert "$-0.10$" in text


def test_names_are_text() -> None:
    plain = re.sub(r"\\(?:text\w+\{\}|[&%$#_{}])", "", escaped(STRANGE))
    assert not set(plain) & set('\\&%$#_{}~^<>|"')
    assert plain.isascii() or "é" in plain
    assert "U+03B1" in plain


@pytest.mark.exhaustive
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no LaTeX here")
def test_it_compiles_as_it_stands(tmp_path: Path) -> None:
    strange = runs.write_run(tmp_path / "strange", renamed(runs.whole_run(), STRANGE))
    free = runs.write_run(tmp_path / "free", free_runs.whole_run(free_runs.many(20, 9)))
    sweep = [
        long_runs.write(tmp_path / f"run{number}", number % 2 + 1, 10, changes)
        for number, changes in enumerate([(), (), ("search.sigma=0.05",), ("search.sigma=0.05",)])
    ]
    for name, folders in (("one", [strange]), ("two", [free]), ("three", sweep)):
        (tmp_path / f"{name}.tex").write_text(table_of(*folders), encoding="utf-8")
        done = subprocess.run(
            ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", f"{name}.tex"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=120,
        )
        assert done.returncode == 0, done.stdout[-3000:]
        assert "Overfull" not in done.stdout, done.stdout[-3000:]
