"""When a run has acquired, what the table says of it, and that nothing is measured twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from evoplastic.checks import UsageError
from tests.benchmarks.search import report
from tests.benchmarks.search.__main__ import measure
from tests.benchmarks.search.acquisition import Point, Run
from tests.benchmarks.search.settings import SETTINGS, Setting


def _run(*held_out: float, seed: int = 1, setting: str = "a") -> Run:
    points = [
        Point(
            generation=5 * at,
            lifetimes=2500 * at,
            trials=1_000_000 * at,
            seconds=10.0 * at,
            held_out=accuracy,
            train=0.5,
        )
        for at, accuracy in enumerate(held_out)
    ]
    return Run(setting=setting, seed=seed, digest="d", commit="c", points=tuple(points))


@pytest.mark.parametrize(
    ("held_out", "lifetimes"),
    [
        ((0.5, 0.9, 0.9, 0.9), 2500),
        ((0.9, 0.9, 0.89, 0.9, 0.95, 0.91), 7500),
        ((0.5, 0.5, 0.9, 0.9), None),
        ((0.5, 0.89, 0.89, 0.89), None),
        ((), None),
    ],
)
def test_accuracy_has_to_stay(held_out: tuple[float, ...], lifetimes: int | None) -> None:
    point = _run(*held_out).acquired()
    assert (None if point is None else point.lifetimes) == lifetimes


def test_a_seed_that_never_acquires_counts_as_the_last() -> None:
    runs = [
        _run(0.5, 0.9, 0.9, 0.9, seed=1),
        _run(0.5, 0.5, 0.92, 0.93, 0.94, seed=2),
        _run(0.5, 0.5, 0.5, 0.5, seed=3),
        _run(0.9, 0.9, 0.9, setting="b"),
    ]
    *_, row = report.table([Setting("a", "laptop")], runs)
    assert "| 2 of 3 | 5,000 (2,500 to never) | 2.0 (1.0 to never) | 20 (10 to never) |" in row
    assert row.endswith("| 0.900 (0.500 to 0.930) |")


def test_a_section_is_put_in_its_place_and_the_others_stay() -> None:
    text = "# P\n\n## One\n\n1\n\n" + report.TITLE + "\n\nold\n\n## Two\n\n2\n"
    lines = [report.TITLE, "", "new", ""]
    put = report.put(text, lines)
    assert put == text.replace("old", "new")
    assert report.put(put, lines) == put
    assert report.kept(put, report.TITLE) == lines
    assert report.kept(put, report.TRIED) == []
    assert report.put("# P\n", lines) == "# P\n\n" + "\n".join(lines)


def test_a_setting_is_a_recipe_with_changes() -> None:
    setting = Setting.parse("small: laptop search.popsize=100 search.sigma=0.1")
    config = setting.config(seed=7, lifetimes=5000)
    assert (config.seed, config.search.popsize, config.search.sigma) == (7, 100, 0.1)
    assert (config.evolution.generations, config.evaluation.every) == (50, 20)
    named = Setting.parse("short: laptop evolution.generations=20").config(1)
    assert (named.evolution.generations, named.evaluation.every) == (20, 4)


@pytest.mark.parametrize("words", ["laptop", ": laptop", "name:", "name: "])
def test_a_setting_without_a_name_or_recipe_is_refused(words: str) -> None:
    with pytest.raises(UsageError, match="is not of the form"):
        Setting.parse(words)


def test_the_settings_of_the_project_can_be_run() -> None:
    assert len({setting.name for setting in SETTINGS}) == len(SETTINGS)
    for setting in SETTINGS:
        assert setting.config(1).suite == "miconi2023"


def test_what_is_on_disk_is_not_done_again(tmp_path: Path) -> None:
    setting = Setting("tiny", "smoke", ("search.popsize=8", "engine=cpu", "threads=1"))
    runs = measure([setting], [1, 2], 32, tmp_path)
    assert [run.seed for run in runs] == [1, 2]
    assert [[point.lifetimes for point in run.points] for run in runs] == [[0, 32]] * 2
    assert [point.trials for point in runs[0].points] == [0, 32 * 6]
    results = tmp_path / "results.jsonl"
    before = results.read_text()
    assert measure([setting], [1, 2], 32, tmp_path) == runs
    assert results.read_text() == before
    results.write_text(before.splitlines()[0] + "\n")  # killed before the second was written
    journals = [path.read_bytes() for path in sorted(tmp_path.glob("*/journal.ndjson"))]
    assert measure([setting], [1, 2], 32, tmp_path) == runs, "the finished run is read again"
    assert [path.read_bytes() for path in sorted(tmp_path.glob("*/journal.ndjson"))] == journals
    assert results.read_text() == before
